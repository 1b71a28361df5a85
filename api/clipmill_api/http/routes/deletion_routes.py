"""Routes that cancel and delete compilations, and delete outputs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from clipmill.protocol import CompilationView
from clipmill.spec import Name
from clipmill_api.compilations import deletion, responses, submission
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute

router = APIRouter(route_class=YamlRoute, prefix="/api/compilations", tags=["compilations"])
Permanent = Annotated[bool, Query(description="Delete it with its videos and its resource.")]


@router.delete("/{compilation_id}")
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


@router.delete("/{compilation_id}/outputs/{name}", status_code=204)
def delete_output(ctx: Ctx, principal: UserPrincipal, compilation_id: str, name: Name) -> None:
    """Delete an output's videos and companion files, of all generations. The record stays."""
    ctx.disk.make_room()
    ctx.db.write(
        lambda session: deletion.delete_output(session, ctx, principal.owner, compilation_id, name)
    )
