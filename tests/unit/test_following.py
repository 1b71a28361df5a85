"""Watching a compilation whose stream breaks, and lists that are longer than a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from clipmill.protocol import CompilationView, State
from clipmill_client import watching
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_client.watching import follow, paged


def view(state: State, percent: int = 0) -> CompilationView:
    """A compilation at some moment."""
    return CompilationView(
        id="c-0123",
        name="friday",
        namespace="default",
        owner="ada",
        generation=1,
        state=state,
        percent=percent,
        clips=[],
        created_at="",
    )


class FakeClient:
    """Streams that were written down before; an error among them is raised."""

    def __init__(self, *streams: list[CompilationView | Exception]) -> None:
        self._streams = list(streams)

    def events(self, compilation_id: str) -> Iterator[CompilationView]:
        """The next stream."""
        for one in self._streams.pop(0):
            if isinstance(one, Exception):
                raise one
            yield one


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "wait_random_exponential", lambda **_: 0)


LOST = RetryableError("Unreachable", "cut")


def seen(client: FakeClient) -> list[int]:
    """The percents told until the end."""
    told: list[CompilationView] = []
    assert follow(client, "c-0123", told.append).state is State.SUCCEEDED  # type: ignore[arg-type]
    return [one.percent for one in told]


@pytest.mark.parametrize(
    ("streams", "percents"),
    [
        ([[view(State.FETCHING, 10), view(State.SUCCEEDED, 100)]], [10, 100]),
        ([[view(State.FETCHING, 10), LOST], [view(State.SUCCEEDED, 100)]], [10, 100]),
        ([[view(State.FETCHING, 10)], [view(State.SUCCEEDED, 100)]], [10, 100]),
        ([[LOST], [LOST], [view(State.SUCCEEDED, 100)]], [100]),
        ([[], [view(State.SUCCEEDED, 100)]], [100]),
    ],
    ids=["whole", "broken after news", "ended early", "broken before news", "told nothing"],
)
def test_a_stream_is_taken_up_until_the_end(
    streams: list[list[CompilationView | Exception]], percents: list[int]
) -> None:
    """However it ended before."""
    assert seen(FakeClient(*streams)) == percents


def test_a_stream_that_never_comes_back_is_given_up() -> None:
    """After eight tries without news; a refusal at once."""
    with pytest.raises(RetryableError, match="cut"):
        seen(FakeClient(*[[LOST]] * watching.LOST_TIMES))
    with pytest.raises(PermanentError):
        seen(FakeClient([PermanentError("NotFound", "gone", status=404)]))


class Letters(NamedTuple):
    """A page."""

    items: list[str]
    next: str | None


def test_pages_are_read_until_enough_or_the_end() -> None:
    """And the last is asked for no more than is wanted."""
    asked: list[tuple[str | None, int]] = []

    def ask(cursor: str | None, limit: int) -> Letters:
        asked.append((cursor, limit))
        first = int(cursor or 0)
        items = [str(i) for i in range(first, min(first + limit, 450))]
        return Letters(items, str(first + limit) if first + limit < 450 else None)

    assert len(paged(ask, 300)) == 300
    assert asked == [(None, 200), ("200", 100)]
    assert len(paged(ask, 10_000)) == 450
