"""The Discord reader against a stand-in for the API, on a clock of the test."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from clipmill_job.discovering.discord_reader import read, snowflake
from discovery import END, START, ReadSource, StoppedClock, query, task
from fake_sources.fake_discord import FakeDiscord, attachment, message, message_id, reaction

CHANNEL = "112233445566778899"
CLIP = "https://clips.twitch.tv/CleverFox-aB_1"


def read_source(
    messages: list[dict[str, Any]],
    *,
    fake: FakeDiscord | None = None,
    clock: StoppedClock | None = None,
    **fields: Any,
) -> ReadSource:
    """Read a channel of these messages."""
    clock = clock or StoppedClock()
    fake = fake or FakeDiscord(clock.now)
    fake.channels.setdefault(CHANNEL, messages)
    source = {"discord": {"channel": CHANNEL, "credentials": "my-bot", **fields}}
    return ReadSource(read, task(query(source)), fake.respond, clock=clock)


def at(minutes: float) -> datetime:
    """Return a time of the window."""
    return START + timedelta(minutes=minutes)


def urls(reading: ReadSource) -> list[str | None]:
    """Return the addresses of the candidates."""
    return [c.url for c in reading.candidates]


def test_links_and_attachments() -> None:
    """Links to pages that yt-dlp knows, links to video files, and attached videos; each once."""
    texts = [
        f"see {CLIP}, and <{CLIP}> (https://www.twitch.tv/rook/clip/Other_1).",
        "an article: https://example.org/article and a file https://example.org/a.mp4?x=1",
        "https://10.0.0.1/a.mp4 http://localhost/b.mp4 ftp://example.org/c.mp4",
    ]
    messages = [message(text, written_at=at(i)) for i, text in enumerate(texts)]
    files = [
        attachment(
            "https://cdn.example.org/1/clip.mp4", filename="c.mp4", content_type="video/mp4"
        ),
        attachment("https://cdn.example.org/1/p.png", filename="p.png", content_type="image/png"),
        attachment("https://cdn.example.org/1/old.webm", filename="old_one.webm"),
    ]
    messages.append(message("what a mate!", written_at=at(9), attachments=files))
    reading = read_source(messages)
    assert urls(reading) == [
        "https://cdn.example.org/1/clip.mp4",
        "https://cdn.example.org/1/old.webm",
        "https://example.org/a.mp4?x=1",
        CLIP,
        "https://www.twitch.tv/rook/clip/Other_1",
    ]
    attached = reading.candidates[0]
    assert (attached.title, attached.creator) == ("what a mate!", "Rook Lift")
    assert attached.created_at == at(9)
    assert reading.candidates[3].creator is None


def test_embeds() -> None:
    """An embedded video names title and creator; other embeds are no clips."""
    video = {
        "type": "video",
        "url": "https://video.example.org/watch/7",
        "title": "Mate in 3",
        "author": {"name": "RookLift"},
    }
    page = {"type": "article", "url": "https://example.org/article", "title": "News"}
    reading = read_source([message("", written_at=at(1), embeds=[video, page])])
    assert [(c.url, c.title, c.creator) for c in reading.candidates] == [
        ("https://video.example.org/watch/7", "Mate in 3", "RookLift")
    ]


def test_reactions_are_summed() -> None:
    """Over all emojis of a message."""
    messages = [
        message(CLIP, written_at=at(1), reactions=[reaction("🔥", 2), reaction("👍", 1)]),
        message(f"{CLIP}2", written_at=at(2), reactions=[reaction("🔥", 2)]),
    ]
    reading = read_source(messages, minimumReactions=3)
    assert [(c.url, c.reactions) for c in reading.candidates] == [(CLIP, 3)]


def test_the_window_by_ids() -> None:
    """The window's start is in it, its end is not; no message beside it is a candidate."""
    times = [START - timedelta(milliseconds=1), START, END - timedelta(milliseconds=1), END]
    messages = [message(f"{CLIP}{i}", written_at=t) for i, t in enumerate(times)]
    assert urls(read_source(messages)) == [f"{CLIP}2", f"{CLIP}1"]
    assert int(message_id(START)) == snowflake(START)


def test_pages_back_to_the_start() -> None:
    """350 messages are four requests; older ones are not requested."""
    messages = [message(f"{CLIP}{i}", written_at=at(i)) for i in range(350)]
    reading = read_source(messages)
    assert len(set(urls(reading))) == 350
    assert reading.http.requests == 4
    older = [message(CLIP, written_at=START - timedelta(days=d)) for d in range(1, 500)]
    assert read_source(messages + older).http.requests == 4
    assert read_source(messages, most=50).http.requests == 1


def test_the_rate_limit_is_kept() -> None:
    """The headers say when the limit opens: no request is refused."""
    clock = StoppedClock()
    fake = FakeDiscord(clock.now)
    fake.bucket.limit, fake.bucket.window_s = 2, 5
    messages = [message(f"{CLIP}{i}", written_at=at(i)) for i in range(350)]
    reading = read_source(messages, fake=fake, clock=clock)
    assert len(reading.candidates) == 350
    assert reading.http.requests == 4
    assert sum(clock.pauses) == pytest.approx(5, abs=0.1)


def test_a_429_is_waited_for() -> None:
    """As long as its body says."""
    clock = StoppedClock()
    fake = FakeDiscord(clock.now)
    fake.bucket.reset_at, fake.bucket.remaining = clock.time + 7.5, 0
    reading = read_source([message(CLIP, written_at=at(1))], fake=fake, clock=clock)
    assert urls(reading) == [CLIP]
    assert sum(clock.pauses) == pytest.approx(7.5, abs=0.1)


def test_a_limit_that_opens_too_late() -> None:
    """The messages that were read until then are kept."""
    clock = StoppedClock()
    fake = FakeDiscord(clock.now)
    fake.bucket.limit, fake.bucket.window_s = 2, 10_000
    messages = [message(f"{CLIP}{i}", written_at=at(i)) for i in range(350)]
    reading = read_source(messages, fake=fake, clock=clock)
    assert reading.error is not None
    assert reading.error.reason == "RateLimited"
    assert len(reading.candidates) == 200


@pytest.mark.parametrize(
    ("change", "reason", "named"),
    [
        ({"tokens": set()}, "InvalidCredentials", "'my-bot'"),
        ({"closed_channels": {CHANNEL}}, "NoAccess", CHANNEL),
        ({"channels": {"1": []}}, "UnknownChannel", CHANNEL),
        ({"failures": [500] * 9}, "SourceFailed", "Discord"),
    ],
)
def test_refusals(change: dict[str, Any], reason: str, named: str) -> None:
    """Each names the field and the value, and no token."""
    clock = StoppedClock()
    fake = FakeDiscord(clock.now)
    fake.channels = {CHANNEL: []}
    for name, value in change.items():
        setattr(fake, name, value)
    source = {"discord": {"channel": CHANNEL, "credentials": "my-bot"}}
    error = ReadSource(read, task(query(source)), fake.respond, clock=clock).error
    assert error is not None
    assert error.reason == reason
    assert named in error.message
    assert "bot-token-of-tests" not in error.message


def test_a_bot_that_may_not_read_contents() -> None:
    """Discord then returns messages without anything in them."""
    reading = read_source([message("", written_at=at(i)) for i in range(3)])
    assert [note.reason for note in reading.notes] == ["NoMessageContent"]


@pytest.mark.parametrize(
    "broken",
    [
        {"id": message_id(at(1)), "content": None, "attachments": "x", "reactions": [3]},
        {"id": message_id(at(1)), "embeds": [{"url": 3}], "attachments": [{"url": None}]},
        {"id": message_id(at(1)), "content": f"{CLIP} \ud800 https://[::1 http://", "author": 3},
        {"id": message_id(at(1)), "reactions": [{"count": -5}, {"count": "x"}], "timestamp": 3},
    ],
)
def test_messages_of_another_form(broken: dict[str, Any]) -> None:
    """They do not hide the others."""
    reading = read_source([message(f"{CLIP}9", written_at=at(5)), broken])
    assert reading.error is None
    assert urls(reading)[0] == f"{CLIP}9"
