"""SQL of retention: rows that nobody needs any longer. docs/retention.md lists each table's rule.

Each function deletes a batch and returns how many rows it chose, so that no transaction is long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, inspect, or_, select, tuple_
from sqlalchemy.orm import Session, aliased
from sqlalchemy.sql import ColumnElement

from clipmill.protocol import CompilationState
from clipmill_api.queries.compilation_records import IS_NEWEST_REVISION
from clipmill_api.queries.statements import row_count
from clipmill_api.tables import (
    REVISION_IS_ACTIVE,
    Base,
    ClipRow,
    CompilationRow,
    DeliveryRow,
    FetchLockRow,
    IdempotencyRow,
    KeyRow,
    LogLineRow,
    MediaRow,
    NotificationRow,
    ProcessingJobRow,
    ReservationRow,
    ResultMediaRow,
    RevisionRow,
    ShareLinkRow,
    TaskRow,
    UploadRow,
)

BATCH = 500
# Rows of a revision, besides the revision itself.
_OF_REVISION = (ClipRow, TaskRow, LogLineRow, KeyRow, ReservationRow)
_OF_COMPILATION = (*_OF_REVISION, ProcessingJobRow, ResultMediaRow, ShareLinkRow, RevisionRow)


def _delete(session: Session, table: type[Base], expired: ColumnElement[bool]) -> int:
    columns = inspect(table).primary_key
    key = columns[0] if len(columns) == 1 else tuple_(*columns)
    chosen = select(*columns).where(expired).limit(BATCH)
    statement = delete(table).where(key.in_(chosen))
    return row_count(session.execute(statement.execution_options(synchronize_session=False)))


def delete_complete_uploads(session: Session, before: datetime) -> int:
    """Delete complete uploads that were announced before a time."""
    return _delete(session, UploadRow, and_(UploadRow.complete, UploadRow.created_at < before))


def delete_idempotency_keys(session: Session, before: datetime) -> int:
    """Delete Idempotency-Keys that were first used before a time."""
    return _delete(session, IdempotencyRow, IdempotencyRow.created_at < before)


def delete_log_lines(session: Session, before: datetime) -> int:
    """Delete log lines that were written before a time."""
    return _delete(session, LogLineRow, LogLineRow.at < before)


def delete_notifications(session: Session, before: datetime) -> int:
    """Delete notifications that were created before a time and are not pending."""
    expired = and_(NotificationRow.created_at < before, NotificationRow.next_attempt_at.is_(None))
    return _delete(session, NotificationRow, expired)


def delete_deliveries(session: Session, before: datetime) -> int:
    """Delete attempts to deliver that were made before a time."""
    return _delete(session, DeliveryRow, DeliveryRow.at < before)


def delete_fetch_locks(session: Session, before: datetime) -> int:
    """Delete locks that expired before a time."""
    return _delete(session, FetchLockRow, FetchLockRow.until < before)


def delete_keys(session: Session, before: datetime) -> int:
    """Delete keys that expired or were revoked before a time."""
    return _delete(session, KeyRow, or_(KeyRow.expires_at < before, KeyRow.revoked_at < before))


def delete_share_links(session: Session, before: datetime) -> int:
    """Delete links to outputs that expired before a time."""
    return _delete(session, ShareLinkRow, ShareLinkRow.expires_at < before)


def delete_job_keys(session: Session, before: datetime) -> int:
    """Delete keys of jobs whose revision ended before a time."""
    return _delete(session, KeyRow, and_(KeyRow.role == "job", _has_ended(KeyRow, before)))


def delete_tasks(session: Session, before: datetime) -> int:
    """Delete task leases whose revision ended before a time."""
    return _delete(session, TaskRow, _has_ended(TaskRow, before))


def _has_ended(table: type[KeyRow] | type[TaskRow], before: datetime) -> ColumnElement[bool]:
    return exists().where(
        RevisionRow.compilation_id == table.compilation_id,
        RevisionRow.generation == table.generation,
        RevisionRow.completed_at < before,
    )


def delete_old_revisions(session: Session, before: datetime) -> int:
    """Delete revisions without a result that were replaced and ended before a time."""
    query = (
        select(RevisionRow.compilation_id, RevisionRow.generation)
        .join(CompilationRow, CompilationRow.id == RevisionRow.compilation_id)
        .where(
            RevisionRow.generation < CompilationRow.generation,
            RevisionRow.completed_at < before,
            RevisionRow.state != CompilationState.SUCCEEDED.value,
        )
    )
    keys = [tuple(row) for row in session.execute(query.limit(BATCH))]
    for table in (*_OF_REVISION, RevisionRow):
        _delete_of(session, table, tuple_(table.compilation_id, table.generation).in_(keys), keys)
    return len(keys)


def delete_cancelled_compilations(session: Session, before: datetime) -> int:
    """Delete compilations that were cancelled or removed before a time, once without resource.

    Others stay: with the resource still there, the operator would register it again.
    """
    query = (
        select(CompilationRow.id)
        .join(RevisionRow, IS_NEWEST_REVISION)
        .where(
            CompilationRow.outbox.is_(None),
            or_(
                CompilationRow.removed_at < before,
                and_(
                    RevisionRow.state == CompilationState.CANCELLED.value,
                    RevisionRow.completed_at < before,
                ),
            ),
        )
    )
    ids = list(session.scalars(query.limit(BATCH)))
    for table in _OF_COMPILATION:
        _delete_of(session, table, table.compilation_id.in_(ids), ids)
    _delete_of(session, CompilationRow, CompilationRow.id.in_(ids), ids)
    return len(ids)


def _delete_of(
    session: Session, table: type[Base], chosen: ColumnElement[bool], keys: Sequence[object]
) -> None:
    if keys:
        statement = delete(table).where(chosen)
        session.execute(statement.execution_options(synchronize_session=False))


def list_lone_thumbnails(
    session: Session, before: datetime, owner: str | None = None
) -> list[MediaRow]:
    """Return thumbnails of clips that no media file and no active revision shows.

    Args:
        session: The transaction.
        before: Only those created before this time.
        owner: Only those of this owner.
    """
    shown = aliased(MediaRow)
    by_media = exists().where(shown.thumbnail_id == MediaRow.id, shown.owner == MediaRow.owner)
    by_clip = exists().where(
        ClipRow.thumbnail_id == MediaRow.id,
        RevisionRow.compilation_id == ClipRow.compilation_id,
        RevisionRow.generation == ClipRow.generation,
        REVISION_IS_ACTIVE,
    )
    query = select(MediaRow).where(
        MediaRow.kind == "thumbnail",
        MediaRow.compilation_id.is_(None),
        MediaRow.created_at < before,
        ~by_media,
        ~by_clip,
    )
    if owner is not None:
        query = query.where(MediaRow.owner == owner)
    return list(session.scalars(query.limit(BATCH)))
