"""The timeline and its segments agree to the frame, for random specs."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill.protocol import MediaFacts
from clipmill.spec import CompilationSpec
from clipmill.timeline.build import InvalidTimeline, MediaSource, Timeline, build_timeline
from clipmill.timeline.segments import split_into_segments


def source(name: str, length_us: int, lufs: float | None = -20.0) -> MediaSource:
    """A media file of a given length."""
    facts = MediaFacts(
        format="mov",
        duration_us=length_us,
        width=640,
        height=360,
        rate="30/1",
        frames=1,
        video_codec="h264",
        audio_codec="aac",
        loudness_lufs=lufs,
    )
    return MediaSource(f"m-{name * 4}", name * 64, facts)


def build(
    clips: list[dict[str, Any]], lengths_us: list[int], rate: int = 30, **rest: Any
) -> Timeline:
    """The timeline of a spec whose clips have these lengths."""
    output = {"name": "main", "preset": "custom", "width": 128, "height": 72, "rate": rate}
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [output], **rest})
    sources = [source("abcdef0123456789"[i % 16], n) for i, n in enumerate(lengths_us)]
    assets = {m: source("9", 2_000_000) for m in ("m-intro", "m-outro", "m-aaaa", "m-bbbb")}
    return build_timeline(spec, spec.outputs[0], sources, assets)


kinds = st.sampled_from(["None", "Fade", "FadeBlack", "WipeLeft"])
lengths = st.lists(st.integers(40_000, 5_000_000), min_size=1, max_size=12)


@settings(deadline=None)
@given(lengths, st.sampled_from([24, 25, 30, 50, 60]), st.data())
def test_sums_agree(us: list[int], rate: int, data: st.DataObject) -> None:
    """Entries less overlaps, segments, and the total are one number, whatever the spec."""
    clips: list[dict[str, Any]] = [{"mediaId": "m-clip"} for _ in us]
    for i, clip in enumerate(clips[1:], 1):
        clip["name"] = f"c{i}"
        if data.draw(st.booleans()):
            ms = data.draw(st.integers(40, 3000))
            clip["transition"] = {"type": data.draw(kinds), "duration": f"{ms}ms"}
    around: dict[str, Any] = {"intro": {"mediaId": "m-intro"}, "outro": {"mediaId": "m-outro"}}
    placement = data.draw(st.sampled_from(["None", "Between", "HeadStyle"]))
    around["bumper"] = {"mediaId": "m-bbbb", "placement": placement}
    where = data.draw(st.sampled_from(["BetweenClips", "Everywhere"]))
    around["transitions"] = {"mediaIds": ["m-aaaa", "m-bbbb"], "placement": where}
    found = build(clips, us, rate, **around)
    assert found.frames == sum(e.frames - e.overlap for e in found.items)
    assert found.frames == sum(segment.frames for segment in split_into_segments(found))
    assert all(len({cut.frames for cut in segment.sources}) == 1 for segment in split_into_segments(found))
    ends = [e.at + e.frames for e in found.items]
    assert [e.at + e.overlap for e in found.items] == [0, *ends[:-1]]


def test_trim_and_limit() -> None:
    """A trim is kept whole, an untrimmed clip is cut to the limit, in frames."""
    clips = [
        {"mediaId": "m-clip", "start": "1.5s", "end": "4s"},
        {"mediaId": "m-clip", "name": "b"},
    ]
    found = build(clips, [5_000_000, 5_000_000], maxClipDuration="2s")
    assert [(e.start, e.frames) for e in found.items] == [(45, 75), (0, 60)]


def test_end_beyond_the_source_is_the_source_end() -> None:
    """A trim never asks for frames that are not there."""
    found = build([{"mediaId": "m-clip", "start": "1s", "end": "9s"}], [3_000_000])
    assert found.frames == 60


def test_start_beyond_the_source_is_refused() -> None:
    """The refusal names field, value and length."""
    with pytest.raises(InvalidTimeline, match=r"spec.clips\[0\] .*start 4s .*3.00s long"):
        build([{"mediaId": "m-clip", "start": "4s"}], [3_000_000])


def test_transition_clips_cycle_and_repeat() -> None:
    """Between clips only; cycled; and one seed draws the same again."""
    clips = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(4)]
    ids = {"mediaIds": ["m-aaaa", "m-bbbb"]}
    found = build(clips, [1_000_000] * 4, transitions=ids)
    names = [e.name for e in found.items]
    assert names == ["c0", "m-aaaa", "c1", "m-bbbb", "c2", "m-aaaa", "c3"]
    drawn = [
        [
            e.name
            for e in build(
                clips, [1_000_000] * 4, transitions={**ids, "order": "Random", "seed": 7}
            ).items
        ]
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1]


def test_long_crossfade_is_shortened_and_said() -> None:
    """A fade takes at most half of either neighbour, and the plan says so."""
    clips = [
        {"mediaId": "m-clip", "name": "a"},
        {"mediaId": "m-clip", "name": "b", "transition": {"type": "Fade", "duration": "2s"}},
    ]
    found = build(clips, [1_000_000, 1_000_000])
    assert found.items[1].overlap == 15
    assert "shortened from 60 to 15" in found.notes[0]


def test_edit_of_one_trim_keeps_the_other_segments() -> None:
    """One body changes; the bodies of the others are found again by their key."""
    clips = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(5)]
    before = {segment.key for segment in split_into_segments(build(clips, [2_000_000] * 5))}
    edited = [*clips[:2], {**clips[2], "end": "1s"}, *clips[3:]]
    after = {segment.key for segment in split_into_segments(build(edited, [2_000_000] * 5))}
    assert len(after - before) == 1
    assert {segment.key for segment in split_into_segments(build(clips[::-1], [2_000_000] * 5))} == before


def test_a_curve_changes_the_seam_alone() -> None:
    """How the sound crosses over is part of the seam's key, not of the bodies'."""
    found = []
    for curve in ("EqualPower", "Linear"):
        fade = {"type": "Fade", "curve": curve}
        clips = [{"mediaId": "m-clip", "name": "a"}, {"mediaId": "m-clip", "transition": fade}]
        found.append(split_into_segments(build(clips, [2_000_000] * 2)))
    assert [one.key == other.key for one, other in zip(*found, strict=True)] == [True, False, True]
