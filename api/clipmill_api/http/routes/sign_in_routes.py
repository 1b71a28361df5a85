"""Routes that sign a browser in by a link: a code that is exchanged once for a key that expires."""

from __future__ import annotations

from fastapi import APIRouter

from clipmill.protocol import CreatedKey, SignInLink
from clipmill_api.context import Context, Ctx, new_id
from clipmill_api.database import Session
from clipmill_api.http.authentication import (
    Role,
    SignInPrincipal,
    UserPrincipal,
    digest,
    new_key,
)
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys
from clipmill_api.tables import KeyRow
from clipmill_api.timestamps import format_time

router = APIRouter(prefix="/api", tags=["account"])
LINK_LIFETIME_S = 15 * 60
SESSION_LIFETIME_S = 12 * 3600


def _key_row(ctx: Context, role: Role, owner: str, secret: str, lifetime_s: int) -> KeyRow:
    return KeyRow(
        id=new_id("s"),
        secret_sha256=digest(secret),
        role=role,
        owner=owner,
        created_at=ctx.now(),
        expires_at=ctx.later(lifetime_s),
    )


@router.post("/sign-in-links", status_code=201)
def create_sign_in_link(ctx: Ctx, principal: UserPrincipal) -> SignInLink:
    """Create a code that signs a browser in once, within 15 minutes."""
    code = new_key("sign-in")
    row = _key_row(ctx, "sign-in", principal.owner, code, LINK_LIFETIME_S)
    expires_at = format_time(ctx.later(LINK_LIFETIME_S))
    ctx.db.write(lambda session: users_and_keys.add_key(session, row))
    return SignInLink(code=code, expires_at=expires_at)


@router.post("/session", status_code=201)
def create_session(ctx: Ctx, principal: SignInPrincipal) -> CreatedKey:
    """Exchange the code of a link, sent as bearer token, for a user's key of 12 hours."""
    secret, at = new_key("user"), ctx.now()
    row = _key_row(ctx, "user", principal.owner, secret, SESSION_LIFETIME_S)
    view = CreatedKey(
        id=row.id,
        created_at=format_time(at),
        expires_at=format_time(ctx.later(SESSION_LIFETIME_S)),
        key=secret,
    )

    def exchange(session: Session) -> None:
        if not users_and_keys.use_sign_in_key(session, principal.key_id, at=at):
            raise ApiProblem(401, "Unauthorized", "the link was used before: ask for a new one")
        users_and_keys.add_key(session, row)

    ctx.db.write(exchange)
    return view
