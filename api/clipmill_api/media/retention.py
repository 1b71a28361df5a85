"""Retention: what has expired is deleted every hour. docs/retention.md lists the rules."""

from __future__ import annotations

import asyncio
import itertools
import logging
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from fastapi.concurrency import run_in_threadpool

from clipmill_api.compilations.expiration import remove_expired
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.media import blob_deletion
from clipmill_api.media.expired_rows import delete_expired_rows
from clipmill_api.media.removals import delete_unfinished_uploads, removal
from clipmill_api.media.store_check import check_store
from clipmill_api.queries import rendered_segments, upload_records
from clipmill_api.queries.tombstones import RemovalReason

log = logging.getLogger(__name__)
UPLOAD_LIFETIME = timedelta(days=1)
INTERVAL_S = 3600
# The blob store is listed once a day.
RUNS_PER_CHECK = 24
IDS_PER_QUERY = 500
COPY_LIFETIME_S = 86_400


def sweep(ctx: Context) -> None:
    """Delete once what has expired. Safe beside other replicas and running jobs."""
    _delete_expired_uploads(ctx)
    delete_leftovers(ctx)
    _delete_unused_segments(ctx)
    remove_expired(ctx)
    delete_expired_rows(ctx)
    blob_deletion.delete_due_blobs(ctx)
    ctx.disk.restore_reserve()
    ctx.store.delete_old_temporaries(UPLOAD_LIFETIME.total_seconds())


@asynccontextmanager
async def periodic_sweep(ctx: Context) -> AsyncIterator[None]:
    """Sweep every hour while the context is open."""
    task = asyncio.create_task(_sweep_forever(ctx))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep_forever(ctx: Context) -> None:
    for run in itertools.count():
        await asyncio.sleep(INTERVAL_S)
        try:
            await run_in_threadpool(sweep, ctx)
            if run % RUNS_PER_CHECK == 0:
                await run_in_threadpool(report_findings, ctx)
        except Exception:
            # A failed sweep must not end the API; the next one may succeed.
            log.exception("sweep failed")


def report_findings(ctx: Context) -> None:
    """Compare store and database; log what differs, and set the metrics."""
    check = check_store(ctx)
    findings = {
        "unknown": check.unknown.count,
        "missing": check.missing.count,
        "wrong_size": check.wrong_size.count,
    }
    for name, count in findings.items():
        ctx.metrics.store_findings.labels(name).set(count)
    if not check.is_consistent:
        log.error("store differs from database %s", findings)


def _delete_expired_uploads(ctx: Context) -> None:
    before = ctx.now() - UPLOAD_LIFETIME

    def delete(session: Session) -> None:
        rows = upload_records.list_incomplete(session, before)
        delete_unfinished_uploads(session, ctx, rows)

    ctx.db.write(delete)


def delete_leftovers(ctx: Context) -> None:
    """Delete spooled bytes of uploads that are complete or were deleted, and old copies.

    A crash between a commit and the removal of the file leaves them. An upload's row is committed
    before its file is created, so no file of a running upload is deleted.
    """
    spooled = ctx.spool.ids()
    for start in range(0, len(spooled), IDS_PER_QUERY):
        ids = spooled[start : start + IDS_PER_QUERY]
        with ctx.db.read() as session:
            incomplete = upload_records.incomplete_ids(session, ids)
        for upload_id in set(ids) - incomplete:
            log.info("leftover deleted upload=%s", upload_id)
            ctx.spool.delete(upload_id)
    for path in ctx.settings.temporary.glob("*"):
        if path.stat().st_mtime < time.time() - COPY_LIFETIME_S:
            shutil.rmtree(path, ignore_errors=True)


def _delete_unused_segments(ctx: Context) -> None:
    before = ctx.now() - timedelta(days=ctx.settings.segment_days)
    unused = removal(ctx, RemovalReason.SEGMENT_UNUSED)
    deleted = ctx.db.write(lambda session: rendered_segments.delete_unused(session, before, unused))
    if deleted:
        log.info("segments deleted=%d unused_since=%s", deleted, before)
