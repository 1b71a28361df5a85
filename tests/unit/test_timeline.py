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
    """Return a media file of a given length."""
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
    """Build the timeline of a spec whose clips have these lengths."""
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
    """Items less overlaps, segments, and the total have the same number of frames."""
    clips: list[dict[str, Any]] = [{"mediaId": "m-clip"} for _ in us]
    for i, clip in enumerate(clips[1:], 1):
        clip["name"] = f"c{i}"
        if data.draw(st.booleans()):
            ms = data.draw(st.integers(40, 3000))
            clip["transition"] = {"type": data.draw(kinds), "duration": f"{ms}ms"}
    rest: dict[str, Any] = {"intro": {"mediaId": "m-intro"}, "outro": {"mediaId": "m-outro"}}
    placement = data.draw(st.sampled_from(["None", "Between", "HeadStyle"]))
    rest["bumper"] = {"mediaId": "m-bbbb", "placement": placement}
    gaps = data.draw(st.sampled_from(["BetweenClips", "Everywhere"]))
    rest["transitions"] = {"mediaIds": ["m-aaaa", "m-bbbb"], "placement": gaps}
    timeline = build(clips, us, rate, **rest)
    segments = split_into_segments(timeline)
    items = timeline.items
    assert timeline.frames == sum(item.frames - item.overlap for item in items)
    assert timeline.frames == sum(segment.frames for segment in segments)
    assert all(len({source.frames for source in segment.sources}) == 1 for segment in segments)
    ends = [item.at + item.frames for item in items]
    assert [item.at + item.overlap for item in items] == [0, *ends[:-1]]


def test_trim_and_limit() -> None:
    """A trim is kept, an untrimmed clip is shortened to the limit, in frames."""
    clips = [
        {"mediaId": "m-clip", "start": "1.5s", "end": "4s"},
        {"mediaId": "m-clip", "name": "b"},
    ]
    timeline = build(clips, [5_000_000, 5_000_000], maxClipDuration="2s")
    assert [(item.start, item.frames) for item in timeline.items] == [(45, 75), (0, 60)]


def test_end_beyond_the_source_is_the_source_end() -> None:
    """A trim never extends beyond the frames of the source."""
    timeline = build([{"mediaId": "m-clip", "start": "1s", "end": "9s"}], [3_000_000])
    assert timeline.frames == 60


def test_start_beyond_the_source_is_refused() -> None:
    """The refusal names field, value and length."""
    with pytest.raises(InvalidTimeline, match=r"spec.clips\[0\] .*start 4s .*3.00s long"):
        build([{"mediaId": "m-clip", "start": "4s"}], [3_000_000])


def test_transition_clips_cycle_and_repeat() -> None:
    """Transition clips play between clips in turn; equal seeds choose alike."""
    clips = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(4)]
    ids = {"mediaIds": ["m-aaaa", "m-bbbb"]}
    names = [item.name for item in build(clips, [1_000_000] * 4, transitions=ids).items]
    assert names == ["c0", "m-aaaa", "c1", "m-bbbb", "c2", "m-aaaa", "c3"]
    random = {**ids, "order": "Random", "seed": 7}
    first, second = (build(clips, [1_000_000] * 4, transitions=random) for _ in range(2))
    assert first.items == second.items


def test_a_long_transition_is_shortened_with_a_note() -> None:
    """A transition takes at most half of either item, and the plan has a note."""
    clips = [
        {"mediaId": "m-clip", "name": "a"},
        {"mediaId": "m-clip", "name": "b", "transition": {"type": "Fade", "duration": "2s"}},
    ]
    timeline = build(clips, [1_000_000, 1_000_000])
    assert timeline.items[1].overlap == 15
    assert "shortened from 60 to 15" in timeline.notes[0]


def keys(clips: list[dict[str, Any]]) -> set[str]:
    """Return the keys of the segments of a spec whose clips are 2 s long."""
    timeline = build(clips, [2_000_000] * len(clips))
    return {segment.key for segment in split_into_segments(timeline)}


def test_edit_of_one_trim_keeps_the_other_segments() -> None:
    """The body segment of the edited clip changes; the keys of the others stay."""
    clips = [{"mediaId": "m-clip", "name": f"c{i}"} for i in range(5)]
    edited = [*clips[:2], {**clips[2], "end": "1s"}, *clips[3:]]
    assert len(keys(edited) - keys(clips)) == 1
    assert keys(clips[::-1]) == keys(clips)


def test_a_curve_changes_the_transition_segment_alone() -> None:
    """The curve is part of the key of the transition segment, not of the body segments."""
    timelines = []
    for curve in ("EqualPower", "Linear"):
        fade = {"type": "Fade", "curve": curve}
        clips = [{"mediaId": "m-clip", "name": "a"}, {"mediaId": "m-clip", "transition": fade}]
        timelines.append(split_into_segments(build(clips, [2_000_000] * 2)))
    assert [a.key == b.key for a, b in zip(*timelines, strict=True)] == [True, False, True]


SHORT_TRIMS = [
    ({"start": "1s", "end": "1.001s"}, 30, 31),
    ({"start": "1.99s"}, 59, 60),
    ({"start": "1.99s", "end": "1.995s"}, 59, 60),
    ({"end": "1ms"}, 0, 1),
    ({"start": "1.01s", "end": "1.02s"}, 30, 31),
    ({"start": "1s", "end": "1.034s"}, 30, 31),
]


@pytest.mark.parametrize(("trim", "start", "end"), SHORT_TRIMS)
def test_a_trim_shorter_than_a_frame_is_one_frame(
    trim: dict[str, str], start: int, end: int
) -> None:
    """It is the frame that is on screen at its start, and never past the source."""
    timeline = build([{"mediaId": "m-clip", **trim}], [2_000_000])
    (played,) = timeline.sources
    assert (played.start, played.start + played.frames) == (start, end)


@pytest.mark.parametrize("start", ["2s", "2.001s", "1m"])
def test_a_start_past_the_end_is_refused(start: str) -> None:
    """The message names the clip."""
    with pytest.raises(InvalidTimeline) as caught:
        build([{"mediaId": "m-clip", "start": start}], [2_000_000])
    assert "spec.clips[0] (clip-1): start" in str(caught.value)


def test_a_late_start_in_a_source_of_unknown_length() -> None:
    """Until the source is fetched, the estimate is the default length from the start on."""
    output = {"name": "main", "preset": "custom", "width": 128, "height": 72, "rate": 30}
    clips = [{"url": "https://clips.example.com/a.mp4", "start": "2h"}]
    spec = CompilationSpec.model_validate({"clips": clips, "outputs": [output]})
    unknown = MediaSource(None, "f" * 64, None)
    timeline = build_timeline(spec, spec.outputs[0], [unknown], {})
    assert (timeline.exact, timeline.frames) == (False, 60 * 30)
