"""Measure the wall time of each step of an assembly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class StepTimer:
    """Adds up seconds by the name of a step; steps may be nested."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})

    def copy(self) -> StepTimer:
        """Return a timer that starts with the seconds of this one."""
        return StepTimer(self.seconds)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the seconds spent in the block to a step."""
        start = time.monotonic()
        yield
        total = self.seconds.get(name, 0.0) + time.monotonic() - start
        self.seconds[name] = round(total, 3)
