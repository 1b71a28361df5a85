"""The removal of rows that name blobs: the bytes are kept for a grace period."""

from __future__ import annotations

from datetime import timedelta

from clipmill_api.context import Context
from clipmill_api.queries.tombstones import Removal, RemovalReason


def removal(ctx: Context, reason: RemovalReason) -> Removal:
    """Return a removal that happens now. The setting blob_grace_days ends its grace period."""
    now = ctx.now()
    return Removal(reason, now, now + timedelta(days=ctx.settings.blob_grace_days))
