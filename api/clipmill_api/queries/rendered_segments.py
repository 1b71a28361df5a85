"""SQL of rendered segments, the cache of each owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count, upsert
from clipmill_api.tables import SegmentRow


def find_segment(session: Session, owner: str, key: str) -> SegmentRow | None:
    """Return a rendered segment of this owner."""
    return session.get(SegmentRow, (owner, key))


def existing_keys(session: Session, owner: str, keys: Iterable[str]) -> set[str]:
    """Return those of the keys whose segments exist."""
    unique = list(dict.fromkeys(keys))
    if not unique:
        return set()
    query = select(SegmentRow.key).where(SegmentRow.owner == owner, SegmentRow.key.in_(unique))
    return set(session.scalars(query))


def touch(session: Session, owner: str, keys: Collection[str], *, at: datetime) -> None:
    """Record that segments are used, which restarts their retention period."""
    if keys:
        segments = update(SegmentRow).where(SegmentRow.owner == owner, SegmentRow.key.in_(keys))
        session.execute(segments.values(used_at=at))


def delete_unused(session: Session, before: datetime) -> int:
    """Delete the rows of segments last used before a time. Return how many."""
    return row_count(session.execute(delete(SegmentRow).where(SegmentRow.used_at < before)))


def add_segment(session: Session, segment: SegmentRow) -> None:
    """Insert a segment, unless one of this key exists."""
    values = {c.name: getattr(segment, c.name) for c in SegmentRow.__table__.columns}
    session.execute(upsert(session, SegmentRow).values(**values).on_conflict_do_nothing())
