"""The event stream of a compilation: server-sent events at each change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from clipmill.protocol import TERMINAL_STATES, CompilationView
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.routes.compilation_routes import compilation_view

router = APIRouter(prefix="/api", tags=["compilations"])
POLL_S = 0.5


def _first_view(ctx: Ctx, principal: UserPrincipal, compilation_id: str) -> CompilationView:
    """Return the compilation, or raise 404 before the stream begins."""
    return compilation_view(ctx, principal.owner, compilation_id)


@router.get("/compilations/{compilation_id}/events", response_class=EventSourceResponse)
async def watch_compilation(
    ctx: Ctx, principal: UserPrincipal, view: Annotated[CompilationView, Depends(_first_view)]
) -> AsyncIterator[ServerSentEvent]:
    """Stream the compilation at each change as server-sent events, until it has ended."""
    yield _event(view)
    while view.state not in TERMINAL_STATES:
        await asyncio.sleep(POLL_S)
        current = await run_in_threadpool(compilation_view, ctx, principal.owner, view.id)
        if current != view:
            view = current
            yield _event(view)


def _event(view: CompilationView) -> ServerSentEvent:
    return ServerSentEvent(event="compilation", raw_data=view.model_dump_json(by_alias=True))
