"""SQL of the index from media files to the results that play them, and of links to results."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count
from clipmill_api.tables import CompilationRow, MediaRow, ResultMediaRow, ShareLinkRow


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


def add_share_link(session: Session, row: ShareLinkRow) -> None:
    """Insert a link."""
    session.add(row)
    session.flush()


def list_share_links(session: Session, compilation_id: str, now: datetime) -> list[ShareLinkRow]:
    """Return the links of a compilation that have not expired and whose file exists, by age."""
    query = (
        select(ShareLinkRow)
        .join(MediaRow, MediaRow.id == ShareLinkRow.media_id)
        .where(ShareLinkRow.compilation_id == compilation_id, ShareLinkRow.expires_at > now)
        .order_by(ShareLinkRow.created_at, ShareLinkRow.id)
    )
    return list(session.scalars(query))


def find_shared_media(session: Session, link_id: str) -> MediaRow | None:
    """Return the file that a link reads, unless the link was revoked or the file deleted."""
    query = (
        select(MediaRow)
        .join(ShareLinkRow, ShareLinkRow.media_id == MediaRow.id)
        .where(ShareLinkRow.id == link_id)
    )
    return session.scalar(query)


def delete_share_link(session: Session, compilation_id: str, link_id: str) -> bool:
    """Delete a link of a compilation. Return whether it existed."""
    statement = delete(ShareLinkRow).where(
        ShareLinkRow.id == link_id, ShareLinkRow.compilation_id == compilation_id
    )
    return row_count(session.execute(statement)) > 0
