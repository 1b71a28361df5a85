"""SQL of the log lines that pods send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from clipmill_api.tables import LogLineRow


def append(
    session: Session, compilation_id: str, generation: int, *, at: datetime, lines: Sequence[str]
) -> None:
    """Append log lines to a revision."""
    if lines:
        row = {"compilation_id": compilation_id, "generation": generation, "at": at}
        session.execute(insert(LogLineRow), [{**row, "line": line} for line in lines])


def tail(session: Session, compilation_id: str, generation: int, limit: int = 50) -> list[str]:
    """Return the last log lines of a revision, oldest first."""
    query = select(LogLineRow.line).where(
        LogLineRow.compilation_id == compilation_id, LogLineRow.generation == generation
    )
    newest = session.scalars(query.order_by(LogLineRow.id.desc()).limit(limit))
    return list(newest)[::-1]
