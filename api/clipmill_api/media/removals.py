"""The removal of rows that name blobs: the bytes are kept for a grace period."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.queries import quota_ledger, upload_records
from clipmill_api.queries.tombstones import Removal, RemovalReason, add_tombstones
from clipmill_api.tables import UploadRow


def removal(ctx: Context, reason: RemovalReason) -> Removal:
    """Return a removal that happens now. The setting blob_grace_days ends its grace period."""
    now = ctx.now()
    return Removal(reason, now, now + timedelta(days=ctx.settings.blob_grace_days))


def delete_unfinished_uploads(session: Session, ctx: Context, rows: Sequence[UploadRow]) -> None:
    """Delete unfinished uploads and release their storage.

    Their spooled bytes become leftovers, which the next sweep deletes.
    """
    # An upload that was interrupted before its publication may have stored a blob already.
    blobs = [(row.owner, row.request["sha256"]) for row in rows]
    add_tombstones(session, blobs, removal(ctx, RemovalReason.UPLOAD_EXPIRED))
    for row in rows:
        if upload_records.delete_incomplete(session, row.id):
            quota_ledger.release_storage(session, row.owner, row.reserved_bytes)
