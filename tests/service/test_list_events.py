"""One event stream for all compilations of an owner, resumed by the id of its last event."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clipmill.protocol import CompilationView, DeletedCompilation, Stage
from clipmill_client import PermanentError
from clipmill_client.client import Client
from harness import Harness, library_clip, new_manifest
from pods import assemble

Event = CompilationView | DeletedCompilation


class Stream:
    """A stream that a test reads up to an event, and what came before it."""

    def __init__(self, client: Client, last_id: str | None = None) -> None:
        self._events = client.results.events(last_id)
        self.last_id = last_id

    def until(self, condition: Callable[[Event], bool]) -> list[Event]:
        """Return the events up to the first of which a condition holds."""
        events = []
        for event_id, event in self._events:
            self.last_id = event_id
            events.append(event)
            if condition(event):
                return events
        raise AssertionError(f"the stream ended: {events}")


def is_(compilation_id: str, state: str) -> Callable[[Event], bool]:
    """Return the condition that a compilation is in a state, or `deleted`."""

    def holds(event: Event) -> bool:
        found = event.state if isinstance(event, CompilationView) else "deleted"
        return (event.id, found) == (compilation_id, state)

    return holds


def render(api: Harness, compilation_id: str, file: Path) -> None:
    """Play the pod of a compilation."""
    assemble(api.job(api.uid_of(compilation_id), Stage.ASSEMBLE), file)


def test_changes_of_all(api: Harness, two_seconds: Path) -> None:
    """One stream shows what is active, created, ended and deleted, and nothing of others."""
    _, user = api.user()
    _, other = api.user()
    media = library_clip(user, two_seconds)
    first = user.create(new_manifest(media.id, "first"))
    foreign = other.create(new_manifest(library_clip(other, two_seconds).id, "foreign"))
    stream = Stream(user)
    events = stream.until(is_(first.id, "Rendering"))
    second = user.create(new_manifest(media.id, "second"))
    events += stream.until(is_(second.id, "Rendering"))
    render(api, first.id, two_seconds)
    events += stream.until(is_(first.id, "Succeeded"))
    user.results.delete(second.id)
    events += stream.until(is_(second.id, "deleted"))
    assert foreign.id not in {event.id for event in events}


def test_resumption(api: Harness, two_seconds: Path) -> None:
    """What ended and was deleted while nobody listened comes after the last event's id."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    first, second, third = (user.create(new_manifest(media.id, n)) for n in ("a", "b", "c"))
    stream = Stream(user)
    seen: set[str] = set()
    while seen != {first.id, second.id, third.id}:
        seen |= {event.id for event in stream.until(lambda _: True)}
    del stream._events
    render(api, first.id, two_seconds)
    user.results.delete(second.id)
    api.clock.advance(600)
    resumed = Stream(user, stream.last_id)
    wanted = {(first.id, "Succeeded"), (second.id, "deleted"), (third.id, "Rendering")}
    got: set[tuple[str, str]] = set()
    while not wanted <= got:
        for event in resumed.until(lambda _: True):
            state = event.state if isinstance(event, CompilationView) else "deleted"
            got.add((event.id, str(state)))


def test_a_new_stream_begins_with_what_is_active(api: Harness, two_seconds: Path) -> None:
    """What ended before is in the list already."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    ended = user.create(new_manifest(media.id, "ended"))
    user.cancel(ended.id)
    api.clock.advance(600)
    active = user.create(new_manifest(media.id, "active"))
    events = Stream(user).until(is_(active.id, "Rendering"))
    assert ended.id not in {event.id for event in events}


def test_a_bad_id(api: Harness) -> None:
    """It is refused before the stream begins."""
    _, user = api.user()
    with pytest.raises(PermanentError) as refused:
        next(user.results.events("yesterday"))
    assert (refused.value.status, refused.value.code) == (422, "Invalid")
