"""Routes for the quota and usage of a user."""

from __future__ import annotations

from fastapi import APIRouter

from clipmill.protocol import Account, ResultRetention, Usage
from clipmill_api.compilations import responses
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.problem_details import not_found
from clipmill_api.queries import quota_ledger, users_and_keys
from clipmill_api.timestamps import format_time

router = APIRouter(route_class=YamlRoute, prefix="/api", tags=["account"])


@router.get("/quota")
def get_quota(ctx: Ctx, principal: UserPrincipal) -> Account:
    """Return limits, usage and reservations of storage and render time."""
    with ctx.db.read() as session:
        return responses.account_view(session, ctx, principal.owner)


@router.put("/retention")
def put_retention(ctx: Ctx, principal: UserPrincipal, request: ResultRetention) -> Account:
    """Set how many results are kept, the newest ones. Others are deleted within an hour."""

    def put(session: Session) -> Account:
        user = users_and_keys.find_user(session, principal.owner)
        if user is None:
            raise not_found("user", principal.owner)
        user.newest_results = request.newest
        return responses.account_view(session, ctx, principal.owner)

    return ctx.db.write(put)


@router.get("/usage")
def list_usage(ctx: Ctx, principal: UserPrincipal) -> list[Usage]:
    """Return render time by finished generation, newest first."""
    with ctx.db.read() as session:
        rows = quota_ledger.list_usage(session, principal.owner)
    return [
        Usage(
            compilation_id=row.compilation_id,
            generation=row.generation,
            seconds=row.seconds,
            created_at=format_time(row.created_at),
        )
        for row in rows
    ]
