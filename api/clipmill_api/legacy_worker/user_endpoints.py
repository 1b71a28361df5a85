"""E10 to E12: what the owner may use and has used."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipmill.protocol.tier_limits import remaining
from clipmill_api.compilations import admission, lifecycle, planning
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.models import RenderRecorded, StorageQuota, UserTierLimits
from clipmill_api.queries import quota_ledger, revisions, users_and_keys


def _own(what: str, wanted: str, given: str) -> None:
    """The key's own compilation or user, or nobody's."""
    if given != wanted:
        raise not_found(what, given)


def storage(session: Session, who: Principal, user_id: str) -> StorageQuota:
    """E10: 0 is no room, None is no limit."""
    _own("user", who.owner, user_id)
    limit = users_and_keys.tier_of(session, user_id).storage_limit_bytes
    user = users_and_keys.user(session, user_id)
    used = user.storage_used_bytes if user else 0
    return StorageQuota(remaining_bytes=remaining(limit, used), total_bytes=limit, used_bytes=used)


def tier_limits(session: Session, who: Principal, user_id: str) -> UserTierLimits:
    """E11."""
    _own("user", who.owner, user_id)
    tier = users_and_keys.tier_of(session, user_id)
    return UserTierLimits(
        tier=tier.name,
        storage_limit_bytes=tier.storage_limit_bytes,
        render_time_limit_seconds=tier.render_limit_s,
        apply_watermark=tier.apply_watermark,
        is_unlimited=tier.storage_limit_bytes is None and tier.render_limit_s is None,
    )


def record_render(
    session: Session, ctx: Context, who: Principal, user_id: str, project_id: str
) -> RenderRecorded:
    """E12: one row for each generation, and the seconds are the timeline's, not the caller's."""
    _own("user", who.owner, user_id)
    _own("project", who.compilation_id, project_id)
    row = revisions.locked(session, project_id)
    there = quota_ledger.usage_of(session, project_id, who.generation)
    if there is not None:
        return RenderRecorded(status="existing", seconds=there.seconds)
    if not who.live:
        raise ApiProblem(409, "Ended", "the generation ended without a result: nothing was used")
    used = planning.seconds(admission.outputs(lifecycle.known(session, row, who.generation)))
    lifecycle.settle(session, ctx, row, who.generation, used)
    return RenderRecorded(status="recorded", seconds=used)
