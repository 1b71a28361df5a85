"""The clips of an episode: limits, order, repetitions, and a reason for all others."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.selection import ExclusionReason, Selection, creator_of, select_clips
from clipmill.shows.show_spec import PlayOrder, Select, SelectOrder
from clipmill.spec import parse_duration

END = datetime(2026, 11, 27, 18, tzinfo=UTC)
WINDOW = (END - timedelta(days=7), END)


def candidate(slug: str, *, hours: float = 1, source: int = 0, **fields: Any) -> ClipCandidate:
    """Return a clip of Twitch that is some hours old."""
    url = fields.pop("url", f"https://clips.twitch.tv/{slug}")
    created = fields.pop("created_at", END - timedelta(hours=hours))
    return ClipCandidate(url=url, source=source, created_at=created, **fields)


def selected(
    candidates: list[ClipCandidate], used: set[str] | None = None, seed: str = "", **select: Any
) -> Selection:
    """Select from candidates with the fields of `select`."""
    spec = Select.model_validate(select)
    return select_clips(candidates, spec, window=WINDOW, used=used or set(), seed=seed)


def names(selection: Selection) -> str:
    """Return the slugs of the clips that are taken."""
    return " ".join(
        (clip.url or clip.media_id or "").rsplit("/", 1)[-1] for clip in selection.taken
    )


def reasons(selection: Selection) -> dict[str, str]:
    """Return the reason of each candidate by its slug."""
    return {(c.url or c.media_id or "").rsplit("/", 1)[-1]: c.reason for c in selection.report(99)}


def test_the_most_viewed_are_taken() -> None:
    """Unknown views come last; ties are broken by clip key."""
    clips = [
        candidate("d", views=1),
        candidate("c"),
        candidate("b", views=9),
        candidate("a", views=9),
    ]
    selection = selected(clips, most=3)
    assert names(selection) == "a b d"
    assert reasons(selection) == {"a": "", "b": "", "d": "", "c": "EnoughClips"}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Views", "a b c d"),
        ("Newest", "d c b a"),
        ("Oldest", "a b c d"),
        ("Reactions", "c d a b"),
        ("Listed", "b d a c"),
    ],
)
def test_orders(order: str, expected: str) -> None:
    """Each order, with unknown values last; Listed is by source, then by place."""
    clips = [
        candidate("a", views=4, hours=4, source=1, reactions=1),
        candidate("b", views=3, hours=3),
        candidate("c", views=2, hours=2, source=1, reactions=7),
        candidate("d", views=1, hours=1, reactions=2),
    ]
    assert names(selected(clips, order=order)) == expected


def test_random_order_has_a_seed() -> None:
    """The same seed gives the same order, whatever the order of the candidates."""
    clips = [candidate(f"c{n}") for n in range(20)]
    one = names(selected(clips, seed="show-1", order="Random"))
    assert names(selected(clips[::-1], seed="show-1", order="Random")) == one
    assert names(selected(clips, seed="show-2", order="Random")) != one


@pytest.mark.parametrize(
    ("play", "expected"), [("Selected", "a b c"), ("Reversed", "c b a"), ("Chronological", "b a c")]
)
def test_playing_order(play: str, expected: str) -> None:
    """A clip whose time is unknown plays last."""
    clips = [
        candidate("a", views=9, hours=1),
        candidate("b", views=5, hours=9),
        candidate("c", views=1, created_at=None),
    ]
    assert names(selected(clips, play=play)) == expected


@pytest.mark.parametrize(
    ("fields", "select", "reason"),
    [
        ({"hours": 24 * 7}, {}, ""),
        ({"hours": 24 * 7 + 0.1}, {}, "OutsideWindow"),
        ({"hours": 0}, {}, "OutsideWindow"),
        ({"created_at": None}, {}, ""),
        ({"views": 99}, {"minimumViews": 100}, "TooFewViews"),
        ({"views": 100}, {"minimumViews": 100}, ""),
        ({}, {"minimumViews": 100}, "UnknownViews"),
        ({"language": "en-GB"}, {"languages": ["de", "en"]}, ""),
        ({"language": "EN"}, {"languages": ["en"]}, ""),
        ({"language": "en"}, {"languages": ["en-GB"]}, "OtherLanguage"),
        ({"language": "fr"}, {"languages": ["de", "en"]}, "OtherLanguage"),
        ({}, {"languages": ["en"]}, "UnknownLanguage"),
        ({"url": None}, {}, "NoClip"),
        ({"url": "https://www.twitch.tv/somebody"}, {}, "NoClip"),
        ({"url": "ftp://example.org/a.mp4"}, {}, "NoClip"),
        ({"url": "https://example.org/a b.mp4"}, {}, "NoClip"),
        ({"url": None, "media_id": "m-abcd"}, {}, ""),
        ({"duration_ms": 30_001}, {"longest": "30s"}, "LengthBudget"),
        ({"duration_ms": 30_000}, {"longest": "30s"}, ""),
        ({"duration_ms": 90_000}, {"longest": "30s", "clipDuration": "20s"}, ""),
        ({}, {"longest": "30s"}, "UnknownLength"),
        ({}, {"longest": "30s", "clipDuration": "30s"}, ""),
    ],
)
def test_the_reason_of_one_candidate(fields: Any, select: Any, reason: str) -> None:
    """What is unknown breaks a limit that is set, except for the time."""
    (ranked,) = selected([candidate("a", **fields)], **select).ranked
    assert (ranked.reason or "") == reason


def test_candidates_that_may_not_be_fetched_are_left_out() -> None:
    """So that one of them does not refuse the whole episode."""
    clips = [candidate("a"), candidate("b", url="https://intranet.example/b.mp4")]
    selection = select_clips(
        clips, Select(), window=WINDOW, used=(), seed="",
        is_allowed=lambda clip: "twitch" in str(clip.url),
    )  # fmt: skip
    assert reasons(selection) == {"a": "", "b.mp4": "NotAllowed"}


def test_the_length_budget_is_filled() -> None:
    """A clip that does not fit is passed over; a shorter one after it fits."""
    clips = [
        candidate("a", views=9, duration_ms=40_000),
        candidate("b", views=8, duration_ms=30_000),
        candidate("c", views=7, duration_ms=20_000),
    ]
    selection = selected(clips, longest="1m")
    assert names(selection) == "a c"
    assert reasons(selection)["b"] == "LengthBudget"


def test_clips_per_creator_are_limited() -> None:
    """By the channel, else by who made the clip; without case. Unknown ones are not limited."""
    clips = [
        candidate("a", views=9, broadcaster="Ann", creator="Zoe"),
        candidate("b", views=8, broadcaster="ann", creator="Yan"),
        candidate("c", views=7, creator="Zoe"),
        candidate("d", views=6),
        candidate("e", views=5),
    ]
    selection = selected(clips, perCreator=1)
    assert names(selection) == "a c d e"
    assert reasons(selection)["b"] == "CreatorLimit"


def test_one_clip_of_several_sources_counts_once() -> None:
    """The candidate with most views stays."""
    clips = [
        candidate("", url="https://www.twitch.tv/ann/clip/One?ref=x", views=5),
        candidate("One", views=7, source=1),
        candidate("", url="https://m.twitch.tv/clip/One", source=2),
    ]
    selection = selected(clips)
    assert [clip.source for clip in selection.taken] == [1]
    assert Counter(clip.reason for clip in selection.report(99)) == {"": 1, "SameClip": 2}


def _moment(slug: str, start_s: float, views: int, **fields: Any) -> ClipCandidate:
    defaults = {"broadcaster": "Ann", "vod_id": "v1", "duration_ms": 30_000}
    offset = int(start_s * 1000)
    return candidate(slug, views=views, vod_offset_ms=offset, **{**defaults, **fields})


def test_one_moment_counts_once() -> None:
    """Overlapping parts of one recording of one channel."""
    clips = [
        _moment("a", 100, 5),
        _moment("b", 129.9, 9, broadcaster="ANN"),
        _moment("c", 159.9, 4),
        _moment("d", 70.1, 3),
        _moment("e", 100, 2, vod_id="v2"),
        _moment("f", 100, 1, broadcaster="Ben"),
    ]
    selection = selected(clips)
    # `b` overlaps `a`, which is out, so that `d`, which overlaps only that, stays.
    assert names(selection) == "b c d e f"
    assert reasons(selection)["a"] == "SameMoment"


def test_a_clip_that_was_played_does_not_return() -> None:
    """Neither by another address nor by another clip of the moment that has more views."""
    clips = [
        candidate("", url="https://www.twitch.tv/ann/clip/One", views=9),
        _moment("Two", 100, 5),
        _moment("Three", 110, 50),
        candidate("Four", views=1),
    ]
    used = {"twitch:One", "twitch:Two"}
    selection = selected(clips, used)
    assert names(selection) == "Four"
    assert reasons(selection) == {"One": "Used", "Two": "Used", "Three": "SameMoment", "Four": ""}
    assert names(selected(clips, used, unused=False)) == "Three One Four"


def test_the_api_may_have_stored_keys() -> None:
    """A key that a candidate carries is not derived again."""
    clips = [candidate("a", clip_key="x"), candidate("b", clip_key="x", views=1)]
    assert names(selected(clips)) == "b"


CANDIDATES = st.lists(
    st.builds(
        ClipCandidate,
        url=st.sampled_from([f"https://clips.twitch.tv/{n}" for n in "abcdefghijklm"])
        | st.just("https://www.twitch.tv/ann")
        | st.none(),
        source=st.integers(0, 3),
        creator=st.none() | st.sampled_from(["Zoe", "Yan"]),
        broadcaster=st.none() | st.sampled_from(["Ann", "ann", "Ben"]),
        language=st.none() | st.sampled_from(["en", "en-GB", "de"]),
        views=st.none() | st.integers(0, 5),
        reactions=st.none() | st.integers(0, 5),
        duration_ms=st.none() | st.integers(0, 60_000),
        created_at=st.none()
        | st.datetimes(WINDOW[0].replace(tzinfo=None) - timedelta(days=1), datetime(2026, 11, 28),
                       timezones=st.just(UTC)),
        vod_id=st.none() | st.just("v1"),
        vod_offset_ms=st.none() | st.integers(0, 90_000),
    ),
    max_size=25,
)  # fmt: skip
SELECTS = st.builds(
    Select,
    most=st.integers(1, 8),
    longest=st.none() | st.sampled_from(["30s", "2m"]),
    clip_duration=st.none() | st.sampled_from(["10s", "45s"]),
    order=st.sampled_from(SelectOrder),
    play=st.sampled_from(PlayOrder),
    per_creator=st.none() | st.integers(1, 3),
    minimum_views=st.integers(0, 3),
    languages=st.sampled_from([[], ["en"], ["de", "en"]]),
    unused=st.booleans(),
)
USED = st.sets(st.sampled_from([f"twitch:{n}" for n in "abcdefghijklm"]))


@settings(max_examples=100, deadline=None)
@given(CANDIDATES, SELECTS, USED)
def test_limits_hold(candidates: list[ClipCandidate], select: Select, used: set[str]) -> None:
    """For any candidates and limits."""
    selection = select_clips(candidates, select, window=WINDOW, used=used, seed="s")
    taken = [clip for clip in selection.report(99) if not clip.reason]
    assert len(taken) == len(selection.taken) <= select.most
    assert len(selection.report(99)) == len(selection.ranked) == len(candidates)
    assert {clip.reason for clip in selection.report(99)} <= {"", *ExclusionReason}
    keys = [clip.clip_key for clip in taken]
    assert keys == selection.used_keys
    assert len(set(keys)) == len(keys)
    assert not select.unused or not used & set(keys)
    creators = Counter(str(creator_of(clip)).casefold() for clip in taken if creator_of(clip))
    assert not select.per_creator or max(creators.values(), default=0) <= select.per_creator
    if select.longest:
        part = parse_duration(select.clip_duration or "1h") * 1000
        lengths = [min(part if c.duration_ms is None else c.duration_ms, part) for c in taken]
        assert sum(lengths) <= parse_duration(select.longest) * 1000


@settings(max_examples=100, deadline=None)
@given(CANDIDATES, SELECTS, USED, st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    candidates: list[ClipCandidate], select: Select, used: set[str], chance: random.Random
) -> None:
    """Except for Listed: sources may answer in any order."""
    select = select.model_copy(update={"order": SelectOrder.VIEWS})
    # Of candidates that are the same in all that decides, either may stay.
    distinct = list({(c.url, c.source): c for c in candidates}.values())
    shuffled = chance.sample(distinct, len(distinct))
    one, other = (
        select_clips(clips, select, window=WINDOW, used=used, seed="s")
        for clips in (distinct, shuffled)
    )
    assert one.taken == other.taken


@settings(max_examples=100, deadline=None)
@given(CANDIDATES, SELECTS)
def test_no_taken_clips_show_one_moment(candidates: list[ClipCandidate], select: Select) -> None:
    """Checked pair by pair."""
    taken = select_clips(candidates, select, window=WINDOW, used=(), seed="s").taken
    parts = [
        (str(c.broadcaster).casefold(), c.vod_offset_ms, c.vod_offset_ms + (c.duration_ms or 1))
        for c in taken
        if c.broadcaster and c.vod_id and c.vod_offset_ms is not None
    ]
    for i, (channel, start, end) in enumerate(parts):
        for other, other_start, other_end in parts[i + 1 :]:
            assert channel != other or end <= other_start or other_end <= start
