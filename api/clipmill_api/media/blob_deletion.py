"""Deletion of bytes: only of blobs with a tombstone that is due, and few at a time."""

from __future__ import annotations

import logging
from functools import partial

from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.queries import media_library, quota_ledger, tombstones
from clipmill_api.queries.tombstones import OwnedBlob

log = logging.getLogger(__name__)
# Blobs that one run may delete: a share of all, so that a mistake is noticed before it is complete.
MAX_SHARE = 0.05
ALWAYS_ALLOWED = 100


def deletion_limit(blobs: int) -> int:
    """Return how many blobs one run may delete in a store of so many."""
    return max(ALWAYS_ALLOWED, int(blobs * MAX_SHARE))


def delete_due_blobs(ctx: Context) -> int:
    """Delete blobs whose grace period is over and that no row names. Return how many."""
    now = ctx.now()
    with ctx.db.read() as session:
        limit = deletion_limit(media_library.count_blob_rows(session))
        due = tombstones.list_due(session, now, limit)
        waiting = tombstones.count_waiting(session, now) - len(due)
    ctx.metrics.blobs_over_limit.set(waiting)
    if waiting:
        log.error("blobs to delete exceed the limit of a run limit=%d waiting=%d", limit, waiting)
    return sum(ctx.db.write(partial(_delete_blob, ctx, blob)) for blob in due)


def _delete_blob(ctx: Context, blob: OwnedBlob, session: Session) -> bool:
    """Delete the bytes of a blob within the transaction that checks that no row names it.

    The lock keeps uploads of its owner from publishing the same bytes meanwhile.
    """
    owner, sha256 = blob
    quota_ledger.lock_owner(session, owner)
    tombstone = tombstones.find_due(session, blob, ctx.now())
    if tombstone is None:
        return False
    if media_library.is_blob_referenced(session, owner, sha256):
        tombstones.remove_tombstone(session, blob)
        return False
    ctx.store.delete(owner, sha256)
    tombstone.deleted_at = ctx.now()
    log.info(
        "blob deleted owner=%s sha256=%s reason=%s marked_at=%s",
        *(owner, sha256, tombstone.reason, tombstone.marked_at.isoformat()),
    )
    ctx.metrics.deleted_blobs.labels(tombstone.reason).inc()
    return True
