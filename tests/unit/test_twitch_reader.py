"""The Twitch reader against a stand-in for the API, on a clock of the test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clipmill_job.discovering.helix import HelixClip
from clipmill_job.discovering.most_viewed import WindowClips, halves, most_viewed, rounded
from clipmill_job.discovering.twitch_reader import read
from discovery import END, START, ReadSource, StoppedClock, query, task
from fake_sources.fake_helix import FakeHelix, clip

WINDOW_S = (END - START).total_seconds()


def helix(
    number: int = 0, *, clock: StoppedClock | None = None, of: Callable[[int], Any] = lambda _: {}
) -> FakeHelix:
    """Return an API with clips that are spread over the window."""
    step = timedelta(seconds=WINDOW_S / max(1, number))
    clips = [clip(i, created_at=START + step * i, **of(i)) for i in range(number)]
    return FakeHelix(clips, now=(clock or StoppedClock()).now)


def source(**fields: Any) -> dict[str, Any]:
    """Return a source of Twitch in a show's spec."""
    return {"twitch": {"credentials": "my-twitch", **fields}}


def read_source(fake: FakeHelix, clock: StoppedClock | None = None, **fields: Any) -> ReadSource:
    """Read a source."""
    return ReadSource(read, task(query(source(**fields))), fake.respond, clock=clock)


def test_the_fields_of_a_clip() -> None:
    """Each field of a clip is in its candidate."""
    fake = helix(1, of=lambda _: {"video_id": "88001", "vod_offset": 3605, "title": "A\nB"})
    reading = read_source(fake, games=["Chess"])
    assert reading.error is None
    assert [
        c.model_dump(exclude={"clip_key", "media_id", "reactions"}) for c in reading.candidates
    ] == [
        {
            "url": fake.clips[0]["url"],
            "source": 0,
            "title": "A B",
            "creator": "viewer_0",
            "broadcaster": "RookLift",
            "game": "Chess",
            "language": "en",
            "views": 10_000,
            "duration_ms": 20_500,
            "created_at": START,
            "vod_id": "88001",
            "vod_offset_ms": 3_605_000,
        }
    ]


def test_pages_by_cursor() -> None:
    """1,000 clips are ten pages, a token and the id of the game: no request more."""
    reading = read_source(helix(1000), games=["Chess"], most=1000)
    assert len({c.url for c in reading.candidates}) == 1000
    assert reading.http.requests == 12


def test_no_page_more_than_needed() -> None:
    """The first page holds the clips with most views."""
    reading = read_source(helix(3000), games=["Chess"], most=10)
    assert reading.http.requests == 3
    assert [c.views for c in reading.candidates][:10] == list(range(10_000, 9990, -1))


@pytest.mark.parametrize("repeats", [False, True])
def test_the_limit_of_results_is_met_by_dividing_the_window(repeats: bool) -> None:
    """2,600 clips, of which a query returns 1,000 at most."""
    fake = helix(2600)
    fake.repeats_beyond_cap = repeats
    reading = read_source(fake, games=["Chess"], most=10_000)
    assert len(reading.candidates) == len({c.url for c in reading.candidates}) == 2600
    assert reading.http.requests < 120


def test_a_language_is_searched_beyond_the_limit() -> None:
    """The clips of a rare language have few views, and are all found."""
    fake = helix(2000, of=lambda i: {"language": "de" if i >= 1990 else "en"})
    reading = read_source(fake, games=["Chess"], languages=["de"], most=100)
    assert len(reading.candidates) == 10
    assert {c.language for c in reading.candidates} == {"de"}


def test_the_smallest_number_of_views_ends_the_search() -> None:
    """No page is read whose clips all have too few views."""
    reading = read_source(helix(2000), games=["Chess"], minimumViews=9901, most=10_000)
    assert [c.views for c in reading.candidates] == list(range(10_000, 9900, -1))
    assert reading.http.requests == 4


def test_clips_beside_the_window_are_left_out() -> None:
    """The API rounds times to ten minutes, and so returns a clip before the window."""
    fake = FakeHelix(
        [clip(i, created_at=START + timedelta(minutes=i)) for i in (1, 3, 5)],
        now=StoppedClock().now,
    )
    start = START + timedelta(minutes=2)
    reading = ReadSource(
        read, task(query(source(games=["Chess"])), started_after=start), fake.respond
    )
    assert [c.created_at for c in reading.candidates] == [
        START + timedelta(minutes=3),
        START + timedelta(minutes=5),
    ]


def test_names_are_resolved_in_batches() -> None:
    """50 broadcasters are one request for their ids; unknown ones are named, the others read."""
    fake = helix(5)
    fake.users = {f"streamer{i}": str(1001 + i) for i in range(49)}
    names = [f"Streamer{i}" for i in range(49)]
    reading = read_source(fake, broadcasters=[*names, "nobody"])
    assert [note.reason for note in reading.notes] == ["UnknownBroadcaster"]
    assert "spec.sources[0].twitch.broadcasters" in reading.notes[0].message
    assert "'nobody'" in reading.notes[0].message
    assert len(reading.candidates) == 5
    users = [asked for asked in fake.requests if asked.path.endswith("/users")]
    assert len(users) == 1


def test_an_unknown_game_is_named() -> None:
    """Nothing is left to query."""
    reading = read_source(helix(5), games=["Chesss"])
    assert [note.reason for note in reading.notes] == ["UnknownGame"]
    assert reading.candidates == []


def test_single_clips_by_their_ids() -> None:
    """250 ids are three requests; a token and the name of their game are one each."""
    fake = helix(250)
    reading = read_source(fake, ids=[c["id"] for c in fake.clips])
    assert len(reading.candidates) == 250
    assert {c.game for c in reading.candidates} == {"Chess"}
    assert reading.http.requests == 1 + 3 + 1


def test_an_expired_token_is_replaced_once() -> None:
    """In the middle of the pages."""
    fake = helix(300)
    respond = fake.respond

    def expire_on_the_third(asked: Any) -> Any:
        if len(fake.requests) == 4:
            fake.expire_tokens()
        return respond(asked)

    reading = ReadSource(read, task(query(source(games=["Chess"]))), expire_on_the_third)
    assert len(reading.candidates) == 300
    assert [a.path for a in fake.requests].count("/oauth2/token") == 2


def test_tokens_that_are_always_refused() -> None:
    """The second refusal ends it."""
    fake = helix(10)

    def refuse(asked: Any) -> Any:
        fake.expire_tokens() if asked.path.startswith("/helix") else None
        return fake.respond(asked)

    reading = ReadSource(read, task(query(source(games=["Chess"]))), refuse)
    assert reading.error is not None
    assert reading.error.reason == "InvalidCredentials"


@pytest.mark.parametrize(("name", "value"), [("client", "x"), ("secret", "y")])
def test_refused_credentials_are_named(name: str, value: str) -> None:
    """The message names the credentials' name and nothing of their content."""
    fake = helix(1)
    fake.clients = {"clientoftests": value} if name == "secret" else {"other": value}
    reading = read_source(fake, games=["Chess"])
    assert reading.error is not None
    assert reading.error.reason == "InvalidCredentials"
    assert "'my-twitch'" in reading.error.message
    assert "secret-of-tests" not in reading.error.message


def test_without_credentials() -> None:
    """The API hands over none."""
    bare = query(source(games=["Chess"])).model_copy(update={"twitch": None})
    reading = ReadSource(read, task(bare), helix().respond)
    assert reading.error is not None
    assert reading.error.reason == "MissingCredentials"


def test_the_rate_limit_is_kept() -> None:
    """The headers say when the limit opens: no request is refused with 429."""
    clock = StoppedClock()
    fake = helix(1000, clock=clock)
    fake.bucket.limit = 4
    reading = read_source(fake, clock, games=["Chess"])
    assert len(reading.candidates) == 1000
    assert len(clock.pauses) == 2
    assert max(clock.pauses) <= 61


def test_a_429_is_waited_for() -> None:
    """Another program has used up the limit of this client."""
    clock = StoppedClock()
    fake = helix(100, clock=clock)
    fake.bucket.reset_at, fake.bucket.remaining = clock.time + 30, 0
    reading = read_source(fake, clock, games=["Chess"])
    assert len(reading.candidates) == 100
    assert sum(clock.pauses) == pytest.approx(30, abs=1)


def test_a_limit_that_opens_too_late() -> None:
    """What was read until then is kept."""
    clock = StoppedClock()
    fake = helix(1000, clock=clock)
    fake.bucket.limit, fake.bucket.window_s = 5, 1000
    reading = ReadSource(
        read, task(query(source(games=["Chess"])), limit_s=100), fake.respond, clock=clock
    )
    assert reading.error is not None
    assert reading.error.reason == "RateLimited"
    assert clock.pauses == []
    assert len(reading.candidates) == 400
    assert {c.game for c in reading.candidates} == {"Chess"}


def test_a_failing_server_is_called_again() -> None:
    """Three failures in passing are not noticed, ten are reported."""
    fake = helix(10)
    fake.failures = [503, 500, 502]
    assert len(read_source(fake, games=["Chess"]).candidates) == 10
    fake.failures = [503] * 10
    error = read_source(fake, games=["Chess"]).error
    assert error is not None
    assert error.reason == "SourceFailed"


def test_clips_of_another_form_are_left_out() -> None:
    """One clip without a date and one with a private address do not hide the others."""
    fake = helix(
        4, of=lambda i: {0: {"duration": None}, 1: {"url": "http://10.0.0.1/x"}}.get(i, {})
    )
    assert len(read_source(fake, games=["Chess"]).candidates) == 2


Numbers = st.lists(st.tuples(st.integers(0, 7 * 24 * 60 - 1), st.integers(0, 50)), max_size=120)


@settings(max_examples=200, deadline=None)
@given(numbers=Numbers, cap=st.integers(1, 20), most=st.integers(1, 60))
def test_most_viewed_finds_the_most_viewed(
    numbers: list[tuple[int, int]], cap: int, most: int
) -> None:
    """Whatever a window's limit, if no ten minutes hold more clips than it."""
    clips = [
        HelixClip(
            id=str(i),
            url="",
            created_at=START + timedelta(minutes=minute),
            view_count=views,
        )
        for i, (minute, views) in enumerate(numbers)
    ]

    def of(window: Any) -> list[HelixClip]:
        inside = [c for c in clips if window[0] <= c.created_at < window[1]]
        return sorted(inside, key=lambda c: -c.view_count)

    def read_window(window: Any) -> WindowClips:
        inside = of(window)
        limit = cap if halves(window) else len(inside)
        floor = inside[limit - 1].view_count if len(inside) > limit else None
        return WindowClips(clips=inside[:limit], floor=floor)

    lists = most_viewed(read_window, (START, END), most=most, accept=lambda _: True)
    views = sorted((c.view_count for clips_ in lists for c in clips_), reverse=True)
    assert views[:most] == [c.view_count for c in of((START, END))][:most]


def test_windows_are_rounded_outwards() -> None:
    """To whole multiples of ten minutes, which the halves are too."""
    window = rounded((START + timedelta(minutes=3), END - timedelta(minutes=3)))
    assert window == (START, END)
    parts = halves((START, START + timedelta(minutes=30)))
    assert [(b - a).total_seconds() for a, b in parts] == [600, 1200]
    assert halves((START, START + timedelta(minutes=10))) == ()
