"""SQL of the deletion of a user, with all rows that belong to them."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from clipmill_api.queries.tombstones import OwnedBlob
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    ClipRow,
    CompilationRow,
    CredentialRow,
    DeliveryRow,
    EpisodeReportRow,
    EpisodeRow,
    FetchLockRow,
    IdempotencyRow,
    KeyRow,
    LogLineRow,
    MediaRow,
    NotificationRow,
    ProcessingJobRow,
    RenderUsageRow,
    RenderWindowRow,
    ReservationRow,
    ResultDeliveryRow,
    ResultMediaRow,
    RevisionRow,
    SegmentRow,
    ShareLinkRow,
    ShowRow,
    TaskRow,
    UploadRow,
    UsedClipRow,
    UserRow,
    WebhookRow,
)

# Tables by compilation, and by owner; those that refer to others come first.
OF_COMPILATIONS = (ClipRow, ResultMediaRow, ShareLinkRow, LogLineRow, TaskRow, RevisionRow)
OF_OWNER = (
    ProcessingJobRow,
    FetchLockRow,
    UploadRow,
    SegmentRow,
    MediaRow,
    KeyRow,
    CredentialRow,
    DeliveryRow,
    NotificationRow,
    ResultDeliveryRow,
    WebhookRow,
    ReservationRow,
    RenderUsageRow,
    RenderWindowRow,
    CompilationRow,
    EpisodeRow,
    ShowRow,
)


def find_active_compilation(session: Session, owner: str) -> str | None:
    """Return the id of a compilation of this owner that has not ended."""
    same_compilation = RevisionRow.compilation_id == CompilationRow.id
    query = select(CompilationRow.id).join(RevisionRow, same_compilation)
    return session.scalar(query.where(CompilationRow.owner == owner, REVISION_IS_ACTIVE).limit(1))


def list_owned_blobs(session: Session, owner: str) -> list[OwnedBlob]:
    """Return the blobs that media files, segments and unfinished uploads of this owner name."""
    digests: set[str] = set()
    for table in (MediaRow, SegmentRow):
        digests |= set(session.scalars(select(table.sha256).where(table.owner == owner)))
    requests = select(UploadRow.request).where(
        UploadRow.owner == owner, UploadRow.complete.is_(False)
    )
    digests |= {request["sha256"] for request in session.scalars(requests)}
    return [(owner, sha256) for sha256 in digests]


def delete_with_rows(session: Session, owner: str) -> None:
    """Delete a user with all rows that belong to them."""
    compilations = select(CompilationRow.id).where(CompilationRow.owner == owner)
    no_sync = {"synchronize_session": False}
    for of_compilation in OF_COMPILATIONS:
        rows = delete(of_compilation).where(of_compilation.compilation_id.in_(compilations))
        session.execute(rows, execution_options=no_sync)
    shows = select(ShowRow.id).where(ShowRow.owner == owner)
    episodes = select(EpisodeRow.id).where(EpisodeRow.owner == owner)
    for rows in (
        delete(UsedClipRow).where(UsedClipRow.show_id.in_(shows)),
        delete(EpisodeReportRow).where(EpisodeReportRow.episode_id.in_(episodes)),
    ):
        session.execute(rows, execution_options=no_sync)
    for of_owner in OF_OWNER:
        session.execute(delete(of_owner).where(of_owner.owner == owner), execution_options=no_sync)
    requests = delete(IdempotencyRow).where(IdempotencyRow.principal == owner)
    session.execute(requests, execution_options=no_sync)
    user = delete(UserRow).where(UserRow.name == owner)
    session.execute(user, execution_options=no_sync)
