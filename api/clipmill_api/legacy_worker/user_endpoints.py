"""E10 to E12: quota, limits and usage of the key's owner."""

from __future__ import annotations

from clipmill.protocol.tier_limits import remaining
from clipmill_api.compilations import resolution, revision_end
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.user_models import RenderRecorded, StorageQuota, UserTierLimits
from clipmill_api.queries import compilation_records, quota_ledger, users_and_keys


def _require_own(resource: str, own_id: str, requested_id: str) -> None:
    """Refuse an id that is not the key's own. Raises 404."""
    if requested_id != own_id:
        raise not_found(resource, requested_id)


def storage(session: Session, principal: Principal, user_id: str) -> StorageQuota:
    """Return the storage that a user has and has left (E10)."""
    _require_own("user", principal.owner, user_id)
    limit = users_and_keys.owner_tier(session, user_id).storage_limit_bytes
    user = users_and_keys.find_user(session, user_id)
    used = user.storage_used_bytes if user else 0
    return StorageQuota(remaining_bytes=remaining(limit, used), total_bytes=limit, used_bytes=used)


def tier_limits(session: Session, principal: Principal, user_id: str) -> UserTierLimits:
    """Return the limits of a user's tier (E11)."""
    _require_own("user", principal.owner, user_id)
    tier = users_and_keys.owner_tier(session, user_id)
    return UserTierLimits(
        tier=tier.name,
        storage_limit_bytes=tier.storage_limit_bytes,
        render_time_limit_seconds=tier.render_limit_s,
        apply_watermark=tier.apply_watermark,
        is_unlimited=tier.storage_limit_bytes is None and tier.render_limit_s is None,
    )


def record_render(
    session: Session, ctx: Context, principal: Principal, user_id: str, project_id: str
) -> RenderRecorded:
    """Record the render time of a generation once, with the timeline's seconds (E12).

    Raises:
        ApiProblem: 409 if a clip is still to be fetched, or if the generation ended without a
            result.
    """
    _require_own("user", principal.owner, user_id)
    _require_own("project", principal.compilation_id, project_id)
    compilation = compilation_records.lock_compilation(session, project_id)
    usage = quota_ledger.find_usage(session, project_id, principal.generation)
    if usage is not None:
        return RenderRecorded(status="existing", seconds=usage.seconds)
    if not principal.live:
        detail = f"project {project_id}: the generation ended without a result, so none was used"
        raise ApiProblem(409, "Ended", detail)
    resolved = resolution.load_resolved_spec(session, compilation, principal.generation)
    if resolved.is_waiting:
        detail = f"project {project_id}: its length is an estimate until all clips are fetched"
        raise ApiProblem(409, "NotReady", detail)
    outputs = resolution.plan_or_refuse(resolved)
    used_s = sum(output.render_seconds for output in outputs)
    revision_end.settle_reservation(session, ctx, compilation, principal.generation, used_s)
    return RenderRecorded(status="recorded", seconds=used_s)
