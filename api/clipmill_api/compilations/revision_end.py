"""End a revision: state, reservation, usage and leftover outputs in one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any

from clipmill.protocol import ISOLATION_FAILURES, CompilationState, OutputResult
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill_api.compilations.end_notification import notify_end
from clipmill_api.compilations.expiration import expiry_of
from clipmill_api.context import Context
from clipmill_api.database import Session, after_commit
from clipmill_api.delivery import delivery_outbox
from clipmill_api.media.removals import delete_unfinished_uploads, removal
from clipmill_api.queries import media_library, quota_ledger, revisions, upload_records
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import CompilationRow, RenderUsageRow
from clipmill_api.tracing.revision_traces import RevisionSpan
from clipmill_tracing import trace_ids

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RevisionEnd:
    """The terminal state of a revision; outputs and render time only if it succeeded."""

    state: CompilationState
    reason: str | None = None
    message: str | None = None
    outputs: tuple[OutputResult, ...] = ()
    render_seconds: int = 0


def end_revision(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int, end: RevisionEnd
) -> bool:
    """Set the terminal state of a revision and close its reservation.

    Returns:
        False if the revision was terminal before; then nothing changes.
    """
    values: dict[str, Any] = {
        "state": end.state.value,
        "reason": end.reason,
        "message": end.message,
        "stage": None,
        "completed_at": ctx.now(),
    }
    has_succeeded = end.state is CompilationState.SUCCEEDED
    if has_succeeded:
        values["percent"] = 100
        values["outputs"] = [output.model_dump(mode="json") for output in end.outputs]
    if not revisions.update_active(session, compilation.id, generation, **values):
        return False
    if end.state is not CompilationState.SUPERSEDED:
        revision = revisions.get_revision(session, compilation.id, generation)
        compilation.expires_at = expiry_of(session, revision, compilation.owner, ctx.now())
    if has_succeeded:
        settle_reservation(session, ctx, compilation, generation, end.render_seconds)
        delivery_outbox.enqueue(session, ctx, compilation, generation, end.outputs)
    else:
        _release_reservation(session, compilation, generation)
    _delete_unreferenced_outputs(session, ctx, compilation)
    unfinished = upload_records.list_incomplete_of(session, compilation.id)
    delete_unfinished_uploads(session, ctx, unfinished)
    notify_end(session, ctx, compilation, generation, end)
    after_commit(session, partial(_count_end, ctx, end))
    trace_id = _trace_end(session, ctx, compilation, generation, end)
    key = (compilation.id, compilation.uid, generation)
    message = "generation ended compilation=%s uid=%s generation=%d state=%s reason=%s"
    message += " trace_id=%s" * len(trace_id)
    after_commit(session, partial(log.info, message, *key, end.state, end.reason, *trace_id))
    return True


def _trace_end(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int, end: RevisionEnd
) -> tuple[str, ...]:
    """End the span of a revision after the commit. Return the id of its trace, if it has one."""
    if not ctx.traces.is_on:
        return ()
    revision = revisions.get_revision(session, compilation.id, generation)
    attributes: dict[str, str | int] = {
        "clipmill.compilation": compilation.id,
        "clipmill.uid": compilation.uid,
        "clipmill.generation": generation,
        "clipmill.state": end.state.value,
        "clipmill.reason": end.reason or "",
    }
    has_failed = end.state is CompilationState.FAILED
    times = (revision.created_at, ctx.now())
    span = RevisionSpan(
        *(revision.traceparent, revision.trace_parent, *times, attributes),
        error=end.reason or "Failed" if has_failed else "",
    )
    after_commit(session, partial(ctx.traces.finish_revision, span))
    return trace_ids(revision.traceparent)


def _count_end(ctx: Context, end: RevisionEnd) -> None:
    ctx.metrics.ended.labels(end.state).inc()
    if end.reason in ISOLATION_FAILURES:
        ctx.metrics.isolation_failures.labels(end.reason).inc()


def settle_reservation(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int, seconds: int
) -> None:
    """Turn a reservation into usage. Repeating it changes nothing."""
    reservation = quota_ledger.find_reservation(session, compilation.id, generation)
    if reservation is not None:
        quota_ledger.close_reservation(session, reservation, state="settled", used_s=seconds)
    if quota_ledger.find_usage(session, compilation.id, generation) is not None:
        return
    usage = RenderUsageRow(
        compilation_id=compilation.id,
        generation=generation,
        owner=compilation.owner,
        seconds=seconds,
        created_at=ctx.now(),
    )
    quota_ledger.add_usage(session, usage)


def _release_reservation(session: Session, compilation: CompilationRow, generation: int) -> None:
    reservation = quota_ledger.find_reservation(session, compilation.id, generation)
    if reservation is not None:
        quota_ledger.close_reservation(session, reservation, state="released", used_s=0)


def _delete_unreferenced_outputs(
    session: Session, ctx: Context, compilation: CompilationRow
) -> None:
    """Delete outputs of interrupted assemblies and release their storage."""
    referenced = set()
    for output in revisions.list_outputs(session, compilation.id):
        referenced |= {output["media_id"], *(output.get(file.field) for file in COMPANION_FILES)}
    for media in media_library.list_unreferenced_outputs(session, compilation.id, referenced):
        quota_ledger.release_storage(session, compilation.owner, media.size_bytes)
        reason = RemovalReason.OUTPUT_UNREFERENCED
        media_library.delete_media(session, media, removal(ctx, reason))
