"""Delete a user with everything that belongs to them."""

from __future__ import annotations

from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media.removals import removal
from clipmill_api.queries import quota_ledger, users_and_keys
from clipmill_api.queries.tombstones import RemovalReason, add_tombstones
from clipmill_api.queries.users import user_rows


def delete_user(session: Session, ctx: Context, name: str) -> None:
    """Delete a user's rows in one transaction; the bytes go after the grace period.

    Raises:
        ApiProblem: 404, or 409 for the default owner of the settings and while a compilation is
            active.
    """
    if users_and_keys.find_user(session, name) is None:
        raise not_found("user", name)
    if name == ctx.settings.default_owner:
        detail = f"user {name!r} is the default owner; change CLIPMILL_DEFAULT_OWNER first"
        raise ApiProblem(409, "InUse", detail)
    quota_ledger.lock_owner(session, name)
    active = user_rows.find_active_compilation(session, name)
    if active:
        detail = f"user {name!r} has the active compilation {active}; cancel it first"
        raise ApiProblem(409, "InUse", detail, compilation=active)
    blobs = user_rows.list_owned_blobs(session, name)
    add_tombstones(session, blobs, removal(ctx, RemovalReason.OWNER_DELETED))
    user_rows.delete_with_rows(session, name)
