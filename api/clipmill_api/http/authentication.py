"""Authentication: the identity of a caller follows from its key alone."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from clipmill.protocol import TERMINAL_STATES, CompilationState, Stage
from clipmill.shows.show_messages import EpisodeState
from clipmill_api.context import Context, Ctx, new_id
from clipmill_api.http.one_thread import Deferred, defer
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import users_and_keys
from clipmill_api.queries.users_and_keys import StoredKey
from clipmill_api.tables import KeyRow

Role = Literal["user", "operator", "admin", "job", "discover", "sign-in"]
KEY_LETTERS: dict[Role, str] = {
    "user": "u",
    "operator": "o",
    "admin": "a",
    "job": "j",
    "discover": "j",
    "sign-in": "l",
}
_bearer = HTTPBearer(auto_error=False, description="`Authorization: Bearer cm_...`")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class TaskState(StrEnum):
    """Whether a claimed task still belongs to the holder of its key."""

    HELD = "held"
    EXPIRED = "expired"  # until a heartbeat renews the lease
    LOST = "lost"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ClaimedTask:
    """The task that a key was issued for by a claim."""

    index: int
    epoch: int
    state: TaskState


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller. A job's key is bound to a compilation, a generation and a stage.

    That of a discover task is bound to an episode. The key that a claim returns is bound to the
    claimed task too. `key_id` is set for a code that signs in. `live` is false once the generation
    of a job has ended, `stage_over` is true once it has moved on to a later stage.
    """

    role: Role
    owner: str = ""
    compilation_id: str = ""
    generation: int = 0
    stage: Stage = Stage.FETCH
    live: bool = True
    stage_over: bool = False
    task: ClaimedTask | None = None
    episode_id: str = ""
    key_id: str = ""


def new_key(role: Role) -> str:
    """Return a new key of 256 random bits."""
    return f"cm_{KEY_LETTERS[role]}_{secrets.token_urlsafe(32)}"


def digest(key: str) -> str:
    """Return the form in which a key is stored.

    A plain SHA-256 suffices, because a key of 256 random bits cannot be guessed.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def new_key_row(role: Role, owner: str, **columns: Any) -> tuple[KeyRow, str]:
    """Return the row of a new key with further columns, and its secret, which is not stored."""
    all_columns, secret = new_key_columns(role, owner, **columns)
    return KeyRow(**all_columns), secret


def new_key_columns(role: Role, owner: str, **columns: Any) -> tuple[dict[str, Any], str]:
    """Return the columns of a new key's row, and its secret, which is not stored."""
    secret = new_key(role)
    own = {"id": new_id("s"), "secret_sha256": digest(secret), "role": role, "owner": owner}
    return {**own, **columns}, secret


def authenticate(ctx: Ctx, credentials: Credentials) -> Principal:
    """Return the principal of a request's key. Raises 401."""
    return authenticate_key(ctx, credentials.credentials if credentials else "")


def authenticate_key(ctx: Context, key: str) -> Principal:
    """Return the principal of a key, which may be empty. Raises 401."""
    if hmac.compare_digest(key.encode(), ctx.settings.admin_key.encode()):
        return Principal("admin")
    if hmac.compare_digest(key.encode(), ctx.settings.operator_key.encode()):
        return Principal("operator")
    principal = _stored_principal(ctx, key) if key else None
    if principal is None:
        raise ApiProblem(401, "Unauthorized", "the key is missing, unknown, revoked or expired")
    return principal


def _stored_principal(ctx: Context, key: str) -> Principal | None:
    with ctx.db.connect() as connection:
        row = users_and_keys.find_key(connection, digest(key))
    if row is None or row.revoked_at or (row.expires_at and row.expires_at < ctx.now()):
        return None
    if row.role == "user":
        ctx.key_uses.note(row.id, ctx.now())
        return Principal("user", owner=row.owner or "")
    if row.role == "sign-in":
        return Principal("sign-in", owner=row.owner or "", key_id=row.id)
    if row.role == "discover":
        return _discover_principal(row, ctx.now())
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
        stage_over=row.stage == Stage.FETCH and row.revision_stage == Stage.ASSEMBLE,
        task=_claimed_task(row, ctx.now()),
    )


def _discover_principal(key: StoredKey, now: datetime) -> Principal:
    task = None
    if key.epoch is not None:
        is_held = key.episode_epoch == key.epoch and key.episode_lease_until is not None
        is_expired = is_held and key.episode_lease_until < now  # type: ignore[operator]
        state = TaskState.EXPIRED if is_expired else TaskState.HELD if is_held else TaskState.LOST
        task = ClaimedTask(0, key.epoch, state)
    return Principal(
        "discover",
        owner=key.owner or "",
        episode_id=key.episode_id or "",
        live=key.episode_state == EpisodeState.DISCOVERING,
        task=task,
    )


def _claimed_task(key: StoredKey, now: datetime) -> ClaimedTask | None:
    if key.task_index is None or key.epoch is None:
        return None
    if key.task_epoch != key.epoch or key.task_lease_until is None:
        state = TaskState.LOST
    elif key.task_done:
        state = TaskState.DONE
    else:
        state = TaskState.EXPIRED if key.task_lease_until < now else TaskState.HELD
    return ClaimedTask(key.task_index, key.epoch, state)


AnyPrincipal = Annotated[Principal, Depends(authenticate)]


def require_role(principal: Principal, *roles: Role) -> Principal:
    """Return the principal if it has one of the roles. Raises 403."""
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


def require_held(principal: Principal) -> None:
    """Refuse a job whose stage is over, or whose task is not held any more.

    Raises:
        ApiProblem: 409 Ended or LeaseLost, 503 LeaseExpired until a heartbeat renews the lease.
    """
    if principal.role != "job":
        return
    _require_live(principal)
    task = principal.task
    if principal.stage_over:
        detail = f"the stage {principal.stage} is over, and its keys with it"
        raise ApiProblem(409, "Ended", detail)
    if task is None or task.state is TaskState.HELD:
        return
    name = f"{principal.stage} task {task.index}"
    if task.state is TaskState.EXPIRED:
        detail = f"the lease of {name} has expired: send a heartbeat"
        raise ApiProblem(503, "LeaseExpired", detail)
    if task.state is TaskState.DONE:
        raise ApiProblem(409, "Ended", f"{name} is done, and its key with it")
    raise ApiProblem(409, "LeaseLost", f"epoch: {task.epoch} of {name} has ended by a later claim")


def _user(principal: Principal) -> Principal:
    return require_role(principal, "user")


def _job(principal: Principal) -> Principal:
    return require_role(principal, "job")


def _active_job(principal: Principal) -> Principal:
    return _require_live(require_role(principal, "job"))


def _live_job(principal: Principal) -> Principal:
    require_held(require_role(principal, "job"))
    return principal


def _user_or_job(principal: Principal) -> Principal:
    return _require_live(require_role(principal, "user", "job"))


def _sign_in(principal: Principal) -> Principal:
    return require_role(principal, "sign-in")


def _discover(principal: Principal) -> Principal:
    return require_role(principal, "discover")


def _checked(check: Callable[[Principal], Principal]) -> Any:
    """Return a dependency: the principal of a request's key, which a check accepts."""

    async def authenticate_and_check(
        ctx: Ctx, credentials: Credentials
    ) -> Principal | Deferred[Principal]:
        return await defer(lambda: check(authenticate(ctx, credentials)))

    return Depends(authenticate_and_check)


async def operator_only(principal: AnyPrincipal) -> Principal:
    """Accept the operator alone. Raises 403."""
    return require_role(principal, "operator")


async def admin_only(principal: AnyPrincipal) -> Principal:
    """Accept the administrator alone. Raises 403."""
    return require_role(principal, "admin")


UserPrincipal = Annotated[Principal, _checked(_user)]
# A job whose generation may have ended: for calls whose reply says so.
JobPrincipal = Annotated[Principal, _checked(_job)]
# A job whose stage may be over: for calls that only confirm what was reported before.
ActiveJobPrincipal = Annotated[Principal, _checked(_active_job)]
LiveJobPrincipal = Annotated[Principal, _checked(_live_job)]
# A discover task whose episode may have ended: each call says so by itself.
DiscoverPrincipal = Annotated[Principal, _checked(_discover)]
# A browser with the code of a link, which it exchanges for a key.
SignInPrincipal = Annotated[Principal, _checked(_sign_in)]
UserOrJobPrincipal = Annotated[Principal, _checked(_user_or_job)]
