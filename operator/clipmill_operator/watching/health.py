"""Whether the operator lives: its loop turns, and its watches tell what happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

LATE_RESYNCS = 5
"""So many resyncs overdue: the loop stands still."""
DEAD_WATCH = 3
"""So many resyncs in a row found changes of a kind that no watch had told: it is dead."""


class Unhealthy(RuntimeError):
    """The process is to be started anew; says why."""


class Health:
    """Told of every event and every resync."""

    def __init__(self, resync_s: float, clock: Callable[[], float]) -> None:
        self._resync_s, self._clock = resync_s, clock
        self._resynced_at = clock()
        self._missed: Counter[str] = Counter()

    def event(self, kind: str) -> None:
        """A watch told something."""
        self._missed[kind] = 0

    def resynced(self, missed: dict[str, int]) -> None:
        """A resync is through; by kind, how many changes it found that had not been told."""
        self._resynced_at = self._clock()
        for kind, count in missed.items():
            self._missed[kind] = self._missed[kind] + 1 if count else 0

    def check(self) -> dict[str, float]:
        """Raises Unhealthy."""
        age_s = self._clock() - self._resynced_at
        if age_s > LATE_RESYNCS * self._resync_s:
            raise Unhealthy(f"the last resync was {age_s:.0f}s ago")
        dead = [kind for kind, count in self._missed.items() if count >= DEAD_WATCH]
        if dead:
            raise Unhealthy(f"the watch of {', '.join(dead)} tells nothing any more")
        return {"resyncAgeSeconds": round(age_s, 1)}
