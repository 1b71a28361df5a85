"""Attempts at a fetch task: which ones have failed, when the next one is due, and the last one.

An attempt fails by the report of its pod or of the operator, or when its lease ends without one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from clipmill.protocol import INTERRUPTED, TaskFailure
from clipmill_api.compilations.lifecycle import skip_clip
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.queries import fetch_locks, task_leases
from clipmill_api.queries.task_leases import TaskId
from clipmill_api.tables import ClipRow, CompilationRow, TaskRow

NO_REPORT = "the pod that fetched the clip ended, or was lost, without a report"


def is_held(task: TaskRow, now: datetime) -> bool:
    """Return whether a pod works on a task."""
    return not task.done and task.retry_at is None and task.lease_until >= now


def failures_of(task: TaskRow, now: datetime) -> int:
    """Return the failed attempts, with one that ended without a report."""
    is_unreported = task.retry_at is None and not is_held(task, now)
    return task.failures + is_unreported


def due_at(ctx: Context, task: TaskRow) -> datetime:
    """Return when the next attempt at a task that is not held is due."""
    if task.retry_at is not None:
        return task.retry_at
    failures = failures_of(task, ctx.now())
    if failures >= ctx.settings.fetch_attempts:
        return task.lease_until
    # Its pod was alive when it renewed the lease.
    alive_at = task.lease_until - timedelta(seconds=ctx.settings.lease_s)
    return alive_at + _backoff(ctx, failures)


def _backoff(ctx: Context, failures: int) -> timedelta:
    return timedelta(seconds=ctx.settings.fetch_backoff_s * 2 ** (failures - 1))


def fail_attempt(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    clip: ClipRow,
    task: TaskRow,
    failure: TaskFailure,
) -> None:
    """Count a failed attempt at a held task. After the last one, skip its clip."""
    now = ctx.now()
    counted = task.failures + (failure.code != INTERRUPTED)
    retry_at = now if failure.code == INTERRUPTED else now + _backoff(ctx, counted)
    task_id = TaskId(task.compilation_id, task.generation, task.stage, task.index)
    task_leases.end_attempt(session, task_id, failures=counted, at=now, retry_at=retry_at)
    fetch_locks.release(session, clip.id)
    if counted >= ctx.settings.fetch_attempts:
        give_up(session, ctx, compilation, clip, failure.message)


def give_up(
    session: Session, ctx: Context, compilation: CompilationRow, clip: ClipRow, message: str
) -> None:
    """Skip a clip of which every attempt has failed, the last one with `message`."""
    message = f"{ctx.settings.fetch_attempts} attempts failed, the last one: {message}"[:500]
    skip_clip(session, ctx, compilation, clip, TaskFailure(code="FetchFailed", message=message))
