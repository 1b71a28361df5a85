"""SQL of results that expire: by time, and beyond the newest ones of an owner."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from clipmill.protocol import CompilationState
from clipmill_api.queries.compilation_records import IS_NEWEST_REVISION
from clipmill_api.queries.shows.episode_rows import OPEN
from clipmill_api.tables import CompilationRow, EpisodeRow, RevisionRow, UserRow

# A draft that waits for approval is kept until its episode ends.
_IS_OF_OPEN_EPISODE = exists().where(
    EpisodeRow.compilation_id == CompilationRow.id, EpisodeRow.state.in_(OPEN)
)


def list_due(session: Session, now: datetime, limit: int) -> list[str]:
    """Return compilations that have expired, those that expired first at the front."""
    query = select(CompilationRow.id).where(
        CompilationRow.expires_at <= now,
        CompilationRow.removed_at.is_(None),
        ~_IS_OF_OPEN_EPISODE,
    )
    return list(session.scalars(query.order_by(CompilationRow.expires_at).limit(limit)))


def list_beyond_newest(session: Session, limit: int) -> list[str]:
    """Return succeeded compilations beyond the number that their owners keep, oldest first."""
    place = func.row_number().over(
        partition_by=CompilationRow.owner,
        order_by=(RevisionRow.completed_at.desc(), CompilationRow.id.desc()),
    )
    ranked = (
        select(
            CompilationRow.id, RevisionRow.completed_at, UserRow.newest_results, place.label("n")
        )
        .join(RevisionRow, IS_NEWEST_REVISION)
        .join(UserRow, UserRow.name == CompilationRow.owner)
        .where(
            UserRow.newest_results.is_not(None),
            CompilationRow.removed_at.is_(None),
            RevisionRow.state == CompilationState.SUCCEEDED.value,
            ~_IS_OF_OPEN_EPISODE,
        )
        .subquery()
    )
    query = select(ranked.c.id).where(ranked.c.n > ranked.c.newest_results)
    return list(session.scalars(query.order_by(ranked.c.completed_at).limit(limit)))


def expiry_times(session: Session, ids: Collection[str | None]) -> dict[str, datetime]:
    """Return when those of the compilations expire that do."""
    requested = {compilation_id for compilation_id in ids if compilation_id}
    if not requested:
        return {}
    query = select(CompilationRow.id, CompilationRow.expires_at).where(
        CompilationRow.id.in_(requested), CompilationRow.expires_at.is_not(None)
    )
    return {row.id: row.expires_at for row in session.execute(query)}
