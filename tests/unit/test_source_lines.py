"""What the process of a source writes, which its source may have taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clipmill.shows.candidates import MAX_CANDIDATES, ClipCandidate
from clipmill_job.discovering.discover_task import fair_share
from clipmill_job.discovering.secret_text import SecretText
from clipmill_job.discovering.source_lines import SourceLines, most_of
from discovery import query

TWITCH = query({"twitch": {"games": ["Chess"], "credentials": "a", "most": 3}}, 4)


def lines(*contents: Any) -> SourceLines:
    """Return what was collected of these lines."""
    collected = SourceLines(TWITCH)
    for content in contents:
        collected.add(content if isinstance(content, str) else json.dumps(content))
    return collected


def clip(number: int, **fields: Any) -> dict[str, Any]:
    """Return a line with a candidate."""
    return {"candidate": {"url": f"https://example.org/{number}", "source": 4, **fields}}


def test_the_candidates_with_most_views_are_kept() -> None:
    """At most as many as the source allows."""
    collected = lines(*(clip(i, views=i % 5) for i in range(10)), {"requests": 7, "error": None})
    assert [c.views for c in collected.candidates()] == [4, 4, 3]
    report = collected.report()
    assert (report.source, report.requests, report.returned, report.reason) == (4, 7, 3, "")


def test_another_source_cannot_be_named() -> None:
    """A candidate belongs to the source whose process it comes from."""
    assert [c.source for c in lines(clip(1, source=0)).candidates()] == [4]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not JSON",
        "[]",
        "3",
        "[" * 100_000,
        '{"candidate": {"url": 5}}',
        '{"candidate": {"source": 4, "secret": 1}}',
        '{"candidate": {"source": 4, "views": -1}}',
        '{"note": 5}',
        '{"requests": "many"}',
    ],
)
def test_lines_of_another_form_are_left_out(line: str) -> None:
    """They do not hide the others."""
    collected = lines(clip(1), line, {"requests": 1, "error": None})
    assert len(collected.candidates()) == 1
    assert collected.report().reason == ""


def test_lines_without_an_end() -> None:
    """Candidates, notes and texts are bounded."""
    collected = SourceLines(TWITCH)
    line = json.dumps(clip(1))
    for _ in range(MAX_CANDIDATES + 10):
        collected.add(line)
    note = json.dumps({"note": {"reason": "R" * 500, "message": "m" * 5000}})
    for _ in range(100):
        collected.add(note)
    assert len(collected.candidates()) == 3
    report = collected.report()
    assert (len(report.reason), len(report.message)) == (60, 500)


def test_notes_and_the_error_are_one_message() -> None:
    """The first reason counts; each names the field once."""
    note = {"note": {"reason": "UnknownGame", "message": "spec.sources[4].twitch.games: 'x'"}}
    error = {"requests": 1, "error": {"reason": "RateLimited", "message": "Twitch limits"}}
    report = lines(note, error).report()
    assert report.reason == "UnknownGame"
    assert report.message == (
        "spec.sources[4].twitch.games: 'x'; spec.sources[4].twitch: Twitch limits"
    )


def test_secrets_are_hidden() -> None:
    """Of the query, as they are and as they are written in a URL."""
    note = {"note": {"reason": "X", "message": "it is secret-of-tests"}}
    assert "secret-of-tests" not in lines(note).report().message
    hidden = SecretText(["a/b c+d="])
    assert hidden.hide("?key=a%2Fb%20c%2Bd%3D and a/b c+d=") == "?key=*** and ***"


def test_nothing_is_an_empty_result() -> None:
    """With the field that it is about."""
    report = lines({"requests": 2, "error": None}).report()
    assert report.reason == "EmptyResult"
    assert report.message.startswith("spec.sources[4].twitch: ")


@given(
    sizes=st.lists(st.integers(0, 30), max_size=6),
    most=st.integers(0, 60),
)
def test_fair_share(sizes: list[int], most: int) -> None:
    """No source with more candidates gets less than one with fewer; none is lost without need."""
    lists = [
        [ClipCandidate(url=f"https://example.org/{i}/{j}", source=i) for j in range(size)]
        for i, size in enumerate(sizes)
    ]
    kept = fair_share(lists, most)
    assert len(kept) == min(most, sum(sizes))
    shares = [sum(c.source == i for c in kept) for i in range(len(sizes))]
    assert all(
        share == size or share >= max(shares) - 1 for share, size in zip(shares, sizes, strict=True)
    )


def test_equal_views_keep_the_sequence() -> None:
    """Those without views come last."""
    clips = [
        ClipCandidate(url=f"https://example.org/{i}", source=0, views=views)
        for i, views in enumerate((None, 5, None, 5, 9))
    ]
    assert [str(c.url)[-1] for c in most_of(clips, 4)] == ["4", "1", "3", "0"]
