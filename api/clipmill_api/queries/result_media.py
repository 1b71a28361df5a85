"""SQL of which results play which media: an index, written with each success."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from clipmill_api.tables import Compilation, Media, ResultMedia


def add(session: Session, rows: Iterable[ResultMedia]) -> None:
    """Keep what a success plays, in one statement."""
    session.add_all(rows)
    session.flush()


def using(
    session: Session, owner: str, media_id: str, limit: int
) -> list[tuple[ResultMedia, Compilation]]:
    """Results that are still there and play this media file, newest first: one statement."""
    rows = (
        select(ResultMedia, Compilation)
        .join(Compilation, Compilation.id == ResultMedia.compilation_id)
        .join(Media, Media.id == ResultMedia.result_id)
        .where(ResultMedia.owner == owner, ResultMedia.media_id == media_id)
        .order_by(ResultMedia.created_at.desc(), ResultMedia.compilation_id, ResultMedia.output)
        .limit(limit)
    )
    return [(use, compilation) for use, compilation in session.execute(rows)]
