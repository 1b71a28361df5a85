"""SQL of task leases. The epoch of a lease fences out earlier holders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select, update
from sqlalchemy.orm import Session, load_only
from sqlalchemy.sql import ColumnElement

from clipmill.protocol import ClipState, Stage
from clipmill_api.queries.statements import execute_built, row_count
from clipmill_api.tables import ClipRow, RevisionRow, TaskRow


@dataclass(frozen=True, slots=True)
class TaskId:
    """One task of one stage of a revision."""

    compilation_id: str
    generation: int
    stage: str
    index: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The time for which a task belongs to a pod. Each takeover raises the epoch.

    `failures` and `job_index` are those of a fetch task.
    """

    epoch: int
    holder: str
    until: datetime
    failures: int = 0
    job_index: int | None = None


def _is(task_id: TaskId) -> list[ColumnElement[bool]]:
    return [
        TaskRow.compilation_id == task_id.compilation_id,
        TaskRow.generation == task_id.generation,
        TaskRow.stage == task_id.stage,
        TaskRow.index == task_id.index,
    ]


_OF_TASK = (
    TaskRow.compilation_id == bindparam("of_compilation_id"),
    TaskRow.generation == bindparam("of_generation"),
    TaskRow.stage == bindparam("of_stage"),
    TaskRow.index == bindparam("of_index"),
)


def _task_values(task_id: TaskId) -> dict[str, Any]:
    """Return the values of _OF_TASK."""
    return {
        "of_compilation_id": task_id.compilation_id,
        "of_generation": task_id.generation,
        "of_stage": task_id.stage,
        "of_index": task_id.index,
    }


_TO_LOCK = select(TaskRow).where(*_OF_TASK).with_for_update()


def lock_task(session: Session, task_id: TaskId) -> TaskRow | None:
    """Return a task, locked until the transaction ends. None if it was never claimed."""
    return session.scalars(_TO_LOCK, _task_values(task_id)).one_or_none()


_CLAIM: dict[str, Any] = {
    "epoch": bindparam("to_epoch"),
    "holder": bindparam("to_holder"),
    "lease_until": bindparam("until"),
    "failures": bindparam("to_failures"),
    "retry_at": None,
    "job_index": bindparam("to_job_index"),
    "done": False,
    "scope": bindparam("to_scope"),
}
_CLAIMED_FIRST = insert(TaskRow).values(
    compilation_id=bindparam("of_compilation_id"),
    generation=bindparam("of_generation"),
    stage=bindparam("of_stage"),
    index=bindparam("of_index"),
    percent=0,
    **_CLAIM,
)
_CLAIMED_AGAIN = update(TaskRow).where(*_OF_TASK).values(**_CLAIM)


def store_claim(
    session: Session, task_id: TaskId, task: TaskRow | None, lease: Lease, scope: dict[str, Any]
) -> None:
    """Store the lease of a claim, and as JSON of a TaskScope what its holder may read and write.

    Args:
        session: The session of the claim, which has locked the compilation.
        task_id: The claimed task.
        task: Its locked row. None if it was never claimed.
        lease: The new or extended lease.
        scope: What the holder may read and write.
    """
    values = {
        **_task_values(task_id),
        "to_epoch": lease.epoch,
        "to_holder": lease.holder,
        "until": lease.until,
        "to_failures": lease.failures,
        "to_job_index": lease.job_index,
        "to_scope": scope,
    }
    execute_built(session, _CLAIMED_FIRST if task is None else _CLAIMED_AGAIN, values)


_RENEWED = (
    update(TaskRow)
    .where(
        *_OF_TASK,
        TaskRow.epoch == bindparam("of_epoch"),
        TaskRow.done.is_(False),
        TaskRow.retry_at.is_(None),
    )
    .values(lease_until=bindparam("until"), percent=bindparam("reached"))
)


def renew_lease(
    connection: Connection, task_id: TaskId, *, epoch: int, until: datetime, percent: int
) -> bool:
    """Extend a lease and store progress. Return False if the task is done or has a newer epoch."""
    values = {**_task_values(task_id), "of_epoch": epoch, "until": until, "reached": percent}
    return row_count(execute_built(connection, _RENEWED, values)) > 0


def end_lease(session: Session, task_id: TaskId, *, epoch: int, done: bool, at: datetime) -> bool:
    """End a lease: the task is done, or free for the next claim. Return False for an old epoch."""
    task = update(TaskRow).where(*_is(task_id), TaskRow.epoch == epoch)
    return row_count(session.execute(task.values(done=done, lease_until=at))) > 0


_WAITING_KEYS = select(ClipRow.clip_key).where(
    ClipRow.compilation_id == bindparam("compilation"),
    ClipRow.generation == bindparam("of_generation"),
    ClipRow.state == ClipState.WAITING.value,
)
_FETCH_TASKS = (
    select(RevisionRow, ClipRow, TaskRow)
    .outerjoin(
        ClipRow,
        and_(
            ClipRow.compilation_id == RevisionRow.compilation_id,
            ClipRow.generation == RevisionRow.generation,
            ClipRow.task_index.is_not(None),
            ClipRow.clip_key.in_(_WAITING_KEYS),
        ),
    )
    .outerjoin(
        TaskRow,
        and_(
            TaskRow.compilation_id == ClipRow.compilation_id,
            TaskRow.generation == ClipRow.generation,
            TaskRow.stage == Stage.FETCH.value,
            TaskRow.index == ClipRow.task_index,
        ),
    )
    .where(
        RevisionRow.compilation_id == bindparam("compilation"),
        RevisionRow.generation == bindparam("of_generation"),
    )
    .order_by(ClipRow.task_index)
    # Each row repeats the revision. Other columns are read when they are used.
    .options(load_only(RevisionRow.state, RevisionRow.traceparent, RevisionRow.created_at))
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True, slots=True)
class FetchStage:
    """A revision with its fetch tasks whose source clips wait for, by index: clip and task."""

    revision: RevisionRow
    tasks: list[tuple[ClipRow, TaskRow | None]]


def fetch_stage(session: Session, compilation_id: str, generation: int) -> FetchStage:
    """Return the fetch stage of an existing revision as it is now in the database."""
    values = {"compilation": compilation_id, "of_generation": generation}
    rows = session.execute(_FETCH_TASKS, values).all()
    return FetchStage(rows[0][0], [(clip, task) for _, clip, task in rows if clip is not None])


def end_attempt(
    session: Session, task_id: TaskId, *, failures: int, at: datetime, retry_at: datetime
) -> None:
    """End the lease of a fetch task whose attempt has failed; the next one is due at `retry_at`."""
    values = {"failures": failures, "lease_until": at, "retry_at": retry_at}
    session.execute(update(TaskRow).where(*_is(task_id)).values(**values))


@dataclass(frozen=True, slots=True)
class FetchLease:
    """A fetch task that was claimed: its newest claim, and whether that has not ended yet."""

    index: int
    holder: str
    epoch: int
    is_held: bool


def fetch_leases(session: Session, compilation_id: str, generation: int) -> list[FetchLease]:
    """Return the fetch tasks of a revision that were claimed, by index."""
    is_held = and_(TaskRow.done.is_(False), TaskRow.retry_at.is_(None))
    query = select(TaskRow.index, TaskRow.holder, TaskRow.epoch, is_held).where(
        TaskRow.compilation_id == compilation_id,
        TaskRow.generation == generation,
        TaskRow.stage == Stage.FETCH.value,
    )
    return [FetchLease(*row) for row in session.execute(query.order_by(TaskRow.index))]


def held_scopes(session: Session, task_id: TaskId, *, now: datetime) -> dict[int, dict[str, Any]]:
    """Return the scopes of those tasks of this task's stage that are done or held, by index."""
    is_stage = (
        TaskRow.compilation_id == task_id.compilation_id,
        TaskRow.generation == task_id.generation,
        TaskRow.stage == task_id.stage,
        TaskRow.scope.is_not(None),
    )
    is_held = TaskRow.done.is_(True) | (TaskRow.lease_until >= now)
    rows = session.execute(select(TaskRow.index, TaskRow.scope).where(*is_stage, is_held))
    return {index: scope for index, scope in rows if scope}


def segments_to_render(session: Session, compilation_id: str, generation: int) -> set[str]:
    """Return the keys of the segments that were assigned to render tasks of a revision."""
    is_render = (
        TaskRow.compilation_id == compilation_id,
        TaskRow.generation == generation,
        TaskRow.stage == "render",
    )
    scopes = session.scalars(select(TaskRow.scope).where(*is_render))
    return {key for scope in scopes if scope for key in scope["missing"]}


def find_scope(session: Session, task_id: TaskId, *, epoch: int) -> dict[str, Any] | None:
    """Return what the holder of an epoch of a task may read and write."""
    query = select(TaskRow.scope).where(*_is(task_id), TaskRow.epoch == epoch)
    return session.scalars(query).one_or_none()
