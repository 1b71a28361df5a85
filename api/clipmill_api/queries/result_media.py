"""SQL of which results play which media: an index, written with each success."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.tables import CompilationRow, MediaRow, ResultMediaRow


def add(session: Session, rows: Iterable[ResultMediaRow]) -> None:
    """Keep what a success plays, in one statement."""
    session.add_all(rows)
    session.flush()


def using(
    session: Session, owner: str, media_id: str, limit: int
) -> list[tuple[ResultMediaRow, CompilationRow]]:
    """Results that are still there and play this media file, newest first: one statement."""
    rows = (
        select(ResultMediaRow, CompilationRow)
        .join(CompilationRow, CompilationRow.id == ResultMediaRow.compilation_id)
        .join(MediaRow, MediaRow.id == ResultMediaRow.result_id)
        .where(ResultMediaRow.owner == owner, ResultMediaRow.media_id == media_id)
        .order_by(
            ResultMediaRow.created_at.desc(), ResultMediaRow.compilation_id, ResultMediaRow.output
        )
        .limit(limit)
    )
    return [(use, compilation) for use, compilation in session.execute(rows)]
