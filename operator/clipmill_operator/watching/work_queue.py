"""Queue of keys to reconcile: each key once, when it is due, and never twice at the same time.

Pure: the clock is an argument. Used by the event loop only, so without a lock.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

from clipmill_operator.watching.observed import Key

BACKOFF_BASE_S = 1.0
BACKOFF_MAX_S = 15.0


def backoff_s(failures: int) -> float:
    """Return the pause after so many failures in a row: 1, 2, 4, 8, then 15 seconds."""
    return min(BACKOFF_MAX_S, BACKOFF_BASE_S * float(1 << min(failures - 1, 10)))


class _DueTime(NamedTuple):
    """When a key is due, and for how many seconds from then on it yields to others."""

    due: float
    yield_s: float


class WorkQueue:
    """Keys with the time at which they are due. Repeated additions of a key become one entry.

    Two heaps keep thousands of entries in order. Both may hold entries that were replaced: those
    are dropped when they come to the top.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, _DueTime] = {}
        # Entries by the time at which they are due, and those that are due by their order.
        self._later: list[tuple[float, Key, _DueTime]] = []
        self._ready: list[tuple[float, Key, _DueTime]] = []
        self._in_progress: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._backoff_until: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._entries) + len(self._in_progress)

    def add(self, key: Key, due: float, *, yield_s: float = 0.0) -> None:
        """Add a key, or bring its entry forward. A back-off after a failure is kept.

        Args:
            key: Namespace and name of a Compilation.
            due: Time from which on it may be taken.
            yield_s: Keys that become due within so many seconds after it are taken first.
        """
        due = max(due, self._backoff_until.get(key, due))
        previous = self._entries.get(key)
        if previous is not None:
            due, yield_s = min(due, previous.due), min(yield_s, previous.yield_s)
        self._put(key, _DueTime(due, yield_s))

    def take(self, now: float) -> Key | None:
        """Take the key that has been due longest and is not in progress."""
        while self._top(self._later) is not None and self._later[0][0] <= now:
            due, key, entry = heappop(self._later)
            heappush(self._ready, (due + entry.yield_s, key, entry))
        following = self._top(self._ready)
        if following is not None:
            heappop(self._ready)
            del self._entries[following]
            self._in_progress.add(following)
        return following

    def done(self, key: Key) -> None:
        """Release a key after a success."""
        self._failures.pop(key, None)
        self._backoff_until.pop(key, None)
        self._release(key)

    def failed(self, key: Key, now: float) -> float:
        """Release a key after a failure and add it again. Return the back-off in seconds."""
        self._failures[key] = self._failures.get(key, 0) + 1
        wait_s = backoff_s(self._failures[key])
        self._backoff_until[key] = now + wait_s
        self._entries[key] = _DueTime(now + wait_s, 0.0)
        self._release(key)
        return wait_s

    def next_due(self) -> float | None:
        """Return when the next key that is not in progress is due."""
        tops = [heap[0][2].due for heap in (self._ready, self._later) if self._top(heap)]
        return min(tops, default=None)

    def _put(self, key: Key, entry: _DueTime) -> None:
        if self._entries.get(key) == entry:
            return
        self._entries[key] = entry
        if key not in self._in_progress:
            heappush(self._later, (entry.due, key, entry))

    def _release(self, key: Key) -> None:
        """Let a key be taken again. While it was in progress, its entry was in no heap."""
        self._in_progress.discard(key)
        entry = self._entries.get(key)
        if entry is not None:
            heappush(self._later, (entry.due, key, entry))

    def _top(self, heap: list[tuple[float, Key, _DueTime]]) -> Key | None:
        """Return the first key of a heap, without entries that were replaced or are in progress."""
        while heap:
            _, key, entry = heap[0]
            if self._entries.get(key) == entry and key not in self._in_progress:
                return key
            heappop(heap)
        return None
