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
from clipmill_api.http.routes.compilation_routes import find_output
from clipmill_api.media import downloads

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

    It ends before if it is revoked, the output is deleted, or the administrator's key is changed.
    """
    name, media = find_output(ctx, principal.owner, compilation_id, file)
    link = share_links.create_link(
        ctx, principal.owner, compilation_id, (file, name, media), request.expires_in_seconds
    )
    response.headers["Location"] = link.url
    return link


@router.get("/compilations/{compilation_id}/links")
def list_share_links(ctx: Ctx, principal: UserPrincipal, compilation_id: str) -> list[ShareLink]:
    """List the links to files of a compilation that still work, oldest first."""
    return share_links.list_links(ctx, principal.owner, compilation_id)


@router.delete("/compilations/{compilation_id}/links/{link_id}", status_code=204)
def revoke_share_link(
    ctx: Ctx, principal: UserPrincipal, compilation_id: str, link_id: str
) -> None:
    """Revoke a link: from then on it is 404."""
    share_links.revoke_link(ctx, principal.owner, compilation_id, link_id)


@router.head("/shared/{link_id}/{name}", include_in_schema=False)
@router.get("/shared/{link_id}/{name}", responses=downloads.RESPONSES, response_class=Response)
def download_shared(
    request: Request,
    ctx: Ctx,
    link_id: str,
    name: str,
    expires: Annotated[int, Query(ge=0, le=min(MAX_TIME, MAX_SAFE_INTEGER))],
    signature: Annotated[str, Query(max_length=100)],
) -> Response:
    """Download an output by its link, without a key. Supports Range."""
    row = share_links.shared_media(ctx, link_id, name, expires=expires, signature=signature)
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
