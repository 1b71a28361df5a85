"""Segments that can be rendered while other clips are still being fetched."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import (
    PLACEHOLDER,
    UNFETCHED,
    MediaSource,
    Timeline,
    build_timeline,
)
from clipmill.timeline.segments import settled_segments, split_into_segments

OUTPUT = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
FADE = {"transition": {"type": "Fade", "duration": "1s"}}
HARD: dict[str, Any] = {}
CLIP = "https://clips.example.com/{}.mp4"


def facts(seconds: float) -> MediaFacts:
    """Return what is known of a clip of this length."""
    return MediaFacts(
        format="mov",
        duration_us=round(seconds * 1_000_000),
        width=640,
        height=360,
        rate="30/1",
        frames=round(seconds * 30),
        video_codec="h264",
        audio_codec="aac",
        loudness_lufs=-20.0,
    )


def timeline_of(
    clips: list[dict[str, Any]], sources: list[MediaSource | None], **spec: Any
) -> Timeline:
    """Return the timeline of clips with these sources."""
    urls = [{"url": CLIP.format(i), **clip} for i, clip in enumerate(clips)]
    parsed = CompilationSpec.model_validate({"clips": urls, "outputs": [OUTPUT], **spec})
    assets = {f"m-{letter * 4}": source(letter) for letter in "tuv"}
    return build_timeline(parsed, parsed.outputs[0], sources, assets)


def source(letter: str, seconds: float = 10) -> MediaSource:
    """Return a fetched clip."""
    return MediaSource(f"m-{letter * 4}", letter * 64, facts(seconds))


# Clips by the case of their letter: those in capitals are not fetched yet. Per case the transition
# into each clip, further fields of the spec, and what the settled segments play.
CASES: list[tuple[str, list[dict[str, Any]], dict[str, Any], list[str]]] = [
    ("abC", [HARD, HARD, HARD], {}, ["a", "b"]),
    ("abC", [HARD, HARD, FADE], {}, ["a"]),
    ("abC", [HARD, FADE, HARD], {}, ["a", "ab", "b"]),
    ("aBc", [HARD, FADE, FADE], {}, []),
    ("aBc", [HARD, HARD, FADE], {}, []),
    ("aBc", [HARD, FADE, HARD], {}, ["c"]),
    ("aBC", [HARD, HARD, FADE], {}, []),
    ("Abc", [HARD, HARD, FADE], {}, ["b", "bc", "c"]),
    ("Abc", [HARD, FADE, HARD], {}, ["c"]),
    ("ABC", [HARD, HARD, HARD], {"intro": {"mediaId": "m-tttt"}}, ["t"]),
    ("aB", [HARD, HARD], {"transitions": {"mediaIds": ["m-tttt"]}}, ["a", "t"]),
    ("aBc", [HARD, HARD, FADE], {"transitions": {"mediaIds": ["m-tttt"]}}, []),
    ("aB", [HARD, HARD], {"outro": {"mediaId": "m-uuuu"}}, ["a", "u"]),
]


@pytest.mark.parametrize(("letters", "clips", "spec", "played"), CASES)
def test_what_is_settled(
    letters: str, clips: list[dict[str, Any]], spec: dict[str, Any], played: list[str]
) -> None:
    """No segment is settled that a short, long or missing clip could still change."""
    sources = [source(letter) if letter.islower() else UNFETCHED for letter in letters]
    timeline = timeline_of(clips, sources, **spec)
    settled = settled_segments(timeline, split_into_segments(timeline))
    assert sorted("".join(s.sha256[0] for s in each.sources) for each in settled) == sorted(played)


@pytest.mark.parametrize("arrived", [source("w", 30), source("w", 0.1), None, PLACEHOLDER])
@pytest.mark.parametrize(("letters", "clips", "spec", "played"), CASES)
def test_settled_segments_are_those_of_the_result(
    letters: str,
    clips: list[dict[str, Any]],
    spec: dict[str, Any],
    played: list[str],
    arrived: MediaSource | None,
) -> None:
    """Whatever arrives, long, short or nothing, the result has every settled segment of clips."""
    sources = [source(letter) if letter.islower() else UNFETCHED for letter in letters]
    timeline = timeline_of(clips, sources, **spec)
    settled = settled_segments(timeline, split_into_segments(timeline))
    if arrived is None and letters.isupper():
        return  # No clip is left to play.
    final = timeline_of(clips, [arrived if s is UNFETCHED else s for s in sources], **spec)
    keys = {segment.key for segment in split_into_segments(final)}
    of_clips = [s for s in settled if s.sources[0].sha256[0] not in "tu"]
    assert {segment.key for segment in of_clips} <= keys
