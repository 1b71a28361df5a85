"""Completion of uploads: each once at a time, in the order of the probe queue."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool

from clipmill.protocol import Upload
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.media import inspection, uploads
from clipmill_api.queries import revisions
from clipmill_api.tracing.revision_traces import SpanStart


async def complete(ctx: Context, principal: Principal, upload_id: str) -> Upload:
    """Complete an upload. Requests of one caller at the same time share one result.

    Raises:
        ApiProblem: As `uploads.complete`, and 503 if too many files wait to be inspected.
    """
    return await ctx.completions.run(
        (upload_id, principal), lambda: _complete_in_turn(ctx, principal, upload_id)
    )


async def _complete_in_turn(ctx: Context, principal: Principal, upload_id: str) -> Upload:
    row = await run_in_threadpool(uploads.find, ctx, principal, upload_id)
    queue = ctx.decodings if inspection.is_untrusted(row) else ctx.header_reads
    async with queue.slot(row.owner):
        start = ctx.traces.start(ctx.now())
        upload = await run_in_threadpool(uploads.complete, ctx, principal, upload_id)
    if ctx.traces.is_on and principal.compilation_id:
        await run_in_threadpool(_trace, ctx, principal, start, row.request["purpose"])
    return upload


def _trace(ctx: Context, principal: Principal, start: SpanStart, purpose: str) -> None:
    with ctx.db.read() as session:
        revision = revisions.find_revision(session, principal.compilation_id, principal.generation)
    if revision:
        attributes = {"clipmill.purpose": purpose, "clipmill.stage": principal.stage.value}
        ctx.traces.finish(start, revision.traceparent, "inspect upload", attributes)
