"""The prober reports fields, transparency and changes of shape, and the clock of each track."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clipmill.protocol import MediaFacts
from clipmill_probe import Depth, probe_media
from inputs.making import Files
from inputs.measuring import differences
from inputs.recipe import Heard, Shown
from inputs.recipes import named
from inputs.rendering import render, spec_of
from studio import Studio

PLAIN = (None, False, False)
TRAITS = {
    "b-frames": PLAIN,
    "telecine-by-flags": PLAIN,
    "rgb": PLAIN,
    "hdr-pq-hevc": PLAIN,
    "turned-90": PLAIN,
    "vp9-webm": PLAIN,
    "interlaced-h264": ("tff", False, False),
    "interlaced-mpeg2": ("bff", False, False),
    "interlaced-prores": ("tff", False, False),
    "dv": ("bff", False, False),
    "alpha-prores": (None, True, False),
    "alpha-vp9": (None, True, False),
    "alpha-hevc": (None, True, False),
    "shape-changes": (None, False, True),
    "aspect-changes": (None, False, True),
}


@pytest.mark.parametrize("depth", [Depth.FULL, Depth.SOUND])
@pytest.mark.parametrize("name", TRAITS)
def test_traits(name: str, depth: Depth, files: Files) -> None:
    """Order of the fields, whether there is alpha, and whether the shape changes."""
    facts: MediaFacts = probe_media(files.of(named(name)), depth=depth)
    assert (facts.field_order, facts.has_alpha, facts.changes_shape) == TRAITS[name]


def _shown(name: str, **changes: Any) -> Shown:
    outcome = named(name).outcome
    assert isinstance(outcome, Shown)
    return replace(outcome, beep_s=None, **changes)


CLOCKS = [
    # The other track starts a second before the picture and the track that plays by default.
    ("unused-track-earlier", {"track": 2}, Heard()),
    ("unused-track-earlier", {"mute": True}, None),
    ("picture-late-ts", {"mute": True}, None),
]


@pytest.mark.parametrize(("name", "audio", "sound"), CLOCKS)
def test_the_choice_of_a_track_does_not_move_the_pictures(
    name: str, audio: dict[str, Any], sound: Heard | None, files: Files, studio: Studio
) -> None:
    """In MPEG-TS ffmpeg's clock depends on the streams that are read; the time line does not."""
    spec = spec_of(studio.upload(files.of(named(name))))
    spec["clips"][0]["audio"] = audio
    rendered = render(studio, spec)
    assert not isinstance(rendered, str), rendered
    assert differences(rendered, _shown(name, sound=sound)) == []
