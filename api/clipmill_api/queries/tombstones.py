"""SQL of tombstones: blobs that removed rows named.

Whoever removes a row that names a blob adds a tombstone in the same transaction. Whether another
row names the blob is decided when it is due, so that no race can lose or leak bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from clipmill_api.queries.statements import upsert
from clipmill_api.tables import TombstoneRow

# (owner, sha256) of a blob.
OwnedBlob: TypeAlias = "tuple[str, str]"
# Rows of one statement: SQLite and PostgreSQL limit its parameters.
BATCH = 1000


class RemovalReason(StrEnum):
    """Why the row of a blob was removed."""

    MEDIA_DELETED = "media-deleted"
    OUTPUT_UNREFERENCED = "output-unreferenced"
    RESULT_EXPIRED = "result-expired"
    OUTPUT_DELETED = "output-deleted"
    COMPILATION_DELETED = "compilation-deleted"
    RESOURCE_DELETED = "resource-deleted"
    SEGMENT_UNUSED = "segment-unused"
    SEGMENT_REPLACED = "segment-replaced"
    UPLOAD_EXPIRED = "upload-expired"
    UPLOAD_DUPLICATE = "upload-duplicate"
    OWNER_DELETED = "owner-deleted"
    UNKNOWN_BYTES = "unknown-bytes"


@dataclass(frozen=True, slots=True)
class Removal:
    """A removal of rows: why, when, and until when their bytes are kept."""

    reason: RemovalReason
    marked_at: datetime
    delete_after: datetime


def add_tombstones(session: Session, blobs: Iterable[OwnedBlob], removal: Removal) -> None:
    """Mark blobs whose rows are removed. Marking one again restarts its grace period."""
    values = [
        {
            "owner": owner,
            "sha256": sha256,
            "reason": removal.reason.value,
            "marked_at": removal.marked_at,
            "delete_after": removal.delete_after,
            "deleted_at": None,
        }
        for owner, sha256 in sorted(set(blobs))  # sorted, so that two transactions cannot deadlock
    ]
    for start in range(0, len(values), BATCH):
        insert = upsert(session, TombstoneRow).values(values[start : start + BATCH])
        changed = ("reason", "marked_at", "delete_after", "deleted_at")
        update = {name: insert.excluded[name] for name in changed}
        key = [TombstoneRow.owner, TombstoneRow.sha256]
        session.execute(insert.on_conflict_do_update(index_elements=key, set_=update))


def list_due(session: Session, now: datetime, limit: int) -> list[OwnedBlob]:
    """Return blobs whose grace period is over, those marked first at the front."""
    query = select(TombstoneRow.owner, TombstoneRow.sha256).where(
        TombstoneRow.deleted_at.is_(None), TombstoneRow.delete_after <= now
    )
    rows = session.execute(query.order_by(TombstoneRow.delete_after).limit(limit))
    return [(row.owner, row.sha256) for row in rows]


def find_due(session: Session, blob: OwnedBlob, now: datetime) -> TombstoneRow | None:
    """Return the tombstone of a blob if its grace period is over and its bytes are not deleted."""
    row = session.get(TombstoneRow, blob)
    is_due = row is not None and row.deleted_at is None and row.delete_after <= now
    return row if is_due else None


def remove_tombstone(session: Session, blob: OwnedBlob) -> None:
    """Delete the tombstone of a blob that a row names again."""
    key = tuple_(TombstoneRow.owner, TombstoneRow.sha256)
    session.execute(delete(TombstoneRow).where(key == blob))


def delete_old(session: Session, before: datetime) -> None:
    """Delete the tombstones of blobs that were deleted before a time."""
    session.execute(delete(TombstoneRow).where(TombstoneRow.deleted_at < before))


def marked_blobs(session: Session, blobs: Iterable[OwnedBlob]) -> set[OwnedBlob]:
    """Return those of the blobs that wait for their deletion."""
    requested = set(blobs)
    query = select(TombstoneRow.owner, TombstoneRow.sha256).where(
        TombstoneRow.sha256.in_({sha256 for _, sha256 in requested}),
        TombstoneRow.deleted_at.is_(None),
    )
    return {(row.owner, row.sha256) for row in session.execute(query)} & requested


def count_waiting(session: Session, due_at: datetime | None = None) -> int:
    """Return how many blobs wait for their deletion; only those due at a time if it is given."""
    query = select(func.count()).select_from(TombstoneRow)
    query = query.where(TombstoneRow.deleted_at.is_(None))
    if due_at is not None:
        query = query.where(TombstoneRow.delete_after <= due_at)
    return session.scalar(query) or 0
