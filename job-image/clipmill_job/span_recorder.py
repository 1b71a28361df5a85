"""How long the steps of a task take, for the trace that its assignment names.

In: steps, from any thread. Out: the report that the API exports; pods reach no collector.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, get_ident
from typing import ParamSpec, TypeVar

from clipmill.protocol import MAX_SPANS, SpanName, TaskSpan, TaskSpans

MAX_DETAIL_CHARS = 200
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class _Step:
    name: SpanName
    parent: int | None
    start_s: float
    detail: str
    end_s: float | None = None
    failed: bool = False


class SpanRecorder:
    """Records steps. They nest within a thread; those of another are below the main thread's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._began = clock, clock()
        self._main = get_ident()
        self._steps: list[_Step] = []
        self._open: dict[int, list[int]] = {}
        self._lock = Lock()

    @contextmanager
    def span(self, name: SpanName, detail: str = "") -> Iterator[None]:
        """Record a step, unless there are as many already as a report may have."""
        number = self._begin(name, detail)
        if number is None:
            yield
            return
        try:
            yield
        except BaseException:
            self._steps[number].failed = True
            raise
        finally:
            self._steps[number].end_s = self._clock()
            self._open[get_ident()].remove(number)

    def below_this(self, call: Callable[P, T]) -> Callable[P, T]:
        """Return a call for another thread, whose steps are below those of this thread."""
        above = list(self._open.get(get_ident(), []))

        def below(*args: P.args, **kwargs: P.kwargs) -> T:
            self._open[get_ident()] = list(above)
            try:
                return call(*args, **kwargs)
            finally:
                del self._open[get_ident()]

        return below

    def _begin(self, name: SpanName, detail: str) -> int | None:
        with self._lock:
            if len(self._steps) >= MAX_SPANS:
                return None
            own = self._open.setdefault(get_ident(), [])
            above = own or self._open.get(self._main, [])
            parent = above[-1] if above else None
            step = _Step(name, parent, self._clock(), detail[:MAX_DETAIL_CHARS])
            self._steps.append(step)
            own.append(len(self._steps) - 1)
            return own[-1]

    def report(self, *, index: int, epoch: int) -> TaskSpans:
        """Return the report of the task so far."""
        now = self._clock()
        with self._lock:
            spans = [self._view(step, now) for step in self._steps]
        elapsed_ms = _milliseconds(now - self._began)
        return TaskSpans(index=index, epoch=epoch, elapsed_ms=elapsed_ms, spans=spans)

    def _view(self, step: _Step, now: float) -> TaskSpan:
        end_s = now if step.end_s is None else step.end_s
        return TaskSpan(
            name=step.name,
            parent=step.parent,
            start_ms=_milliseconds(step.start_s - self._began),
            duration_ms=_milliseconds(end_s - step.start_s),
            detail=step.detail,
            failed=step.failed,
        )


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
