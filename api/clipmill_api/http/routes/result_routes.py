"""Routes for results: deletion, and links by which anybody can read an output."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from clipmill.protocol import CompilationView, ShareLink, ShareRequest
from clipmill.spec import MAX_SAFE_INTEGER, Name
from clipmill_api.compilations import deletion, responses, submission
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http import share_links
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import not_found
from clipmill_api.http.routes.compilation_routes import find_output
from clipmill_api.media import downloads
from clipmill_api.queries import media_library
from clipmill_api.timestamps import format_time

router = APIRouter(route_class=YamlRoute, prefix="/api", tags=["compilations"])
Permanent = Annotated[bool, Query(description="Delete it with its videos and its resource.")]
DEFAULT_SHARE = ShareRequest()
# Seconds of a date that Python knows.
MAX_TIME = 253_402_300_799


@router.post("/compilations/{compilation_id}/outputs/{file}/share", status_code=201)
def share_output(
    ctx: Ctx,
    principal: UserPrincipal,
    response: Response,
    compilation_id: str,
    file: str,
    request: ShareRequest = DEFAULT_SHARE,
) -> ShareLink:
    """Return a link to a finished video or companion file that needs no key until it expires.

    It ends before if the output is deleted or replaced, or the administrator's key is changed.
    """
    name, media = find_output(ctx, principal.owner, compilation_id, file)
    ends_at = ctx.later(request.expires_in_seconds)
    url = share_links.share_url(ctx, media.id, name, int(ends_at.timestamp()))
    response.headers["Location"] = url
    return ShareLink(url=url, expires_at=format_time(ends_at))


@router.head("/shared/{media_id}/{name}", include_in_schema=False)
@router.get("/shared/{media_id}/{name}", responses=downloads.RESPONSES, response_class=Response)
def download_shared(
    request: Request,
    ctx: Ctx,
    media_id: str,
    name: str,
    expires: Annotated[int, Query(ge=0, le=min(MAX_TIME, MAX_SAFE_INTEGER))],
    signature: Annotated[str, Query(max_length=100)],
) -> Response:
    """Download an output by its link, without a key. Supports Range."""
    share_links.require_signature(ctx, media_id, name, expires=expires, signature=signature)
    with ctx.db.read() as session:
        row = media_library.find_any_media(session, media_id)
    if row is None:
        raise not_found("media", media_id)
    reply = downloads.serve_media(request, ctx, row, name=name)
    reply.headers["Content-Disposition"] = reply.headers["Content-Disposition"].replace(
        "attachment", "inline", 1
    )
    reply.headers["Referrer-Policy"] = "no-referrer"
    return reply


@router.delete("/compilations/{compilation_id}")
def cancel_compilation(
    ctx: Ctx, principal: UserPrincipal, compilation_id: str, permanent: Permanent = False
) -> CompilationView:
    """Cancel a compilation; one that has ended does not change. With `permanent`, delete it.

    A deleted compilation is 404 from then on; 409 `InUse` while an active compilation plays one of
    its videos. The bytes are kept for the grace period of deletions.
    """

    def end(session: Session) -> CompilationView:
        row = submission.own_compilation(session, principal.owner, compilation_id)
        if permanent:
            deletion.delete_compilation(session, ctx, principal.owner, compilation_id)
        else:
            submission.cancel_compilation(session, ctx, row)
        return responses.newest_view(session, ctx, row)

    ctx.disk.make_room()
    return ctx.db.write(end)


@router.delete("/compilations/{compilation_id}/outputs/{name}", status_code=204)
def delete_output(ctx: Ctx, principal: UserPrincipal, compilation_id: str, name: Name) -> None:
    """Delete an output's videos and companion files, of all generations. The record stays."""
    ctx.disk.make_room()
    ctx.db.write(
        lambda session: deletion.delete_output(session, ctx, principal.owner, compilation_id, name)
    )
