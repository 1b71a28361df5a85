"""SQL of leases, fetch locks and log lines. An epoch fences older holders out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from clipmill_api.queries.quota_ledger import changed
from clipmill_api.tables import ClipRow, FetchLockRow, LogLineRow, TaskRow

Where = tuple[str, int, str, int]
"""(compilation, generation, stage, index): one part of one job."""


def _is(where: Where) -> list[ColumnElement[bool]]:
    compilation_id, generation, stage, index = where
    return [
        TaskRow.compilation_id == compilation_id,
        TaskRow.generation == generation,
        TaskRow.stage == stage,
        TaskRow.index == index,
    ]


def part(session: Session, where: Where) -> TaskRow | None:
    """A part, if it was ever claimed."""
    return session.scalars(select(TaskRow).where(*_is(where)).with_for_update()).one_or_none()


def claim(session: Session, where: Where, holder: str, lease_until: datetime) -> int:
    """A first claim, or one over a lease that ran out: raises the epoch and answers it."""
    row = part(session, where)
    if row is None:
        compilation_id, generation, stage, index = where
        row = TaskRow(
            compilation_id=compilation_id,
            generation=generation,
            stage=stage,
            index=index,
            epoch=0,
            holder=holder,
            lease_until=lease_until,
        )
        session.add(row)
    row.epoch += 1
    row.holder, row.lease_until, row.done = holder, lease_until, False
    session.flush()
    return row.epoch


def beat(session: Session, where: Where, *, epoch: int, lease_until: datetime, percent: int) -> bool:
    """Hold on to a part. False: a later claim has taken it."""
    mine = update(TaskRow).where(*_is(where), TaskRow.epoch == epoch, TaskRow.done.is_(False))
    return changed(session.execute(mine.values(lease_until=lease_until, percent=percent)))


def finish(session: Session, where: Where, *, epoch: int, done: bool, now: datetime) -> bool:
    """End a claim: the part is done, or free for another try."""
    mine = update(TaskRow).where(*_is(where), TaskRow.epoch == epoch)
    return changed(session.execute(mine.values(done=done, lease_until=now)))


def lock_fetch(
    session: Session, owner: str, clip_key: str, *, clip_id: str, now: datetime, until: datetime
) -> bool:
    """Be the one who fetches this clip of this owner. False: another is at it."""
    dialect = session.get_bind().dialect.name
    put: Any = postgresql.insert if dialect == "postgresql" else sqlite.insert
    values = {"owner": owner, "clip_key": clip_key, "clip_id": clip_id, "until": until}
    free = or_(FetchLockRow.until < now, FetchLockRow.clip_id == clip_id)
    keys = [FetchLockRow.owner, FetchLockRow.clip_key]
    taken = put(FetchLockRow).values(**values)
    taken = taken.on_conflict_do_update(
        index_elements=keys, set_={"clip_id": clip_id, "until": until}, where=free
    )
    return session.execute(taken.returning(FetchLockRow.clip_id)).first() is not None


def extend_fetch_at(
    session: Session, compilation_id: str, generation: int, part: int, until: datetime
) -> None:
    """Hold on to the fetch lock of a part's clip."""
    at = select(ClipRow.id).where(
        ClipRow.compilation_id == compilation_id,
        ClipRow.generation == generation,
        ClipRow.task_index == part,
    )
    mine = update(FetchLockRow).where(FetchLockRow.clip_id.in_(at))
    session.execute(mine.values(until=until))


def unlock_fetch(session: Session, clip_id: str) -> None:
    """Let the next one fetch."""
    session.execute(delete(FetchLockRow).where(FetchLockRow.clip_id == clip_id))


def unlock_fetches(session: Session, where: tuple[str, int], numbers: Collection[int]) -> None:
    """Let the next ones fetch the clips of some tasks."""
    compilation_id, generation = where
    these = select(ClipRow.id).where(
        ClipRow.compilation_id == compilation_id,
        ClipRow.generation == generation,
        ClipRow.task_index.in_(numbers),
    )
    session.execute(delete(FetchLockRow).where(FetchLockRow.clip_id.in_(these)))


def add_log(
    session: Session, compilation_id: str, generation: int, *, at: datetime, lines: Sequence[str]
) -> None:
    """Append log lines."""
    if lines:
        at_this = {"compilation_id": compilation_id, "generation": generation, "at": at}
        session.execute(insert(LogLineRow), [{**at_this, "line": line} for line in lines])


def log(session: Session, compilation_id: str, generation: int, limit: int = 50) -> list[str]:
    """The last log lines, oldest first."""
    mine = (LogLineRow.compilation_id == compilation_id, LogLineRow.generation == generation)
    rows = select(LogLineRow.line).where(*mine).order_by(LogLineRow.id.desc()).limit(limit)
    return list(session.scalars(rows))[::-1]
