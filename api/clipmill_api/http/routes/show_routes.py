"""Routes for shows and episodes, and the approval of drafts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime

from clipmill.protocol import CompilationView
from clipmill.shows.show_messages import EpisodeReport, EpisodeView, NewShow, ShowView
from clipmill.shows.show_spec import ShowSpec
from clipmill_api.compilations import responses
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import not_found
from clipmill_api.queries.shows import episode_rows, show_rows
from clipmill_api.shows import approval, show_registration, show_views
from clipmill_api.tables import ShowRow

router = APIRouter(route_class=YamlRoute, prefix="/api", tags=["shows"])
Limit = Annotated[int, Query(ge=1, le=200)]
Before = Annotated[
    AwareDatetime | None, Query(description="`scheduledAt` of the last episode of a page.")
]


def _flushed_view(session: Session, show: ShowRow) -> ShowView:
    session.flush()
    return show_views.show_view(session, show)


@router.post("/shows", status_code=201)
def create_show(
    ctx: Ctx, principal: UserPrincipal, response: Response, request: NewShow
) -> ShowView:
    """Create a show. The same request again returns the same show."""
    view = ctx.db.write(
        lambda session: _flushed_view(
            session, show_registration.create_show(session, ctx, principal.owner, request)
        )
    )
    response.headers["Location"] = f"/api/shows/{view.id}"
    return view


@router.get("/shows")
def list_shows(ctx: Ctx, principal: UserPrincipal) -> list[ShowView]:
    """Return the shows, by name; those of resources too."""
    with ctx.db.read() as session:
        return show_views.show_views(session, show_rows.list_shows(session, principal.owner))


@router.get("/shows/{show_id}")
def get_show(ctx: Ctx, principal: UserPrincipal, show_id: str) -> ShowView:
    """Return a show and its state."""
    with ctx.db.read() as session:
        return show_views.show_view(session, _own_show(session, principal.owner, show_id))


def _own_show(session: Session, owner: str, show_id: str) -> ShowRow:
    row = show_rows.find_show(session, owner, show_id)
    if row is None:
        raise not_found("show", show_id)
    return row


@router.put("/shows/{show_id}/spec")
def replace_show_spec(ctx: Ctx, principal: UserPrincipal, show_id: str, spec: ShowSpec) -> ShowView:
    """Replace the spec of a show that the API created. Episodes that have started keep theirs."""
    return ctx.db.write(
        lambda session: _flushed_view(
            session, show_registration.edit_show(session, ctx, principal.owner, show_id, spec)
        )
    )


@router.delete("/shows/{show_id}", status_code=204)
def delete_show(ctx: Ctx, principal: UserPrincipal, show_id: str) -> None:
    """Delete a show that the API created, and cancel its episodes. Results are kept."""
    ctx.db.write(
        lambda session: show_registration.delete_own_show(session, ctx, principal.owner, show_id)
    )


@router.post("/shows/{show_id}/run")
def run_show(ctx: Ctx, principal: UserPrincipal, show_id: str) -> EpisodeView:
    """Start an episode at once. Requests within one minute start one episode."""
    return ctx.db.write(
        lambda session: show_views.episode_view(
            approval.run_now(session, ctx, principal.owner, show_id)
        )
    )


@router.post("/shows/{show_id}/preview")
def preview_show(ctx: Ctx, principal: UserPrincipal, show_id: str) -> EpisodeView:
    """Select the clips that an episode would take now. It ends as skipped, with a report."""
    return ctx.db.write(
        lambda session: show_views.episode_view(
            approval.preview(session, ctx, principal.owner, show_id)
        )
    )


@router.get("/shows/{show_id}/episodes")
def list_episodes(
    ctx: Ctx, principal: UserPrincipal, show_id: str, before: Before = None, limit: Limit = 50
) -> list[EpisodeView]:
    """Return episodes of a show, newest first."""
    with ctx.db.read() as session:
        show = _own_show(session, principal.owner, show_id)
        rows = episode_rows.list_episodes(session, show.id, before, limit)
    return [show_views.episode_view(row) for row in rows]


@router.get("/episodes/{episode_id}")
def get_episode(ctx: Ctx, principal: UserPrincipal, episode_id: str) -> EpisodeReport:
    """Return an episode with what its sources offered, and why it was not taken."""
    with ctx.db.read() as session:
        row = episode_rows.find_own(session, principal.owner, episode_id)
        if row is None:
            raise not_found("episode", episode_id)
        return show_views.episode_report(session, row)


@router.post("/compilations/{compilation_id}/approve")
def approve_compilation(ctx: Ctx, principal: UserPrincipal, compilation_id: str) -> CompilationView:
    """Render a draft in full quality, by an edit of its spec. One that is final does not change."""

    def approve(session: Session) -> CompilationView:
        row = approval.approve(session, ctx, principal.owner, compilation_id)
        return responses.newest_view(session, ctx, row)

    return ctx.db.write(approve)
