"""SQL of task leases. The epoch of a lease fences out earlier holders."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from clipmill_api.queries.statements import row_count
from clipmill_api.tables import TaskRow


@dataclass(frozen=True, slots=True)
class TaskId:
    """One task of one stage of a revision."""

    compilation_id: str
    generation: int
    stage: str
    index: int


def _is(task_id: TaskId) -> list[ColumnElement[bool]]:
    return [
        TaskRow.compilation_id == task_id.compilation_id,
        TaskRow.generation == task_id.generation,
        TaskRow.stage == task_id.stage,
        TaskRow.index == task_id.index,
    ]


def lock_task(session: Session, task_id: TaskId) -> TaskRow | None:
    """Return a task, locked until the transaction ends. None if it was never claimed."""
    return session.scalars(select(TaskRow).where(*_is(task_id)).with_for_update()).one_or_none()


def take_lease(session: Session, task_id: TaskId, *, holder: str, until: datetime) -> int:
    """Give the lease of a task to a holder. Return its epoch, one higher than the last."""
    task = lock_task(session, task_id)
    if task is None:
        task = TaskRow(**asdict(task_id), epoch=0, holder=holder, lease_until=until)
        session.add(task)
    task.epoch += 1
    task.holder, task.lease_until, task.done = holder, until, False
    session.flush()
    return task.epoch


def renew_lease(
    session: Session, task_id: TaskId, *, epoch: int, until: datetime, percent: int
) -> bool:
    """Extend a lease and store progress. Return False if the task is done or has a newer epoch."""
    task = update(TaskRow).where(*_is(task_id), TaskRow.epoch == epoch, TaskRow.done.is_(False))
    return row_count(session.execute(task.values(lease_until=until, percent=percent))) > 0


def end_lease(session: Session, task_id: TaskId, *, epoch: int, done: bool, at: datetime) -> bool:
    """End a lease: the task is done, or free for the next claim. Return False for an old epoch."""
    task = update(TaskRow).where(*_is(task_id), TaskRow.epoch == epoch)
    return row_count(session.execute(task.values(done=done, lease_until=at))) > 0


def set_scope(session: Session, task_id: TaskId, scope: dict[str, Any]) -> None:
    """Store what the holder of a task may read and write."""
    session.execute(update(TaskRow).where(*_is(task_id)).values(scope=scope))


def find_scope(session: Session, task_id: TaskId, *, epoch: int) -> dict[str, Any] | None:
    """Return what the holder of an epoch of a task may read and write."""
    query = select(TaskRow.scope).where(*_is(task_id), TaskRow.epoch == epoch)
    return session.scalars(query).one_or_none()
