"""SQL of fetch locks: only one clip at a time fetches a clip key of an owner."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import execute_built
from clipmill_api.tables import ClipRow, FetchLockRow

_VALUES: dict[str, Any] = {
    name: bindparam(name) for name in ("owner", "clip_key", "clip_id", "until")
}


def _acquired(insert: Any) -> Any:
    new = insert.excluded
    upsert = insert.values(**_VALUES).on_conflict_do_update(
        index_elements=[FetchLockRow.owner, FetchLockRow.clip_key],
        set_={"clip_id": new.clip_id, "until": new.until},
        where=or_(FetchLockRow.until < bindparam("now"), FetchLockRow.clip_id == new.clip_id),
    )
    return upsert.returning(FetchLockRow.clip_id)


_ACQUIRED = {
    "postgresql": _acquired(postgresql.insert(FetchLockRow)),
    "sqlite": _acquired(sqlite.insert(FetchLockRow)),
}


def acquire(
    session: Session, owner: str, clip_key: str, *, clip_id: str, now: datetime, until: datetime
) -> bool:
    """Lock a clip key for a clip. Return False if another clip holds the lock."""
    values = {"owner": owner, "clip_key": clip_key, "clip_id": clip_id, "until": until}
    dialect = session.get_bind().dialect.name
    return execute_built(session, _ACQUIRED[dialect], values | {"now": now}).first() is not None


_EXTENDED = (
    update(FetchLockRow)
    .where(
        FetchLockRow.clip_id.in_(
            select(ClipRow.id).where(
                ClipRow.compilation_id == bindparam("of_compilation"),
                ClipRow.generation == bindparam("of_generation"),
                ClipRow.task_index == bindparam("of_index"),
            )
        )
    )
    .values(until=bindparam("later"))
)


def extend(
    connection: Connection,
    compilation_id: str,
    generation: int,
    task_index: int,
    *,
    until: datetime,
) -> None:
    """Extend the lock of a fetch task's clip."""
    values = {
        "of_compilation": compilation_id,
        "of_generation": generation,
        "of_index": task_index,
        "later": until,
    }
    execute_built(connection, _EXTENDED, values)


_RELEASED = delete(FetchLockRow).where(FetchLockRow.clip_id == bindparam("of_clip"))


def release(session: Session, clip_id: str) -> None:
    """Release the lock of a clip."""
    execute_built(session, _RELEASED, {"of_clip": clip_id})


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
