"""Keys to be looked at, each when it is due and never twice at once. Pure: the clock is given."""

from __future__ import annotations

from clipmill_operator.watching.object_cache import Key

FIRST_S = 1.0
PATIENCE_S = 10.0
"""How long a look that can wait lets others go first."""
LONGEST_S = 15.0


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row: 1, 2, 4 ... 15 seconds."""
    return min(LONGEST_S, FIRST_S * float(1 << min(failures - 1, 10)))


class WorkQueue:
    """One entry for each key, however often it is added."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._patience: dict[Key, float] = {}
        self._at_work: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._not_before: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._due) + len(self._at_work)

    def add(self, key: Key, due: float, *, patience_s: float = 0.0) -> None:
        """Look at it then, or sooner if it was due sooner; never within a pause."""
        due = max(due, self._not_before.get(key, due))
        self._due[key] = min(due, self._due.get(key, due))
        self._patience[key] = min(patience_s, self._patience.get(key, patience_s))

    def take(self, now: float) -> Key | None:
        """The key that nobody works on and that is due longest, its patience taken off."""
        ready = [(due, key) for key, due in self._due.items() if due <= now]
        free = [(due + self._patience[key], key) for due, key in ready if key not in self._at_work]
        if not free:
            return None
        _, key = min(free)
        del self._due[key], self._patience[key]
        self._at_work.add(key)
        return key

    def done(self, key: Key) -> None:
        """The look went well."""
        self._at_work.discard(key)
        self._failures.pop(key, None)
        self._not_before.pop(key, None)

    def failed(self, key: Key, now: float) -> float:
        """The look failed: again after a pause, which is returned; news of it does not hurry it."""
        self._at_work.discard(key)
        self._failures[key] = self._failures.get(key, 0) + 1
        wait_s = pause_s(self._failures[key])
        self._due[key] = self._not_before[key] = now + wait_s
        self._patience[key] = 0.0
        return wait_s

    def next_due(self) -> float | None:
        """When the next key that nobody works on is due."""
        free = [due for key, due in self._due.items() if key not in self._at_work]
        return min(free, default=None)
