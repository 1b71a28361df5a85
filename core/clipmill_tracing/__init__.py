"""Traces: contexts as W3C writes them, and the export of finished spans by OTLP.

In: spans that have ended, with their ids and times. Out: requests to a collector.
OpenTelemetry is imported only once an export is opened.
"""

from clipmill_tracing.span_export import FinishedSpan, SpanExport, open_span_export
from clipmill_tracing.trace_context import TraceContext, trace_ids

__all__ = ["FinishedSpan", "SpanExport", "TraceContext", "open_span_export", "trace_ids"]
