"""SQL of fetch locks: only one clip at a time fetches a clip key of an owner."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import upsert
from clipmill_api.tables import ClipRow, FetchLockRow


def acquire(
    session: Session, owner: str, clip_key: str, *, clip_id: str, now: datetime, until: datetime
) -> bool:
    """Lock a clip key for a clip. Return False if another clip holds the lock."""
    insert = upsert(session, FetchLockRow).values(
        owner=owner, clip_key=clip_key, clip_id=clip_id, until=until
    )
    insert = insert.on_conflict_do_update(
        index_elements=[FetchLockRow.owner, FetchLockRow.clip_key],
        set_={"clip_id": clip_id, "until": until},
        where=or_(FetchLockRow.until < now, FetchLockRow.clip_id == clip_id),
    )
    return session.execute(insert.returning(FetchLockRow.clip_id)).first() is not None


def extend(
    session: Session, compilation_id: str, generation: int, task_index: int, *, until: datetime
) -> None:
    """Extend the lock of a fetch task's clip."""
    clip_id = select(ClipRow.id).where(
        ClipRow.compilation_id == compilation_id,
        ClipRow.generation == generation,
        ClipRow.task_index == task_index,
    )
    lock = update(FetchLockRow).where(FetchLockRow.clip_id.in_(clip_id))
    session.execute(lock.values(until=until))


def release(session: Session, clip_id: str) -> None:
    """Release the lock of a clip."""
    session.execute(delete(FetchLockRow).where(FetchLockRow.clip_id == clip_id))


def release_tasks(
    session: Session, compilation_id: str, generation: int, task_indexes: Collection[int]
) -> None:
    """Release the locks of fetch tasks' clips."""
    clip_ids = select(ClipRow.id).where(
        ClipRow.compilation_id == compilation_id,
        ClipRow.generation == generation,
        ClipRow.task_index.in_(task_indexes),
    )
    session.execute(delete(FetchLockRow).where(FetchLockRow.clip_id.in_(clip_ids)))
