"""Spans of the operator in the trace of a generation, which the API's plan names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from clipmill_tracing import FinishedSpan, SpanExport, TraceContext

SERVICE = "clipmill-operator"


def utc_time() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class OperatorSpans:
    """Exports spans; without an export nothing happens."""

    def __init__(
        self, export: SpanExport | None = None, now: Callable[[], datetime] = utc_time
    ) -> None:
        self._export, self.now = export, now

    def finish(
        self, start: datetime, traceparent: str | None, name: str, attributes: Mapping[str, str]
    ) -> None:
        """End a span now that began at a time."""
        revision = TraceContext.parse(traceparent)
        if self._export and revision:
            self._export.add(
                FinishedSpan(
                    *(SERVICE, name, revision.child(), start, self.now()),
                    parent=revision,
                    attributes=attributes,
                )
            )
