"""SQL of the index from media files to the results that play them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.tables import CompilationRow, MediaRow, ResultMediaRow


def add_result_media(session: Session, rows: Iterable[ResultMediaRow]) -> None:
    """Insert what a result plays, in one statement."""
    session.add_all(rows)
    session.flush()


def list_results_playing(
    session: Session, owner: str, media_id: str, limit: int
) -> list[tuple[ResultMediaRow, CompilationRow]]:
    """Return results that play a media file and whose video still exists, newest first."""
    query = (
        select(ResultMediaRow, CompilationRow)
        .join(CompilationRow, CompilationRow.id == ResultMediaRow.compilation_id)
        .join(MediaRow, MediaRow.id == ResultMediaRow.result_id)
        .where(ResultMediaRow.owner == owner, ResultMediaRow.media_id == media_id)
        .order_by(
            ResultMediaRow.created_at.desc(), ResultMediaRow.compilation_id, ResultMediaRow.output
        )
        .limit(limit)
    )
    return [(played, compilation) for played, compilation in session.execute(query)]
