"""Claim tasks under leases and extend them by heartbeats. A claim fences out earlier holders."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, NamedTuple

from clipmill.protocol import (
    TERMINAL_STATES,
    Assignment,
    Claim,
    CompilationState,
    Directive,
    Heartbeat,
    HeartbeatReply,
    Stage,
)
from clipmill.timeline.eta import FETCH_SHARE, MAX_PERCENT
from clipmill_api.context import Context
from clipmill_api.database import Connection, Session, after_commit
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import (
    compilation_records,
    fetch_locks,
    revision_clips,
    revisions,
    task_leases,
)
from clipmill_api.queries.task_leases import Lease, TaskId
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow, TaskRow
from clipmill_api.tasks.assignment_builder import assign_assembly, assign_rendering
from clipmill_api.tasks.fetch_claims import choose_fetch
from clipmill_api.tasks.task_scope import TaskScope, scope_of
from clipmill_api.timestamps import format_time
from clipmill_tracing import trace_ids

log = logging.getLogger(__name__)


def task_id_of(principal: Principal, index: int) -> TaskId:
    """Return the id of a task of the job that a key belongs to."""
    return TaskId(principal.compilation_id, principal.generation, principal.stage.value, index)


def lock_revision(session: Session, principal: Principal) -> tuple[CompilationRow, RevisionRow]:
    """Return a job's compilation and revision, locked until the transaction ends."""
    compilation = compilation_records.lock_compilation(session, principal.compilation_id)
    return compilation, revisions.get_revision(session, compilation.id, principal.generation)


def refuse_terminal(revision: RevisionRow) -> None:
    """Raise Ended if a revision is terminal: its jobs have nothing left to do."""
    if CompilationState(revision.state) in TERMINAL_STATES:
        detail = f"generation {revision.generation} has ended with state {revision.state}"
        raise ApiProblem(409, "Ended", detail, state=revision.state)


def lease_lost(task_id: TaskId, epoch: int) -> ApiProblem:
    """Return the problem of a call with an epoch that is not the task's."""
    task = f"{task_id.stage} task {task_id.index}"
    return ApiProblem(409, "LeaseLost", f"epoch: {epoch} of {task} has ended by a later claim")


def clip_of_task(session: Session, principal: Principal, index: int) -> ClipRow:
    """Return the clip of a fetch task. Raise NotFound."""
    clip = revision_clips.find_clip_of_task(
        session, principal.compilation_id, principal.generation, index
    )
    if clip is None:
        raise not_found("task", f"fetch {index}")
    return clip


def claim_task(session: Session, ctx: Context, principal: Principal, claim: Claim) -> Assignment:
    """Give a task to a pod under a lease. A repeat by the same holder keeps the epoch.

    A job of the fetch stage gets the next clip that waits, another one the task of its index.

    Raises:
        ApiProblem: Ended, NothingLeft, Leased, FetchInProgress or NotReady.
    """
    if principal.task is not None:
        detail = "key: it belongs to a claimed task; claim with the key of the stage"
        raise ApiProblem(403, "Forbidden", detail)
    compilation = compilation_records.lock_compilation(session, principal.compilation_id)
    chosen = _choose(session, ctx, principal, claim, compilation)
    task_id, work = chosen.task_id, chosen.work
    assignment = Assignment(
        compilation_id=compilation.id,
        generation=principal.generation,
        stage=principal.stage,
        index=task_id.index,
        epoch=chosen.epoch,
        lease_s=ctx.settings.lease_s,
        links=ctx.settings.job_links,
        canaries=list(ctx.settings.canaries),
        traceparent=chosen.revision.traceparent if ctx.traces.is_on else None,
    ).model_copy(update=work)
    until = ctx.later(ctx.settings.lease_s)
    lease = Lease(chosen.epoch, claim.holder, until, chosen.failures, claim.index)
    scope = _scope_of_claim(chosen.task, assignment).model_dump(mode="json")
    task_leases.store_claim(session, task_id, chosen.task, lease, scope)
    place = (compilation.id, compilation.uid, principal.generation, principal.stage, task_id.index)
    message = "task claimed compilation=%s uid=%s generation=%d stage=%s index=%d epoch=%d"
    trace_id = trace_ids(assignment.traceparent)
    message += " trace_id=%s" * len(trace_id)
    after_commit(session, partial(log.info, message, *place, chosen.epoch, *trace_id))
    return assignment


class _Chosen(NamedTuple):
    """A task to claim, with the epoch of its lease and the fields of its assignment."""

    revision: RevisionRow
    task_id: TaskId
    task: TaskRow | None
    epoch: int
    work: dict[str, Any]
    failures: int = 0


def _choose(
    session: Session,
    ctx: Context,
    principal: Principal,
    claim: Claim,
    compilation: CompilationRow,
) -> _Chosen:
    """Return the next fetch task, or the task of the claim's index in another stage."""
    if principal.stage is Stage.FETCH:
        stage = task_leases.fetch_stage(session, compilation.id, principal.generation)
        refuse_terminal(stage.revision)
        fetch = choose_fetch(session, ctx, compilation, stage, claim)
        task_id, work = task_id_of(principal, fetch.index), {"fetch": fetch.assignment}
        return _Chosen(stage.revision, task_id, fetch.task, fetch.epoch, work, fetch.failures)
    revision = revisions.get_revision(session, compilation.id, principal.generation)
    refuse_terminal(revision)
    task_id = task_id_of(principal, claim.index)
    task = task_leases.lock_task(session, task_id)
    epoch = _claimed_epoch(ctx, task_id, task, claim.holder)
    if principal.stage is Stage.RENDER:
        segments = assign_rendering(session, ctx, compilation, task_id)
        return _Chosen(revision, task_id, task, epoch, {**segments})
    outputs = assign_assembly(session, ctx, compilation, principal.generation)
    return _Chosen(revision, task_id, task, epoch, {"assemble": outputs})


def _scope_of_claim(task: TaskRow | None, assignment: Assignment) -> TaskScope:
    """Return what an assignment names, and the segments of earlier ones of a render task."""
    scope = scope_of(assignment)
    if assignment.stage is Stage.RENDER and task is not None and task.epoch == assignment.epoch:
        return scope.with_segments_of(TaskScope.model_validate(task.scope or {}))
    return scope


def _claimed_epoch(ctx: Context, task_id: TaskId, task: TaskRow | None, holder: str) -> int:
    """Return the epoch of a new lease, or of the holder's lease. Raise Leased."""
    if task is None:
        return 1
    if task.done or task.lease_until < ctx.now():
        return task.epoch + 1
    if task.holder != holder:
        held_until = format_time(task.lease_until)
        detail = f"{task_id.stage} task {task_id.index} is leased to another pod until {held_until}"
        raise ApiProblem(503, "Leased", detail, leaseUntil=held_until)
    return task.epoch


def record_heartbeat(
    connection: Connection, ctx: Context, principal: Principal, heartbeat: Heartbeat
) -> HeartbeatReply:
    """Extend a lease, store progress and log lines. Raise LeaseLost."""
    lease_s = ctx.settings.lease_s
    if not principal.live:
        reason = f"generation {principal.generation} has ended"
        return HeartbeatReply(directive=Directive.STOP, reason=reason, lease_s=lease_s)
    until, epoch = ctx.later(lease_s), heartbeat.epoch
    task_id = task_id_of(principal, heartbeat.index)
    if not task_leases.renew_lease(
        connection, task_id, epoch=epoch, until=until, percent=heartbeat.percent
    ):
        raise lease_lost(task_id, epoch)
    revision = (principal.compilation_id, principal.generation)
    revisions.append_log_lines(connection, *revision, at=ctx.now(), lines=heartbeat.log)
    if principal.stage is Stage.FETCH:
        fetch_locks.extend(connection, *revision, heartbeat.index, until=until)
    else:
        percent = FETCH_SHARE + (MAX_PERCENT - FETCH_SHARE) * heartbeat.percent // 100
        revisions.raise_percent(connection, *revision, percent=percent, at=ctx.now())
    return HeartbeatReply(directive=Directive.CONTINUE, lease_s=lease_s)
