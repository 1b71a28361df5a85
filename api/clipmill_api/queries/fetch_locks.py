"""SQL of fetches: what an owner has for a clip key, and the lock of the clip that fetches it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.integrations.credential_rows import FETCH_KINDS
from clipmill_api.queries.statements import execute_built, insert_of
from clipmill_api.tables import (
    ClipRow,
    CredentialRow,
    FetchLockRow,
    MediaRow,
    TierRow,
    UserRow,
)

_VALUES: dict[str, Any] = {
    name: bindparam(name) for name in ("owner", "clip_key", "clip_id", "until")
}


class OwnerState(NamedTuple):
    """What decides whether and how an owner's clip key is fetched."""

    storage_limit_bytes: int | None
    storage_used_bytes: int
    # Whether media files of this source exist, and whether credentials for any host do.
    has_media: bool
    has_credentials: bool


_HAS_MEDIA = or_(
    exists().where(MediaRow.owner == UserRow.name, MediaRow.clip_key == bindparam("of_clip_key")),
    exists().where(MediaRow.owner == UserRow.name, MediaRow.excerpt_of == bindparam("of_clip_key")),
)
_HAS_CREDENTIALS = exists().where(
    CredentialRow.owner == UserRow.name, or_(*(CredentialRow.kind == kind for kind in FETCH_KINDS))
)
_OWNER_STATE = (
    select(TierRow.storage_limit_bytes, UserRow.storage_used_bytes, _HAS_MEDIA, _HAS_CREDENTIALS)
    .join(TierRow, TierRow.name == UserRow.tier)
    .where(UserRow.name == bindparam("of_owner"))
)


def owner_state(session: Session, owner: str, clip_key: str) -> OwnerState:
    """Return what an existing owner has for a clip key."""
    values = {"of_owner": owner, "of_clip_key": clip_key}
    return OwnerState._make(execute_built(session, _OWNER_STATE, values).one())


@cache
def _acquired(dialect: str) -> Any:
    insert = insert_of(dialect)(FetchLockRow)
    new = insert.excluded
    upsert = insert.values(**_VALUES).on_conflict_do_update(
        index_elements=[FetchLockRow.owner, FetchLockRow.clip_key],
        set_={"clip_id": new.clip_id, "until": new.until},
        where=or_(FetchLockRow.until < bindparam("now"), FetchLockRow.clip_id == new.clip_id),
    )
    return upsert.returning(FetchLockRow.clip_id)


def acquire(
    session: Session, owner: str, clip_key: str, *, clip_id: str, now: datetime, until: datetime
) -> bool:
    """Lock a clip key for a clip. Return False if another clip holds the lock."""
    values = {"owner": owner, "clip_key": clip_key, "clip_id": clip_id, "until": until}
    dialect = session.get_bind().dialect.name
    return execute_built(session, _acquired(dialect), values | {"now": now}).first() is not None


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
