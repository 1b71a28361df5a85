"""Authentication: the identity of a caller follows from its key alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clipmill.protocol import TERMINAL_STATES, CompilationState, Stage
from clipmill_api.context import Context, Ctx
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys

Role = Literal["user", "operator", "admin", "job"]
KEY_LETTERS: dict[Role, str] = {"user": "u", "operator": "o", "admin": "a", "job": "j"}
_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer cm_...`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. A job's key is bound to a compilation, a generation and a stage.

    `live` is false once the generation of a job has ended.
    """

    role: Role
    owner: str = ""
    compilation_id: str = ""
    generation: int = 0
    stage: Stage = Stage.FETCH
    live: bool = True


def new_key(role: Role) -> str:
    """Return a new key of 256 random bits."""
    return f"cm_{KEY_LETTERS[role]}_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """Return the form in which a key is stored.

    A plain SHA-256 suffices, because a key of 256 random bits cannot be guessed.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def authenticate(ctx: Ctx, credentials: Credentials) -> Principal:
    """Return the principal of a request's key. Raises 401."""
    key = credentials.credentials if credentials else ""
    if hmac.compare_digest(key.encode(), ctx.settings.admin_key.encode()):
        return Principal("admin")
    if hmac.compare_digest(key.encode(), ctx.settings.operator_key.encode()):
        return Principal("operator")
    principal = _stored_principal(ctx, key) if key else None
    if principal is None:
        raise ApiProblem(401, "Unauthorized", "the key is missing, unknown, revoked or expired")
    return principal


def _stored_principal(ctx: Context, key: str) -> Principal | None:
    with ctx.db.read() as session:
        row = users_and_keys.find_key(session, digest(key))
    if row is None or row.revoked_at or (row.expires_at and row.expires_at < ctx.now()):
        return None
    if row.role == "user":
        return Principal("user", owner=row.owner or "")
    live = (
        row.revision_state is not None
        and CompilationState(row.revision_state) not in TERMINAL_STATES
    )
    return Principal(
        "job",
        owner=row.owner or "",
        compilation_id=row.compilation_id or "",
        generation=row.generation or 0,
        stage=Stage(row.stage or ""),
        live=live,
    )


AnyPrincipal = Annotated[Principal, Depends(authenticate)]


def _require_role(principal: Principal, *roles: Role) -> Principal:
    if principal.role not in roles:
        allowed = " or ".join(roles)
        detail = f"the key has the role {principal.role}; this operation requires {allowed}"
        raise ApiProblem(403, "Forbidden", detail)
    return principal


def _require_live(principal: Principal) -> Principal:
    if not principal.live:
        detail = (
            f"generation {principal.generation} of compilation {principal.compilation_id} has"
            " ended, and its keys with it"
        )
        raise ApiProblem(409, "Ended", detail)
    return principal


async def _user(principal: AnyPrincipal) -> Principal:
    return _require_role(principal, "user")


async def _job(principal: AnyPrincipal) -> Principal:
    return _require_role(principal, "job")


async def _live_job(principal: AnyPrincipal) -> Principal:
    return _require_live(_require_role(principal, "job"))


async def _user_or_job(principal: AnyPrincipal) -> Principal:
    return _require_live(_require_role(principal, "user", "job"))


async def operator_only(principal: AnyPrincipal) -> Principal:
    """Accept the operator alone. Raises 403."""
    return _require_role(principal, "operator")


async def admin_only(principal: AnyPrincipal) -> Principal:
    """Accept the administrator alone. Raises 403."""
    return _require_role(principal, "admin")


UserPrincipal = Annotated[Principal, Depends(_user)]
# A job whose generation may have ended: for calls whose reply says so.
JobPrincipal = Annotated[Principal, Depends(_job)]
LiveJobPrincipal = Annotated[Principal, Depends(_live_job)]
UserOrJobPrincipal = Annotated[Principal, Depends(_user_or_job)]
