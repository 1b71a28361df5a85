"""Delete rows that have expired, in short transactions. docs/retention.md lists the rules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.media.removals import removal
from clipmill_api.queries import expiry, media_library, quota_ledger, rendered_segments
from clipmill_api.queries.integrations import result_deliveries
from clipmill_api.queries.tombstones import Removal, RemovalReason

log = logging.getLogger(__name__)
# Deletes a batch of rows that are older than a time. Returns how many.
Rule = Callable[[Session, datetime], int]
# After this time no request repeats one that was answered.
REPEAT_DAYS = 1
IDEMPOTENCY_DAYS = 7
# A running assembly needs its segments, which its claim has marked as used.
SEGMENT_IN_USE = timedelta(hours=6)


def delete_expired_rows(ctx: Context) -> None:
    """Apply the rule of each table once."""
    history_days, log_days = ctx.settings.history_days, ctx.settings.log_days
    rules: tuple[tuple[str, Rule, int], ...] = (
        ("uploads", expiry.delete_complete_uploads, REPEAT_DAYS),
        ("tasks", expiry.delete_tasks, REPEAT_DAYS),
        ("fetch locks", expiry.delete_fetch_locks, REPEAT_DAYS),
        ("job keys", expiry.delete_job_keys, REPEAT_DAYS),
        ("keys", expiry.delete_keys, history_days),
        ("share links", expiry.delete_share_links, REPEAT_DAYS),
        ("idempotency keys", expiry.delete_idempotency_keys, IDEMPOTENCY_DAYS),
        ("deliveries", expiry.delete_deliveries, log_days),
        ("result deliveries", result_deliveries.delete_without_revision, REPEAT_DAYS),
        ("notifications", expiry.delete_notifications, log_days),
        ("log lines", expiry.delete_log_lines, log_days),
        ("revisions", expiry.delete_old_revisions, history_days),
        ("compilations", expiry.delete_cancelled_compilations, history_days),
    )
    for name, rule, days in rules:
        _apply(ctx, name, rule, ctx.now() - timedelta(days=days))
    lone_since = ctx.now() - timedelta(days=REPEAT_DAYS)
    _apply(
        ctx, "thumbnails", lambda session, at: delete_lone_thumbnails(session, ctx, at), lone_since
    )
    _delete_excess_segments(ctx)


def _apply(ctx: Context, name: str, rule: Rule, before: datetime) -> None:
    total = 0
    while deleted := ctx.db.write(lambda session: rule(session, before)):
        total += deleted
    if total:
        log.info("expired table=%r rows=%d before=%s", name, total, before)


def delete_lone_thumbnails(
    session: Session, ctx: Context, before: datetime, owner: str | None = None
) -> int:
    """Delete thumbnails that nothing shows any longer, and release their storage."""
    rows = expiry.list_lone_thumbnails(session, before, owner)
    for row in rows:
        quota_ledger.lock_owner(session, row.owner)
        media_library.delete_media(session, row, removal(ctx, RemovalReason.MEDIA_DELETED))
        quota_ledger.release_storage(session, row.owner, row.size_bytes)
    return len(rows)


def _delete_excess_segments(ctx: Context) -> None:
    """Delete the segments of an owner that were not used for longest, beyond the limit.

    Their bytes get no grace period: a segment can be rendered again, and the disk is needed.
    """
    now = ctx.now()
    excess = Removal(RemovalReason.SEGMENT_UNUSED, now, now)
    limit, idle_since = ctx.settings.segment_bytes, now - SEGMENT_IN_USE
    deleted = ctx.db.write(
        lambda session: rendered_segments.delete_excess(session, limit, idle_since, excess)
    )
    if deleted:
        log.info("segments deleted=%d limit_bytes=%d", deleted, limit)
