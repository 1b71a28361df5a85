"""Check an owner's tier limits and reserve render time and storage."""

from __future__ import annotations

from clipmill.protocol import QuotaEffect
from clipmill.protocol.tier_limits import remaining
from clipmill.spec import CompilationSpec
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.notifications import outbox
from clipmill_api.queries import compilation_records, quota_ledger, users_and_keys
from clipmill_api.tables import CompilationRow


def refuse_too_many_clips(session: Session, owner: str, spec: CompilationSpec) -> None:
    """Raise TierLimit if the tier allows fewer clips than `minimumClips`."""
    tier = users_and_keys.owner_tier(session, owner)
    if tier.max_clips is None or spec.minimum_clips <= tier.max_clips:
        return
    field, minimum = "spec.minimumClips", spec.minimum_clips
    detail = f"{field}: {minimum} exceeds the {tier.max_clips} clips that tier {tier.name} allows"
    raise ApiProblem(403, "TierLimit", detail, field=field, limit=tier.max_clips, given=minimum)


def refuse_too_many_drafts(session: Session, ctx: Context, compilation: CompilationRow) -> None:
    """Raise DraftLimit if the owner has as many active drafts as allowed: they cost no quota."""
    owner, limit = compilation.owner, ctx.settings.max_drafts
    quota_ledger.lock_owner(session, owner)
    count = compilation_records.count_active_drafts(session, owner, except_id=compilation.id)
    if count >= limit:
        detail = f"spec.quality: {count} drafts are active, and {limit} are allowed; cancel one"
        raise ApiProblem(403, "DraftLimit", detail, field="spec.quality", limit=limit)


def quota_effect(session: Session, ctx: Context, owner: str, estimated_seconds: int) -> QuotaEffect:
    """Return the estimated render time with what is left of this month's."""
    limit = users_and_keys.owner_tier(session, owner).render_limit_s
    taken = sum(quota_ledger.render_window(session, owner, ctx.month())) if limit else 0
    return QuotaEffect(
        estimated_seconds=estimated_seconds,
        remaining_seconds=remaining(limit, taken),
        limit_seconds=limit,
    )


def reserve_render_time(
    session: Session, owner: str, *, month: str, seconds: int, note: str = ""
) -> None:
    """Reserve render time, or release some if `seconds` is negative.

    Args:
        session: Session of a write.
        owner: Owner of the compilation.
        month: Month that is charged.
        seconds: Render time of all outputs.
        note: How the seconds were estimated.

    Raises:
        ApiProblem: QuotaExceeded.
    """
    limit = users_and_keys.owner_tier(session, owner).render_limit_s
    if quota_ledger.reserve_render_time(session, owner, month, seconds=seconds, limit=limit):
        return
    left = remaining(limit, sum(quota_ledger.render_window(session, owner, month))) or 0
    raise ApiProblem(
        403,
        "QuotaExceeded",
        f"render time: {seconds}s are required, but {left}s of {limit or 0}s remain in {month}"
        + (f"; {note}" if note else ""),
        estimatedSeconds=seconds,
        remainingSeconds=left,
        limitSeconds=limit or 0,
    )


def notify_render_quota(session: Session, ctx: Context, owner: str) -> None:
    """Notify the owner once a month that most of the render time is used."""
    limit = users_and_keys.owner_tier(session, owner).render_limit_s
    if limit:
        used = sum(quota_ledger.render_window(session, owner, ctx.month()))
        outbox.quota_used(session, ctx, owner, quota="renderSeconds", used=used, limit=limit)


def _notify_storage_quota(session: Session, ctx: Context, owner: str) -> None:
    """Notify the owner once a month that most of the storage is used."""
    limit = users_and_keys.owner_tier(session, owner).storage_limit_bytes
    user = users_and_keys.find_user(session, owner)
    if limit and user:
        used = user.storage_used_bytes
        outbox.quota_used(session, ctx, owner, quota="storageBytes", used=used, limit=limit)


def reserve_storage(session: Session, ctx: Context, owner: str, size_bytes: int) -> None:
    """Count bytes against the owner's storage. Raise StorageQuotaExceeded."""
    if quota_ledger.reserve_storage(session, owner, size_bytes):
        _notify_storage_quota(session, ctx, owner)
        return
    left = storage_left(session, owner) or 0
    limit = users_and_keys.owner_tier(session, owner).storage_limit_bytes or 0
    raise ApiProblem(
        403,
        "StorageQuotaExceeded",
        f"storage: {size_bytes} bytes are required, but {left} of {limit} bytes remain",
        sizeBytes=size_bytes,
        remainingBytes=left,
        limitBytes=limit,
    )


def storage_left(session: Session, owner: str) -> int | None:
    """Return how many bytes an owner may still store. None means no limit."""
    return remaining(*quota_ledger.storage_of(session, owner))
