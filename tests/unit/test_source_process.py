"""The process of a source: which reader it runs, and how it reports the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.show_sources import SOURCE_KINDS
from clipmill_job.discovering.bounded_http import BoundedHttp
from clipmill_job.discovering.secret_text import SecretText
from clipmill_job.discovering.source_errors import SourceError
from clipmill_job.discovering.source_process import READERS, read_source, service_addresses
from clipmill_job.discovering.source_reader import ReaderTools, SourceNote, SourceTask
from clipmill_job.fetching.egress_guard import EgressGuard, EgressRefused
from discovery import query, task

FEED = query({"feed": {"url": "https://example.org/feed.xml"}})
TWITCH = query({"twitch": {"games": ["Chess"], "credentials": "a"}})
CLIP = ClipCandidate(url="https://example.org/1", source=0, title="One")


def written(
    reader: Callable[[SourceTask, ReaderTools], Iterator[ClipCandidate | SourceNote]],
) -> list[dict[str, Any]]:
    """Return what a process with this reader writes."""
    lines: list[dict[str, Any]] = []
    tools = ReaderTools(
        http=BoundedHttp([]),
        guard=EgressGuard([]),
        folder=Path("/nonexistent"),
        until=0,
        hide=lambda _: None,
    )
    read_source(reader, task(FEED), tools, SecretText(["a-secret"]), lines.append)
    return lines


def _raising(error: Exception) -> Any:
    def reader(_: SourceTask, tools: ReaderTools) -> Iterator[ClipCandidate]:
        yield CLIP
        if isinstance(error, EgressRefused):
            tools.guard.refused = str(error)
            raise SourceError("SourceFailed", "no connection")
        raise error

    return reader


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (SourceError("RateLimited", "a-secret"), "RateLimited"),
        (MemoryError(), "TooLarge"),
        (RecursionError(), "TooLarge"),
        (EgressRefused("10.0.0.1:80 is not an address"), "ForbiddenURL"),
    ],
)
def test_candidates_are_kept_when_a_reader_fails(error: Exception, reason: str) -> None:
    """The error is the last line, without secrets."""
    first, last = written(_raising(error))
    assert first == {"candidate": {"url": CLIP.url, "source": 0, "title": "One", "clip_key": ""}}
    assert last["error"]["reason"] == reason
    assert "a-secret" not in last["error"]["message"]


def test_notes_do_not_end_a_reader() -> None:
    """They are lines among the candidates."""

    def reader(_: SourceTask, __: ReaderTools) -> Iterator[ClipCandidate | SourceNote]:
        yield SourceNote("UnknownGame", "no a-secret")
        yield CLIP

    note, candidate, last = written(reader)
    assert note == {"note": {"reason": "UnknownGame", "message": "no ***"}}
    assert "candidate" in candidate
    assert last == {"requests": 0, "error": None}


def test_each_kind_has_a_reader() -> None:
    """But the library, which the API answers itself."""
    assert set(READERS) == set(SOURCE_KINDS) - {"library"}
    assert all(callable(import_module(name).read) for name in READERS.values())


def test_addresses_of_services_are_for_their_source_only() -> None:
    """A feed must not reach a mirror of Twitch that has a private address."""
    assert service_addresses(task(FEED)) == []
    assert service_addresses(task(TWITCH)) == ["127.0.0.1:9"] * 2
    public = task(TWITCH, base_urls={})
    assert service_addresses(public) == []
    assert public.base_url("twitch") == "https://api.twitch.tv/helix"
