"""Following a compilation whose event stream breaks, and reading lists page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, cast

import pytest

from clipmill.protocol import CompilationState, CompilationView
from clipmill_client import Client, PermanentError, RetryableError, watching
from clipmill_client.watching import follow, read_pages

FETCHING = CompilationState.FETCHING
SUCCEEDED = CompilationState.SUCCEEDED
DISCONNECTED = RetryableError("Unreachable", "connection lost")


def view(state: CompilationState, percent: int = 0) -> CompilationView:
    """Return a compilation in a state."""
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
    """A client whose event streams are scripted; an error among the events is raised."""

    def __init__(self, *streams: list[CompilationView | Exception]) -> None:
        self._streams = list(streams)

    def events(self, compilation_id: str) -> Iterator[CompilationView]:
        """Yield the next stream."""
        for event in self._streams.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "wait_random_exponential", lambda **_: 0)


def percents(client: FakeClient) -> list[int]:
    """Follow a compilation to its end and return the reported percents."""
    changes: list[CompilationView] = []
    last = follow(cast(Client, client), "c-0123", changes.append)
    assert last.state is SUCCEEDED
    return [change.percent for change in changes]


@pytest.mark.parametrize(
    ("streams", "expected"),
    [
        ([[view(FETCHING, 10), view(SUCCEEDED, 100)]], [10, 100]),
        ([[view(FETCHING, 10), DISCONNECTED], [view(SUCCEEDED, 100)]], [10, 100]),
        ([[view(FETCHING, 10)], [view(SUCCEEDED, 100)]], [10, 100]),
        ([[DISCONNECTED], [DISCONNECTED], [view(SUCCEEDED, 100)]], [100]),
        ([[], [view(SUCCEEDED, 100)]], [100]),
    ],
    ids=["whole", "broken after an event", "ended early", "broken before an event", "empty"],
)
def test_a_broken_stream_is_resumed(
    streams: list[list[CompilationView | Exception]], expected: list[int]
) -> None:
    """Changes are reported until the compilation has ended."""
    assert percents(FakeClient(*streams)) == expected


def test_a_stream_is_given_up_after_eight_attempts_without_an_event() -> None:
    """A refusal is not retried at all."""
    with pytest.raises(RetryableError) as error:
        percents(FakeClient(*[[DISCONNECTED]] * watching.STREAM_ATTEMPTS))
    assert error.value.code == "Unreachable"
    with pytest.raises(PermanentError):
        percents(FakeClient([PermanentError("NotFound", "deleted", status=404)]))


def test_an_outage_is_reported_before_each_attempt() -> None:
    """Until the stream delivers again; within the limit there are more attempts than eight."""
    outages: list[str] = []
    client = cast(Client, FakeClient(*[[DISCONNECTED]] * 9, [view(SUCCEEDED, 100)]))
    report = lambda error, _: outages.append(error.code)  # noqa: E731
    last = follow(client, "c-0123", lambda _: None, on_outage=report, outage_limit_s=60)
    assert (last.state, outages) == (SUCCEEDED, ["Unreachable"] * 9)


class Letters(NamedTuple):
    """A page."""

    items: list[str]
    next: str | None


def test_pages_are_read_up_to_the_limit_or_the_end() -> None:
    """The last page is no larger than the limit requires."""
    requests: list[tuple[str | None, int]] = []

    def read(cursor: str | None, limit: int) -> Letters:
        requests.append((cursor, limit))
        first = int(cursor or 0)
        items = [str(i) for i in range(first, min(first + limit, 450))]
        return Letters(items, str(first + limit) if first + limit < 450 else None)

    assert len(read_pages(read, 300)) == 300
    assert requests == [(None, 200), ("200", 100)]
    assert len(read_pages(read, 10_000)) == 450
