"""Segments that two specs share: a key depends on what decides pixels and samples alone."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import Image, Layer, MediaFacts, OutputPolicy
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import MediaSource, build_timeline
from clipmill.timeline.segments import split_into_segments, with_profile

OUTPUT = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
FACTS = MediaFacts(
    format="mov",
    duration_us=10_000_000,
    width=640,
    height=360,
    rate="30/1",
    frames=300,
    video_codec="h264",
    audio_codec="aac",
    loudness_lufs=-20.0,
)
FADE = {"type": "Fade", "duration": "1s"}
CREDIT = {"creator": "Grace", "game": "Chess"}


def source(letter: str) -> MediaSource:
    """Return a media file of 10 s whose hash is one letter."""
    return MediaSource(f"m-{letter * 4}", letter * 64, FACTS)


def clip(letter: str, **more: Any) -> dict[str, Any]:
    """Return a clip of that media, named after it."""
    return {"mediaId": f"m-{letter * 4}", "name": more.pop("name", letter), **more}


def keys(
    clips: list[dict[str, Any]], *, policy: OutputPolicy | None = None, ids: str = "m", **spec: Any
) -> list[str]:
    """Return the keys of the segments in order."""
    parsed = CompilationSpec.model_validate({"clips": clips, "outputs": [OUTPUT], **spec})
    sources = [source(str(clip.media_id)[2]) for clip in parsed.clips]
    renamed = [MediaSource(f"{ids}-{s.sha256[:4]}", s.sha256, s.facts) for s in sources]
    assets = {f"m-{letter * 4}": source(letter) for letter in "abcdef0123"}
    timeline = build_timeline(parsed, parsed.outputs[0], renamed, assets, policy)
    return [segment.key for segment in split_into_segments(timeline)]


def output(**more: Any) -> dict[str, Any]:
    """Return the outputs of the spec with changes."""
    return {"outputs": [{**OUTPUT, **more}]}


A, B, C = clip("a"), clip("b"), clip("c")
THREE = [A, B, C]
SHARED: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("order", [C, A, B], {}),
    ("title", THREE, {"title": "Another"}),
    ("a clip's title and name", [{**A, "title": "T", "name": "x"}, B, C], {}),
    ("minimum and policy", THREE, {"minimumClips": 2, "onClipError": "Fail"}),
    ("true peak", THREE, {"audio": {"truePeak": "-2dBTP"}}),
    ("music", THREE, {"music": {"mediaId": "m-ffff"}}),
    ("the output's name", THREE, {"outputs": [{**OUTPUT, "name": "other"}]}),
    ("an unused card", THREE, {"creatorCard": {"start": "1s"}}),
    ("an end at the clip's end", [{**A, "end": "10s"}, B, C], {}),
    ("a hard cut", [A, {**B, "transition": {"type": "None"}}, C], {}),
]


@pytest.mark.parametrize(("what", "clips", "spec"), SHARED, ids=[case[0] for case in SHARED])
def test_nothing_is_rendered_again(
    what: str, clips: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    """Both specs have the same segments."""
    assert set(keys(clips, **spec)) == set(keys(THREE)), what


def test_another_clip_or_an_intro_adds_its_own_segment() -> None:
    """The segments of the other clips stay."""
    plain = set(keys(THREE))
    for more in (
        keys([*THREE, clip("d")]),
        keys(THREE, intro={"mediaId": "m-eeee"}),
        keys([A, B, clip("d")]),
    ):
        assert len(set(more) - plain) == 1


def test_media_ids_do_not_count() -> None:
    """Equal bytes under another media id give the same key, also those of an image."""
    assert keys(THREE, ids="m") == keys(THREE, ids="x")
    marks = [
        OutputPolicy(watermark=Layer(image=Image(media_id=media_id, sha256="1" * 64)))
        for media_id in (None, "m-mark")
    ]
    assert keys(THREE, policy=marks[0]) == keys(THREE, policy=marks[1])


OVER = {"text": "Hello", "start": "2s", "end": "4s"}
CHANGED: list[tuple[str, list[dict[str, Any]], dict[str, Any]]] = [
    ("start", [{**A, "start": "1s"}, B, C], {}),
    ("end", [{**A, "end": "9s"}, B, C], {}),
    ("another source", [clip("d"), B, C], {}),
    ("an overlay", [{**A, "overlays": [OVER]}, B, C], {}),
    ("an overlay's text", [{**A, "overlays": [{**OVER, "text": "Bye"}]}, B, C], {}),
    ("its fit", [{**A, "fit": "ContainBlur"}, B, C], {}),
    ("its focus", [{**A, "focus": {"left": 30}}, B, C], {}),
    ("its gain", [{**A, "audio": {"gain": "-6dB"}}, B, C], {}),
    ("its sound", [{**A, "audio": {"mute": True}}, B, C], {}),
    ("a credit", [{**A, "credit": CREDIT}, B, C], {}),
]


@pytest.mark.parametrize(("what", "clips", "spec"), CHANGED, ids=[case[0] for case in CHANGED])
def test_one_clip_is_rendered_again(
    what: str, clips: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    """Only the segment of the clip that changed."""
    assert len(set(keys(clips, **spec)) - set(keys(THREE))) == 1, what


WATERMARK = OutputPolicy(watermark=Layer(image=Image(sha256="1" * 64)))
ALL_CHANGED: list[tuple[str, dict[str, Any]]] = [
    ("fit", output(fit="Cover")),
    ("zoom", output(zoom=120)),
    ("focus", output(focus={"left": 30, "top": 40})),
    ("align", output(align="Left")),
    ("layout", output(layout=[{"target": {"height": 50}}])),
    ("width", output(width=322)),
    ("rate", output(rate=60)),
    ("container", output(container="webm")),
    ("size cap", output(maxBytes=2_000_000)),
    ("quality", {"quality": "Draft"}),
    ("loudness", {"audio": {"loudness": "-16LUFS"}}),
    ("an overlay over all", {"overlays": [{"text": "all"}]}),
    ("watermark", {"policy": WATERMARK}),
    (
        "the tier's size",
        {"policy": OutputPolicy(max_resolution="720p"), **output(width=1920, height=1080)},
    ),
]


@pytest.mark.parametrize(("what", "spec"), ALL_CHANGED, ids=[case[0] for case in ALL_CHANGED])
def test_every_clip_is_rendered_again(what: str, spec: dict[str, Any]) -> None:
    """No segment is shared."""
    assert set(keys(THREE, **spec)).isdisjoint(keys(THREE)), what


FADED = [A, {**B, "transition": FADE}, {**C, "transition": FADE}]


def test_what_an_edit_of_a_transition_changes() -> None:
    """The segments are body a, transition ab, body b, transition bc, body c."""
    before = keys(FADED)
    assert len(before) == 5
    trimmed = keys([A, {**B, "transition": FADE, "end": "9s"}, {**C, "transition": FADE}])
    assert [old == new for old, new in zip(before, trimmed, strict=True)] == [
        *(True, True, False, False, True)
    ]
    wiped = keys(
        [A, {**B, "transition": {"type": "WipeLeft", "duration": "1s"}}, {**C, "transition": FADE}]
    )
    assert [old == new for old, new in zip(before, wiped, strict=True)] == [
        *(True, False, True, True, True)
    ]
    longer = keys([A, {**B, "transition": {**FADE, "duration": "2s"}}, {**C, "transition": FADE}])
    assert [old == new for old, new in zip(before, longer, strict=True)] == [
        *(False, False, False, True, True)
    ]


def test_a_window_counts_only_where_it_is_visible() -> None:
    """An overlay in the middle of a clip changes its body, not the transitions at its ends."""
    over = [A, {**B, "transition": FADE, "overlays": [OVER]}, {**C, "transition": FADE}]
    assert [old == new for old, new in zip(keys(FADED), keys(over), strict=True)] == [
        *(True, True, False, True, True)
    ]


def test_a_segment_of_another_profile_has_another_key() -> None:
    """With the first profile it has the first key."""
    spec = CompilationSpec.model_validate({"clips": [A], "outputs": [OUTPUT]})
    (segment,) = split_into_segments(build_timeline(spec, spec.outputs[0], [source("a")], {}))
    lower = with_profile(segment, segment.profile.model_copy(update={"max_bitrate": 1000}))
    assert lower.key != segment.key
    assert with_profile(lower, segment.profile) == segment


def test_a_small_edit_keeps_the_rate_of_a_capped_file() -> None:
    """Bit rates have steps, so that a small edit does not change every segment."""
    capped = output(maxBytes=1_000_000)
    before = keys([A, {**B, "end": "9s"}, C], **capped)
    after = keys([A, {**B, "end": "8.8s"}, C], **capped)
    assert len(set(before) & set(after)) == 2
