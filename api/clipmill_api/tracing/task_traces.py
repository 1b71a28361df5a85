"""Spans that the pod of a task reports: placed below the revision's, once for each lease.

A pod is not trusted: it chooses names from a list and lengths, never ids, traces or times.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clipmill.protocol import TaskSpan, TaskSpans
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.queries import revisions
from clipmill_api.tables import RevisionRow
from clipmill_api.tracing.revision_traces import JOB_SERVICE
from clipmill_tracing import FinishedSpan, TraceContext


def record_spans(ctx: Context, principal: Principal, report: TaskSpans) -> None:
    """Export the spans of a task that a pod reports."""
    stage = principal.stage.value
    key = (principal.compilation_id, principal.generation, stage, report.index, report.epoch)
    if not ctx.traces.is_on or not ctx.span_reports.is_new(key):
        return
    with ctx.db.read() as session:
        revision = revisions.find_revision(session, principal.compilation_id, principal.generation)
    parent = TraceContext.parse(revision.traceparent) if revision else None
    if revision and parent:
        for span in _task_spans(stage, parent, revision, report, ctx.now()):
            ctx.traces.add(span)


def _task_spans(
    stage: str, parent: TraceContext, revision: RevisionRow, report: TaskSpans, now: datetime
) -> list[FinishedSpan]:
    """Return the task's span, which ends now and begins with the revision at the earliest."""
    start = max(revision.created_at, now - timedelta(milliseconds=report.elapsed_ms))
    context = parent.child()
    attributes = {"clipmill.index": report.index, "clipmill.epoch": report.epoch}
    task = FinishedSpan(
        JOB_SERVICE, f"{stage} task", context, start, now, parent=parent, attributes=attributes
    )
    contexts = [context.child() for _ in report.spans]
    return [task] + [
        _step(span, own, context if span.parent is None else contexts[span.parent], start, now)
        for span, own in zip(report.spans, contexts, strict=True)
    ]


def _step(
    span: TaskSpan, own: TraceContext, parent: TraceContext, start: datetime, now: datetime
) -> FinishedSpan:
    begin = min(now, start + timedelta(milliseconds=span.start_ms))
    end = min(now, begin + timedelta(milliseconds=span.duration_ms))
    attributes = {"clipmill.detail": span.detail} if span.detail else {}
    error = "failed" if span.failed else ""
    return FinishedSpan(
        *(JOB_SERVICE, span.name.value, own, begin, end),
        parent=parent,
        attributes=attributes,
        error=error,
    )
