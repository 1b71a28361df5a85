"""SQL of uploads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import row_count
from clipmill_api.tables import UploadRow


def find_upload(session: Session, owner: str, upload_id: str) -> UploadRow | None:
    """Return an upload of this owner."""
    query = select(UploadRow).where(UploadRow.id == upload_id, UploadRow.owner == owner)
    return session.scalars(query).one_or_none()


def find_incomplete(session: Session, owner: str, request_sha256: str) -> UploadRow | None:
    """Return the oldest incomplete upload of the same request."""
    query = select(UploadRow).where(
        UploadRow.owner == owner,
        UploadRow.request_sha256 == request_sha256,
        UploadRow.complete.is_(False),
    )
    return session.scalars(query.order_by(UploadRow.created_at).limit(1)).one_or_none()


def find_complete(session: Session, owner: str, request_sha256: str) -> UploadRow | None:
    """Return the newest complete upload of the same request."""
    query = select(UploadRow).where(
        UploadRow.owner == owner,
        UploadRow.request_sha256 == request_sha256,
        UploadRow.complete.is_(True),
    )
    return session.scalars(query.order_by(UploadRow.created_at.desc()).limit(1)).one_or_none()


def add_upload(session: Session, upload: UploadRow) -> None:
    """Insert an upload."""
    session.add(upload)
    session.flush()


def mark_complete(
    session: Session, upload_id: str, *, media_id: str | None, segment_key: str | None
) -> bool:
    """Mark an upload as complete. Return False if it was before."""
    upload = update(UploadRow).where(UploadRow.id == upload_id, UploadRow.complete.is_(False))
    values = {"complete": True, "media_id": media_id, "segment_key": segment_key}
    return row_count(session.execute(upload.values(**values))) > 0


def delete_incomplete(session: Session, upload_id: str) -> bool:
    """Delete an upload unless it is complete. Return whether it was deleted."""
    upload = delete(UploadRow).where(UploadRow.id == upload_id, UploadRow.complete.is_(False))
    return row_count(session.execute(upload)) > 0


def list_incomplete_of(session: Session, compilation_id: str) -> list[UploadRow]:
    """Return the incomplete uploads of a compilation's jobs."""
    query = select(UploadRow).where(
        UploadRow.compilation_id == compilation_id, UploadRow.complete.is_(False)
    )
    return list(session.scalars(query))


def incomplete_ids(session: Session, upload_ids: Collection[str]) -> set[str]:
    """Return those of the ids that belong to incomplete uploads."""
    query = select(UploadRow.id).where(UploadRow.id.in_(upload_ids), UploadRow.complete.is_(False))
    return set(session.scalars(query))


def list_incomplete(session: Session, before: datetime) -> list[UploadRow]:
    """Return the incomplete uploads that were announced before a time."""
    query = select(UploadRow).where(UploadRow.created_at < before, UploadRow.complete.is_(False))
    return list(session.scalars(query))
