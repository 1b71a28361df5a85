"""One trace for each revision. Its span is the whole revision; all others are below it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from clipmill_api.tracing.caller_trace import CALLER
from clipmill_tracing import FinishedSpan, SpanExport, TraceContext

SERVICE = "clipmill-api"
JOB_SERVICE = "clipmill-job"
Attributes = Mapping[str, str | int]
NO_ATTRIBUTES: Attributes = {}


class SpanStart(NamedTuple):
    """When a span began: the time, and the seconds of a clock that is never set."""

    at: datetime
    clock_s: float


@dataclass(frozen=True, slots=True)
class RevisionSpan:
    """The span of a whole revision that has ended."""

    traceparent: str | None
    caller: str | None
    start: datetime
    end: datetime
    attributes: Attributes
    error: str


class RevisionTraces:
    """Exports spans; without an export every method does nothing."""

    def __init__(self, export: SpanExport | None = None) -> None:
        self._export = export

    @property
    def is_on(self) -> bool:
        """Whether spans are exported."""
        return self._export is not None

    def close(self) -> None:
        """Export what waits."""
        if self._export:
            self._export.close()

    def new_columns(self) -> dict[str, str | None]:
        """Return the columns of a new revision: its span, in the caller's trace or a new one."""
        if not self.is_on:
            return {}
        caller = TraceContext.parse(CALLER.get())
        own = caller.child() if caller else TraceContext.new()
        return {"traceparent": str(own), "trace_parent": str(caller) if caller else None}

    def start(self, now: datetime) -> SpanStart:
        """Begin a span."""
        return SpanStart(now, time.monotonic())

    def finish(
        self,
        start: SpanStart,
        traceparent: str | None,
        name: str,
        attributes: Attributes = NO_ATTRIBUTES,
    ) -> None:
        """End a span of the API below the revision's."""
        end = start.at + timedelta(seconds=time.monotonic() - start.clock_s)
        revision = TraceContext.parse(traceparent)
        if self._export and revision:
            self._export.add(
                FinishedSpan(
                    *(SERVICE, name, revision.child(), start.at, end),
                    parent=revision,
                    attributes=attributes,
                )
            )

    def add(self, span: FinishedSpan) -> None:
        """Export a span."""
        if self._export:
            self._export.add(span)

    def finish_revision(self, span: RevisionSpan) -> None:
        """End the span of a revision."""
        context = TraceContext.parse(span.traceparent)
        if self._export and context:
            self._export.add(
                FinishedSpan(
                    *(SERVICE, "compilation", context, span.start, span.end),
                    parent=TraceContext.parse(span.caller),
                    attributes=span.attributes,
                    error=span.error,
                )
            )
