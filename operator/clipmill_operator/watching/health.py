"""Liveness of the operator: its loop makes progress, and its watches deliver events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from clipmill_operator.errors import Unhealthy

# The loop is stuck once this many resyncs are overdue.
OVERDUE_RESYNCS = 5
# A watch is dead once this many lists in a row have held changes that it did not report.
MISSED_LISTS = 3


class Health:
    """Records watch events, resyncs and lists, and judges by them."""

    def __init__(self, resync_s: float, clock: Callable[[], float]) -> None:
        self._resync_s, self._clock = resync_s, clock
        self._resynced_at = clock()
        self._missed: Counter[str] = Counter()

    def record_event(self, kind: str) -> None:
        """Record that the watch of a kind has delivered an event."""
        self._missed[kind] = 0

    def record_resync(self) -> None:
        """Record a completed resync."""
        self._resynced_at = self._clock()

    def record_lists(self, missed: Mapping[str, int]) -> None:
        """Record complete lists with the number of unreported changes of each kind."""
        for kind, count in missed.items():
            self._missed[kind] = self._missed[kind] + 1 if count else 0

    def check(self) -> dict[str, float]:
        """Return figures for the probe. Raises Unhealthy."""
        age_s = self._clock() - self._resynced_at
        if age_s > OVERDUE_RESYNCS * self._resync_s:
            raise Unhealthy(f"the last resync was {age_s:.0f} s ago")
        dead = [kind for kind, count in self._missed.items() if count >= MISSED_LISTS]
        if dead:
            raise Unhealthy(f"the watch of {', '.join(dead)} delivers no events")
        return {"resyncAgeSeconds": round(age_s, 1)}
