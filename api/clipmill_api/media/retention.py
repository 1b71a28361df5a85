"""What nobody needs any more goes: idle uploads, segments long unused, bytes that no row names."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from clipmill_api.accounts.output_policy import INSTALLATION
from clipmill_api.context import Context
from clipmill_api.queries import media_library, quota_ledger

log = logging.getLogger(__name__)
UPLOAD_LIFE = timedelta(days=1)
"""An upload that nobody finished is dropped after this."""
BLOB_REST = timedelta(days=1)
"""Bytes are written before their row is: younger ones may still get one."""
EVERY_S = 3600


def sweep(ctx: Context) -> None:
    """One round. Harmless beside another replica's, and beside running jobs."""
    _idle_uploads(ctx)
    _unused_segments(ctx)
    _nameless_blobs(ctx)


@asynccontextmanager
async def sweeping(ctx: Context) -> AsyncIterator[None]:
    """A round every hour while the API runs."""
    task = asyncio.create_task(_rounds(ctx))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _rounds(ctx: Context) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            await run_in_threadpool(sweep, ctx)
        except Exception:
            # The next round may fare better; a broken sweep must not end the API.
            log.exception("sweep failed")


def _idle_uploads(ctx: Context) -> None:
    before = ctx.now() - UPLOAD_LIFE

    def drop(session: Session) -> list[str]:
        rows = media_library.idle_uploads(session, before)
        for row in rows:
            quota_ledger.give_storage(session, row.owner, row.reserved_bytes)
            media_library.drop_upload(session, row.id)
        return [row.id for row in rows]

    for upload_id in ctx.db.write(drop):
        ctx.store.forget(upload_id)


def _unused_segments(ctx: Context) -> None:
    before = ctx.now() - timedelta(days=ctx.settings.segment_days)
    dropped = ctx.db.write(lambda session: media_library.drop_segments(session, before))
    if dropped:
        log.info("segments dropped=%d unused_since=%s", dropped, before)


def _nameless_blobs(ctx: Context) -> None:
    """A cancelled render's outputs lose their rows at once, and their bytes here.

    Watermarks have no rows: orders that are not done yet name them, and there are few.
    """
    for blobs in ctx.store.older_than(ctx.clock() - BLOB_REST):
        with ctx.db.read() as session:
            named = media_library.named_blobs(session, blobs)
        for owner, sha256 in blobs:
            if owner != INSTALLATION and (owner, sha256) not in named:
                ctx.store.drop(owner, sha256)
