"""Who asks. Identity comes from the key and from nothing else."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clipmill.protocol import TERMINAL_STATES, Stage, CompilationState
from clipmill_api.context import Context, Ctx
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys

Role = Literal["user", "operator", "admin", "job"]
LETTERS: dict[Role, str] = {"user": "u", "operator": "o", "admin": "a", "job": "j"}
_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer cm_...`")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who the key belongs to. A job's key names its compilation, generation and stage."""

    role: Role
    owner: str = ""
    compilation_id: str = ""
    generation: int = 0
    stage: Stage = Stage.FETCH
    live: bool = True


def new_key(role: Role) -> str:
    """A fresh key of 256 random bits."""
    return f"cm_{LETTERS[role]}_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """What is stored of a key. 256 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


def principal(
    ctx: Ctx, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """The caller. Raises 401."""
    key = given.credentials if given else ""
    if hmac.compare_digest(key.encode(), ctx.settings.admin_key.encode()):
        return Principal("admin")
    if hmac.compare_digest(key.encode(), ctx.settings.operator_key.encode()):
        return Principal("operator")
    found = _stored(ctx, key) if key else None
    if found is None:
        raise ApiProblem(401, "Unauthorized", "the key is missing, unknown or no longer valid")
    return found


def _stored(ctx: Context, key: str) -> Principal | None:
    with ctx.db.read() as session:
        row = users_and_keys.key(session, digest(key))
    if row is None or row.revoked_at or (row.expires_at and row.expires_at < ctx.now()):
        return None
    if row.role == "user":
        return Principal("user", owner=row.owner or "")
    live = row.state is not None and CompilationState(row.state) not in TERMINAL_STATES
    return Principal(
        "job",
        owner=row.owner or "",
        compilation_id=row.compilation_id or "",
        generation=row.generation or 0,
        stage=Stage(row.stage or ""),
        live=live,
    )


Anyone = Annotated[Principal, Depends(principal)]


def _only(who: Principal, *roles: Role) -> Principal:
    if who.role not in roles:
        wanted = " or ".join(roles)
        raise ApiProblem(403, "Forbidden", f"a key of the role {wanted} is needed, not {who.role}")
    return who


async def _user(who: Anyone) -> Principal:
    return _only(who, "user")


async def _job(who: Anyone) -> Principal:
    return _only(who, "job")


async def _live_job(who: Anyone) -> Principal:
    return _alive(_only(who, "job"))


async def _user_or_job(who: Anyone) -> Principal:
    return _alive(_only(who, "user", "job"))


async def operator_only(who: Anyone) -> Principal:
    """The operator. Raises 403."""
    return _only(who, "operator")


async def admin_only(who: Anyone) -> Principal:
    """An administrator. Raises 403."""
    return _only(who, "admin")


def _alive(who: Principal) -> Principal:
    if not who.live:
        raise ApiProblem(409, "Ended", "this generation has ended: its keys open nothing any more")
    return who


User = Annotated[Principal, Depends(_user)]
Job = Annotated[Principal, Depends(_job)]
"""A job of a generation that may have ended: it may only ask and be told so."""
LiveJob = Annotated[Principal, Depends(_live_job)]
UserOrJob = Annotated[Principal, Depends(_user_or_job)]
