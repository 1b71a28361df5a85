"""What an owner may use and has used."""

from __future__ import annotations

from fastapi import APIRouter

from clipmill.protocol import Account, Usage
from clipmill_api.compilations import responses
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import User
from clipmill_api.queries import quota_ledger
from clipmill_api.timestamps import format_time

router = APIRouter(prefix="/api", tags=["account"])


@router.get("/quota")
def get_quota(ctx: Ctx, who: User) -> Account:
    """Limits, and what is used and reserved of them."""
    with ctx.db.read() as session:
        return responses.account(session, ctx, who.owner)


@router.get("/usage")
def get_usage(ctx: Ctx, who: User) -> list[Usage]:
    """Render time by finished generation, newest first."""
    with ctx.db.read() as session:
        rows = quota_ledger.usage(session, who.owner)
    return [
        Usage(
            compilation_id=row.compilation_id,
            generation=row.generation,
            seconds=row.seconds,
            created_at=format_time(row.created_at),
        )
        for row in rows
    ]
