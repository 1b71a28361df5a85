"""A wish comes in: sources are resolved, the timeline is built, refusals carry numbers."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipmill.protocol import ClipState, MediaKind, QuotaEffect
from clipmill.protocol.tier_limits import remaining
from clipmill.spec import CompilationSpec, clip_name
from clipmill.spec.source_urls import ForbiddenURL, check_url, clip_key
from clipmill.timeline.build import InvalidTimeline
from clipmill.timeline.overlay_layers import image_ids
from clipmill_api.accounts import output_policy
from clipmill_api.compilations import planning, refusals
from clipmill_api.compilations.planning import Known, Made
from clipmill_api.context import Context, new_id
from clipmill_api.queries import media_library, quota_ledger, users_and_keys
from clipmill_api.tables import ClipRow, MediaRow, TierRow


def resolve(session: Session, ctx: Context, owner: str, spec: CompilationSpec) -> Known:
    """Find the media of every clip and asset. Raises ForbiddenURL and UnknownMedia problems."""
    keys = _clip_keys(ctx, spec)
    fields = planning.asset_ids(spec)
    for i, clip in enumerate(spec.clips):
        if clip.media_id:
            fields.setdefault(clip.media_id, f"spec.clips[{i}].mediaId")
    images = image_ids(spec)
    media = media_library.media_by_ids(session, owner, planning.media_ids(spec) | set(fields))
    for media_id, field in fields.items():
        _refuse_unplayable(field, media_id, media.get(media_id))
    for media_id, field in images.items():
        _refuse_undrawable(field, media_id, media.get(media_id))
    if spec.music:
        _refuse_unheard(spec.music.media_id, media.get(spec.music.media_id))
    fetched = media_library.media_by_clip_keys(session, owner, [key for key in keys if key])
    clips = [_clip(spec, i, key, fetched.get(key or "")) for i, key in enumerate(keys)]
    _number_parts(clips)
    media |= {row.id: row for row in fetched.values()}
    _leave_out(clips, users_and_keys.tier_of(session, owner))
    return Known(spec, clips, media, output_policy.terms(session, ctx, owner))


def _leave_out(clips: list[ClipRow], tier: TierRow) -> None:
    """The tier's clip cap: the first ones stay, the others are skipped by name."""
    for clip in clips[tier.max_clips :] if tier.max_clips is not None else ():
        clip.state, clip.reason = ClipState.SKIPPED.value, planning.OVER_TIER
        clip.message = (
            f"clip {clip.position + 1} of {len(clips)}: the tier {tier.name} allows"
            f" {tier.max_clips} clips"
        )


def _refuse_unplayable(field: str, media_id: str, row: MediaRow | None) -> None:
    if row is None:
        raise refusals.unknown_media(field, media_id)
    facts = planning.facts(row)
    if facts is None or not facts.frames:
        raise refusals.not_video(field, media_id)


def _refuse_unheard(media_id: str, row: MediaRow | None) -> None:
    if row is None:
        raise refusals.unknown_media("spec.music.mediaId", media_id)
    facts = planning.facts(row)
    if facts is None or facts.audio_codec is None:
        raise refusals.not_sound("spec.music.mediaId", media_id)


def _refuse_undrawable(field: str, media_id: str, row: MediaRow | None) -> None:
    if row is None:
        raise refusals.unknown_media(field, media_id)
    if row.kind != MediaKind.IMAGE:
        raise refusals.not_image(field, media_id)


def _clip_keys(ctx: Context, spec: CompilationSpec) -> list[str | None]:
    """The clip key of each clip that has a URL, which is allowed."""
    settings, keys = ctx.settings, []
    for i, clip in enumerate(spec.clips):
        try:
            if clip.url is not None:
                check_url(
                    clip.url,
                    hosts=settings.allowed_hosts,
                    any_host=settings.allow_any_host,
                    private=settings.allow_private,
                )
            keys.append(clip_key(clip.url) if clip.url else None)
        except ForbiddenURL as error:
            raise refusals.forbidden_url(f"spec.clips[{i}].url", error) from None
    return keys


def _clip(spec: CompilationSpec, i: int, key: str | None, fetched: MediaRow | None) -> ClipRow:
    clip = spec.clips[i]
    media_id = clip.media_id or (fetched.id if fetched else None)
    return ClipRow(
        id=new_id("k"),
        position=i,
        name=clip_name(spec, i),
        title=clip.title,
        url=clip.url,
        clip_key=key,
        state=(ClipState.READY if media_id else ClipState.WAITING).value,
        media_id=media_id,
        reused=fetched is not None,
    )


def _number_parts(clips: list[ClipRow]) -> None:
    """One part for each clip to be fetched; of one used twice, for the first."""
    seen: set[str] = set()
    for clip in clips:
        key = clip.clip_key or clip.id
        if clip.state == ClipState.WAITING and key not in seen:
            clip.task_index = len(seen)
            seen.add(key)


def outputs(known: Known) -> list[Made]:
    """The outputs. Raises the InvalidTimeline problem."""
    try:
        return planning.outputs(known)
    except InvalidTimeline as error:
        raise refusals.invalid_timeline(error) from None


def refuse_over_tier(session: Session, owner: str, spec: CompilationSpec) -> None:
    """Refuse what cannot be cut down to the tier's clips. Raises TierLimit."""
    tier = users_and_keys.tier_of(session, owner)
    if tier.max_clips is not None and spec.minimum_clips > tier.max_clips:
        raise refusals.too_many_clips(spec.minimum_clips, tier.max_clips, tier.name)


def quota_effect(session: Session, ctx: Context, owner: str, estimated: int) -> QuotaEffect:
    """What is left of the month, beside what this takes."""
    limit = users_and_keys.tier_of(session, owner).render_limit_s
    used, reserved = quota_ledger.window(session, owner, ctx.month())
    return QuotaEffect(
        estimated_seconds=estimated,
        remaining_seconds=remaining(limit, used + reserved),
        limit_seconds=limit,
    )


def hold(session: Session, owner: str, *, month: str, seconds: int) -> None:
    """Reserve render time, or give some back when `seconds` is below 0. Raises QuotaExceeded."""
    limit = users_and_keys.tier_of(session, owner).render_limit_s
    if quota_ledger.hold(session, owner, month, seconds=seconds, limit=limit):
        return
    left = remaining(limit, sum(quota_ledger.window(session, owner, month))) or 0
    raise refusals.render_quota(seconds, left, limit or 0, month)


def take_storage(session: Session, owner: str, size_bytes: int) -> None:
    """Count bytes against the owner's storage. Raises StorageQuotaExceeded with the numbers."""
    if quota_ledger.take_storage(session, owner, size_bytes):
        return
    limit = users_and_keys.tier_of(session, owner).storage_limit_bytes
    user = users_and_keys.user(session, owner)
    left = remaining(limit, user.storage_used_bytes if user else 0) or 0
    raise refusals.storage_quota(size_bytes, left, limit or 0)
