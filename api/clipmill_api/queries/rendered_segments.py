"""SQL of rendered segments, the cache of each owner."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from clipmill.protocol.assignments import StoredFile
from clipmill_api.queries.statements import execute_built, row_count, upsert
from clipmill_api.queries.tombstones import Removal, add_tombstones
from clipmill_api.tables import SegmentRow


def find_segment(session: Session, owner: str, key: str) -> SegmentRow | None:
    """Return a rendered segment of this owner."""
    return session.get(SegmentRow, (owner, key))


_EXISTING = select(SegmentRow.key).where(
    SegmentRow.owner == bindparam("of_owner"),
    SegmentRow.key.in_(bindparam("keys", expanding=True)),
)


def existing_keys(session: Session, owner: str, keys: Iterable[str]) -> set[str]:
    """Return those of the keys whose segments exist."""
    unique = list(dict.fromkeys(keys))
    if not unique:
        return set()
    return set(execute_built(session, _EXISTING, {"of_owner": owner, "keys": unique}).scalars())


def existing_files(session: Session, owner: str, keys: Iterable[str]) -> dict[str, StoredFile]:
    """Return the files of those of the keys whose segments exist, by key."""
    unique = list(dict.fromkeys(keys))
    if not unique:
        return {}
    columns = (SegmentRow.key, SegmentRow.sha256, SegmentRow.size_bytes)
    query = select(*columns).where(SegmentRow.owner == owner, SegmentRow.key.in_(unique))
    rows = session.execute(query)
    return {key: StoredFile(sha256=sha256, size_bytes=size) for key, sha256, size in rows}


def touch(session: Session, owner: str, keys: Collection[str], *, at: datetime) -> None:
    """Record that segments are used, which restarts their retention period."""
    if keys:
        segments = update(SegmentRow).where(SegmentRow.owner == owner, SegmentRow.key.in_(keys))
        session.execute(segments.values(used_at=at))


def delete_unused(session: Session, before: datetime, removal: Removal) -> int:
    """Delete the rows of segments last used before a time. Return how many.

    Their bytes are deleted at the end of the grace period, unless other rows name them.
    """
    unused = delete(SegmentRow).where(SegmentRow.used_at < before)
    rows = session.execute(unused.returning(SegmentRow.owner, SegmentRow.sha256)).all()
    add_tombstones(session, [(row.owner, row.sha256) for row in rows], removal)
    return len(rows)


def delete_segment(session: Session, segment: SegmentRow) -> None:
    """Delete the row of a segment whose bytes are lost, unless it has other bytes by now."""
    lost = (
        SegmentRow.owner == segment.owner,
        SegmentRow.key == segment.key,
        SegmentRow.sha256 == segment.sha256,
    )
    session.execute(delete(SegmentRow).where(*lost))


def delete_excess(
    session: Session, limit_bytes: int, idle_since: datetime, removal: Removal
) -> int:
    """Delete the rows of the least recently used segments beyond each owner's limit.

    Args:
        session: The transaction.
        limit_bytes: Bytes that the segments of one owner may take.
        idle_since: Segments used later are kept.
        removal: For their tombstones.

    Returns:
        The number of rows.
    """
    newest_first = (SegmentRow.used_at.desc(), SegmentRow.key)
    total = func.sum(SegmentRow.size_bytes).over(
        partition_by=SegmentRow.owner, order_by=newest_first
    )
    sums = select(SegmentRow.owner, SegmentRow.key, total.label("total")).subquery()
    excess = select(sums.c.owner, sums.c.key).where(sums.c.total > limit_bytes)
    key = tuple_(SegmentRow.owner, SegmentRow.key)
    statement = delete(SegmentRow).where(key.in_(excess), SegmentRow.used_at < idle_since)
    rows = session.execute(
        statement.returning(SegmentRow.owner, SegmentRow.sha256),
        execution_options={"synchronize_session": False},
    ).all()
    add_tombstones(session, [(row.owner, row.sha256) for row in rows], removal)
    return len(rows)


def add_segment(session: Session, segment: SegmentRow) -> bool:
    """Insert a segment. Return False if one of this key exists."""
    values = {c.name: getattr(segment, c.name) for c in SegmentRow.__table__.columns}
    insert = upsert(session, SegmentRow).values(**values).on_conflict_do_nothing()
    return row_count(session.execute(insert)) > 0
