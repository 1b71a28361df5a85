"""Export of finished spans by OTLP over HTTP, with the SDK of OpenTelemetry.

Its own variables hold: `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_CERTIFICATE` and others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

from clipmill_tracing.trace_context import TraceContext

# A collector that does not answer must delay neither the end of a process nor its work.
TIMEOUT_S = 5
# Spans that wait for their export; further ones are dropped.
MAX_WAITING = 4096


@dataclass(frozen=True, slots=True)
class FinishedSpan:
    """A span that has ended; `error` is empty unless its work failed."""

    service: str
    name: str
    context: TraceContext
    start: datetime
    end: datetime
    parent: TraceContext | None = None
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    error: str = ""


class SpanExport(Protocol):
    """Takes finished spans."""

    def add(self, span: FinishedSpan) -> None:
        """Export a span later. It never blocks and never fails."""

    def close(self) -> None:
        """Export what waits, for a few seconds at most."""


def open_span_export(endpoint: str, version: str) -> SpanExport | None:
    """Return the export to a collector, or None without an endpoint.

    Args:
        endpoint: Address of the collector, such as http://collector:4318.
        version: Version of the services.
    """
    return _OtlpExport(f"{endpoint.rstrip('/')}/v1/traces", version) if endpoint else None


class _OtlpExport:
    """A tracer for each service; each span gets the ids that its context names."""

    def __init__(self, url: str, version: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_S)
        self._processor: Any = BatchSpanProcessor(exporter, max_queue_size=MAX_WAITING)
        self._version = version
        self._tracers: dict[str, Any] = {}
        self._ids: Any = _GivenIds()
        self._lock = Lock()

    def add(self, span: FinishedSpan) -> None:
        """Export a span later."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        with self._lock:
            self._ids.next = span.context
            started = self._tracer(span.service).start_span(
                span.name,
                context=_parent_context(span.parent),
                attributes=dict(span.attributes),
                start_time=_nanoseconds(span.start),
            )
        if span.error:
            started.set_status(Status(StatusCode.ERROR, span.error))
        started.end(_nanoseconds(max(span.start, span.end)))

    def close(self) -> None:
        """Export what waits."""
        self._processor.shutdown()

    def _tracer(self, service: str) -> Any:
        if service not in self._tracers:
            from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
            from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

            attributes = {"service.name": service, "service.version": self._version}
            provider = TracerProvider(
                resource=Resource.create(attributes),
                id_generator=self._ids,
                shutdown_on_exit=False,
            )
            provider.add_span_processor(self._processor)
            self._tracers[service] = provider.get_tracer("clipmill", self._version)
        return self._tracers[service]


class _GivenIds:
    """Generates the ids of the context that was given last."""

    next = TraceContext("0" * 32, "0" * 16)

    def generate_trace_id(self) -> int:
        """Return the trace id."""
        return int(self.next.trace_id, 16)

    def generate_span_id(self) -> int:
        """Return the span id."""
        return int(self.next.span_id, 16)

    def is_trace_id_random(self) -> bool:
        """Return True: W3C asks for it, and `TraceContext` makes random ids."""
        return True


def _parent_context(parent: TraceContext | None) -> Any:
    from opentelemetry.context import Context  # noqa: PLC0415
    from opentelemetry.trace import (  # noqa: PLC0415
        NonRecordingSpan,
        SpanContext,
        TraceFlags,
        set_span_in_context,
    )

    if parent is None:
        return Context()
    ids = (int(parent.trace_id, 16), int(parent.span_id, 16))
    flags = TraceFlags(TraceFlags.SAMPLED)
    span = NonRecordingSpan(SpanContext(*ids, is_remote=True, trace_flags=flags))
    return set_span_in_context(span, Context())


def _nanoseconds(time: datetime) -> int:
    # Whole microseconds first: a float of nanoseconds since 1970 is not exact.
    return round(time.timestamp() * 1_000_000) * 1000
