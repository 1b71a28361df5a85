"""Routes that compare the blob store with the database."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from clipmill.protocol.store_reports import (
    RemovalReply,
    RemovalRequest,
    StoreCheck,
    StoreVerification,
)
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import admin_only
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media import store_check
from clipmill_api.queries import installation

router = APIRouter(
    route_class=YamlRoute,
    prefix="/api/admin/store",
    tags=["admin"],
    dependencies=[Depends(admin_only)],
)


@router.get("")
def check_store(ctx: Ctx) -> StoreCheck:
    """Return blobs that no row names, rows whose blob is missing, and blobs of a wrong size."""
    return store_check.check_store(ctx)


@router.get("/verification")
def verify_store(
    ctx: Ctx,
    after: Annotated[str, Query(max_length=200, description="`next` of the page before.")] = "",
) -> StoreVerification:
    """Read blobs for some seconds, and return those whose SHA-256 is not their name."""
    return store_check.verify_blobs(ctx, after)


@router.post("/removal")
def remove_unknown_blobs(ctx: Ctx, request: RemovalRequest) -> RemovalReply:
    """Mark all blobs that no row names, to be deleted at the end of the grace period."""
    with ctx.db.read() as session:
        own = installation.find_installation_id(session)
    if request.installation != own:
        detail = f"installation: {request.installation!r} is not the id of this one"
        raise ApiProblem(422, "Invalid", detail, field="installation")
    return store_check.mark_unknown(ctx)
