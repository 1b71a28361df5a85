"""Queue of keys to reconcile: each key once, when it is due, and never twice at the same time.

Pure: the clock is an argument. Used by the event loop only, so without a lock.
"""

from __future__ import annotations

from clipmill_operator.watching.observed import Key

BACKOFF_BASE_S = 1.0
BACKOFF_MAX_S = 15.0


def backoff_s(failures: int) -> float:
    """Return the pause after so many failures in a row: 1, 2, 4, 8, then 15 seconds."""
    return min(BACKOFF_MAX_S, BACKOFF_BASE_S * float(1 << min(failures - 1, 10)))


class WorkQueue:
    """Keys with the time at which they are due. Repeated additions of a key become one entry."""

    def __init__(self) -> None:
        self._due: dict[Key, float] = {}
        self._yield_s: dict[Key, float] = {}
        self._in_progress: set[Key] = set()
        self._failures: dict[Key, int] = {}
        self._backoff_until: dict[Key, float] = {}

    def __len__(self) -> int:
        return len(self._due) + len(self._in_progress)

    def add(self, key: Key, due: float, *, yield_s: float = 0.0) -> None:
        """Add a key, or bring its entry forward. A back-off after a failure is kept.

        Args:
            key: Namespace and name of a Compilation.
            due: Time from which on it may be taken.
            yield_s: Keys that become due within so many seconds after it are taken first.
        """
        due = max(due, self._backoff_until.get(key, due))
        self._due[key] = min(due, self._due.get(key, due))
        self._yield_s[key] = min(yield_s, self._yield_s.get(key, yield_s))

    def take(self, now: float) -> Key | None:
        """Take the key that has been due longest and is not in progress."""
        ready = [
            (due + self._yield_s[key], key)
            for key, due in self._due.items()
            if due <= now and key not in self._in_progress
        ]
        if not ready:
            return None
        _, key = min(ready)
        del self._due[key], self._yield_s[key]
        self._in_progress.add(key)
        return key

    def done(self, key: Key) -> None:
        """Release a key after a success."""
        self._in_progress.discard(key)
        self._failures.pop(key, None)
        self._backoff_until.pop(key, None)

    def failed(self, key: Key, now: float) -> float:
        """Release a key after a failure and add it again. Return the back-off in seconds."""
        self._in_progress.discard(key)
        self._failures[key] = self._failures.get(key, 0) + 1
        wait_s = backoff_s(self._failures[key])
        self._due[key] = self._backoff_until[key] = now + wait_s
        self._yield_s[key] = 0.0
        return wait_s

    def next_due(self) -> float | None:
        """Return when the next key that is not in progress is due."""
        times = [due for key, due in self._due.items() if key not in self._in_progress]
        return min(times, default=None)
