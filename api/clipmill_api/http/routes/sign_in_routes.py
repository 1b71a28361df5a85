"""Routes that sign a browser in by a link: a code that is exchanged once for a key that expires."""

from __future__ import annotations

from fastapi import APIRouter

from clipmill.protocol import CreatedKey, SignInLink
from clipmill_api.context import Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import (
    SignInPrincipal,
    UserPrincipal,
    new_key_row,
)
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys
from clipmill_api.timestamps import format_time

router = APIRouter(prefix="/api", tags=["account"])
LINK_LIFETIME_S = 15 * 60
SESSION_LIFETIME_S = 12 * 3600


@router.post("/sign-in-links", status_code=201)
def create_sign_in_link(ctx: Ctx, principal: UserPrincipal) -> SignInLink:
    """Create a code that signs a browser in once, within 15 minutes."""
    times = {"created_at": ctx.now(), "expires_at": ctx.later(LINK_LIFETIME_S)}
    row, code = new_key_row("sign-in", principal.owner, **times)
    ctx.db.write(lambda session: users_and_keys.add_key(session, row))
    return SignInLink(code=code, expires_at=format_time(times["expires_at"]))


@router.post("/session", status_code=201)
def create_session(ctx: Ctx, principal: SignInPrincipal) -> CreatedKey:
    """Exchange the code of a link, sent as bearer token, for a user's key of 12 hours."""
    at, expires_at = ctx.now(), ctx.later(SESSION_LIFETIME_S)
    row, secret = new_key_row("user", principal.owner, created_at=at, expires_at=expires_at)
    view = CreatedKey(
        id=row.id,
        created_at=format_time(at),
        expires_at=format_time(expires_at),
        key=secret,
    )

    def exchange(session: Session) -> None:
        if not users_and_keys.use_sign_in_key(session, principal.key_id, at=at):
            raise ApiProblem(401, "Unauthorized", "the link was used before: ask for a new one")
        users_and_keys.add_key(session, row)

    ctx.db.write(exchange)
    return view
