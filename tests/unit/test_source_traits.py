"""From the facts of a file to the way in which its pictures and its sound are read."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import AudioTrack, MediaFacts, PictureTraits
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import MediaSource, build_timeline

OUTPUT = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
CASES: list[tuple[dict[str, Any], PictureTraits]] = [
    ({}, PictureTraits()),
    ({"field_order": "bff"}, PictureTraits(interlaced=True)),
    ({"has_alpha": True}, PictureTraits(has_alpha=True)),
    (
        {"has_alpha": True, "video_codec": "vp9"},
        PictureTraits(has_alpha=True, decoder="libvpx-vp9"),
    ),
    ({"video_codec": "vp9"}, PictureTraits()),
    ({"changes_shape": True}, PictureTraits(changes_shape=True)),
]


@pytest.mark.parametrize(("facts", "traits"), CASES)
def test_the_timeline_carries_what_the_prober_reports(
    facts: dict[str, Any], traits: PictureTraits
) -> None:
    """Fields, alpha and changes of shape; left and right; the clock of the streams read."""
    left, right = (
        AudioTrack(stream=i, codec="aac", layout=f"1 channels (F{side})", start_us=7)
        for i, side in ((1, "L"), (2, "R"))
    )
    media = MediaFacts(
        format="mov", duration_us=1_000_000, audio_codec="aac", audio_tracks=[left, right], **facts
    )
    clips = [{"mediaId": "m-aaaa", "name": "a"}]
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [OUTPUT]})
    source = MediaSource("m-aaaa", "a" * 64, media)
    [played] = build_timeline(spec, spec.outputs[0], [source], {}).sources
    assert played.traits == traits
    assert (played.audio_stream, played.right_stream, played.start_us) == (1, 2, 7)
