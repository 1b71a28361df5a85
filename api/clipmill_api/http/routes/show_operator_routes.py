"""Routes of the operator about shows: registrations, the tick, and discover tasks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from clipmill.protocol import KeyReply
from clipmill.shows.show_messages import (
    EpisodeView,
    FailedDiscovery,
    ShowRegistration,
    ShowTick,
    ShowView,
)
from clipmill.spec.base import MAX_SAFE_INTEGER
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import operator_only
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.episode_keys import replace_episode_key
from clipmill_api.http.routes.operator_routes import Uid
from clipmill_api.shows import discover_tasks, show_registration, show_tick, show_views

router = APIRouter(
    route_class=YamlRoute,
    prefix="/api/operator",
    tags=["operator"],
    dependencies=[Depends(operator_only)],
)
TickCursor = Annotated[
    int, Query(ge=0, le=MAX_SAFE_INTEGER, description="That of the last reply; 0 for all shows.")
]


@router.post("/shows/tick")
def tick_shows(ctx: Ctx, cursor: TickCursor = 0) -> ShowTick:
    """Start and end the episodes that are due, and return what changed and what needs a pod."""
    return show_tick.tick(ctx, cursor)


@router.put("/shows/{uid}")
def register_show(ctx: Ctx, uid: Uid, request: ShowRegistration) -> ShowView:
    """Register a generation of a Show resource; `ready` says whether it makes episodes."""

    def register(session: Session) -> ShowView:
        row = show_registration.register_show(session, ctx, uid, request)
        session.flush()
        return show_views.show_view(session, row)

    return ctx.db.write(register)


@router.delete("/shows/{uid}", status_code=204)
def delete_show_registration(ctx: Ctx, uid: Uid) -> None:
    """Report a deleted Show resource: its episodes are cancelled."""
    ctx.db.write(lambda session: show_registration.resource_removed(session, ctx, uid))


@router.post("/episodes/{episode_id}/key", status_code=201)
def create_episode_key(ctx: Ctx, episode_id: str) -> KeyReply:
    """Create a key for the discover pod of an episode; it replaces the earlier one."""
    key = ctx.db.write(lambda session: replace_episode_key(session, ctx, episode_id))
    return KeyReply(key=key)


@router.post("/episodes/{episode_id}/failed")
def report_failed_discovery(ctx: Ctx, episode_id: str, failure: FailedDiscovery) -> EpisodeView:
    """Report a discover task that is not retried any more, which fails its episode."""

    def report(session: Session) -> EpisodeView:
        row = discover_tasks.record_failed_discovery(session, ctx, episode_id, failure)
        return show_views.episode_view(row)

    return ctx.db.write(report)
