"""Event streams of one compilation and of all: server-sent events at each change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from clipmill.protocol import TERMINAL_STATES, CompilationView, DeletedCompilation
from clipmill_api.compilations.responses import list_changes
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.http.routes.compilation_routes import compilation_view
from clipmill_api.timestamps import format_time, parse_time

router = APIRouter(prefix="/api", tags=["compilations"])
POLL_S = 0.5
LIST_POLL_S = 1
# A stream ends so that a revoked key reads no longer.
STREAM_S = 3600


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


def _event(view: CompilationView, event_id: str | None = None) -> ServerSentEvent:
    data = view.model_dump_json(by_alias=True)
    return ServerSentEvent(event="compilation", raw_data=data, id=event_id)


def _since(
    last_event_id: Annotated[
        str | None, Header(max_length=40, description="Id of the last event that was received.")
    ] = None,
) -> datetime | None:
    """Return the time up to which a client has all events. Raises 422 before the stream begins."""
    if last_event_id is None:
        return None
    try:
        return parse_time(last_event_id)
    except ValueError:
        detail = f"Last-Event-ID: {last_event_id!r} is not the id of an event"
        raise ApiProblem(422, "Invalid", detail, field="Last-Event-ID") from None


@router.get("/events", response_class=EventSourceResponse)
async def watch_compilations(
    ctx: Ctx, principal: UserPrincipal, since: Annotated[datetime | None, Depends(_since)]
) -> AsyncIterator[ServerSentEvent]:
    """Stream all compilations at each change as server-sent events, with an id to resume from.

    It begins with those that are active, and with `Last-Event-ID` also those that were created,
    ended or deleted since. An event may come twice. The stream ends after an hour; clients
    connect again with the last id, as `EventSource` does.
    """
    sent: dict[str, CompilationView] = {}
    gone: set[str] = set()
    since = since or ctx.now()
    end = time.monotonic() + STREAM_S
    while time.monotonic() < end:
        changes = await run_in_threadpool(list_changes, ctx, principal.owner, since)
        events = [_event(view) for view in changes.views if sent.get(view.id) != view]
        events += [_deletion(id_) for id_ in changes.deleted if id_ not in gone]
        # A client that lost the connection within these events has not seen all of them.
        for event in events[:-1]:
            yield event.model_copy(update={"id": format_time(since)})
        for event in events[-1:]:
            yield event.model_copy(update={"id": format_time(changes.at)})
        sent = {view.id: view for view in changes.views}
        gone, since = set(changes.deleted), changes.at
        await asyncio.sleep(LIST_POLL_S)


def _deletion(compilation_id: str) -> ServerSentEvent:
    data = DeletedCompilation(id=compilation_id).model_dump_json(by_alias=True)
    return ServerSentEvent(event="deleted", raw_data=data)
