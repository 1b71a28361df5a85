"""Resolve a spec: find the media files of its clips and assets, and check that they fit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clipmill.protocol import ClipState, MediaKind, OutputPolicy
from clipmill.spec import CompilationSpec, clip_name
from clipmill.spec.played_part import played_part
from clipmill.spec.source_urls import ForbiddenURL, check_url, clip_key
from clipmill.timeline.build import InvalidTimeline
from clipmill.timeline.overlay_layers import image_ids
from clipmill_api.accounts.output_policy import output_policy_of
from clipmill_api.bounded_cache import BoundedCache
from clipmill_api.compilations import refusals
from clipmill_api.compilations.media_sources import (
    asset_fields,
    clip_fields,
    media_defect,
    media_facts,
    referenced_media_ids,
)
from clipmill_api.compilations.output_planning import OVER_TIER_LIMIT, plan_outputs
from clipmill_api.compilations.plan_models import PlannedOutput, ResolvedSpec
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.queries import media_library, revision_clips, revisions, users_and_keys
from clipmill_api.tables import ClipRow, CompilationRow, MediaRow, RevisionRow, TierRow
from clipmill_api.tasks.excerpts import choose_media

# Clips of the specs that are remembered; each takes about 3 KiB.
MAX_CLIPS = 10_000
_specs: BoundedCache[tuple[str, int, datetime], CompilationSpec] = BoundedCache(
    MAX_CLIPS, lambda spec: len(spec.clips)
)


def stored_spec(revision: RevisionRow) -> CompilationSpec:
    """Return the spec of a stored revision, which never changes.

    Each clip of a compilation takes several requests, and each of them reads the whole spec.
    """
    # After a restored backup, another revision may have the same number.
    key = (revision.compilation_id, revision.generation, revision.created_at)
    spec = _specs.get(key)
    return spec or _specs.put(key, CompilationSpec.model_validate(revision.spec))


def resolve_spec(session: Session, ctx: Context, owner: str, spec: CompilationSpec) -> ResolvedSpec:
    """Return a new spec with its clips and media files.

    Raises:
        ApiProblem: ForbiddenURL, UnknownMedia or WatermarkMissing.
    """
    keys = _clip_keys(ctx, spec)
    ids = referenced_media_ids(spec) | set(clip_fields(spec))
    media = media_library.media_by_ids(session, owner, ids)
    _refuse_unusable_media(spec, media)
    fetched = media_library.fetched_media(session, owner, [key for key in keys if key])
    chosen = [
        choose_media(fetched, key, played_part(spec, i)) if key else None
        for i, key in enumerate(keys)
    ]
    clips = [_new_clip(spec, i, key, chosen[i]) for i, key in enumerate(keys)]
    _skip_broken(clips, media)
    _assign_fetch_tasks(clips)
    _skip_over_tier_limit(clips, users_and_keys.owner_tier(session, owner))
    media |= {clip_media.id: clip_media for clip_media in chosen if clip_media}
    return ResolvedSpec(spec, clips, media, output_policy_of(session, ctx, owner))


def load_resolved_spec(
    session: Session, compilation: CompilationRow, generation: int
) -> ResolvedSpec:
    """Return the spec of a stored revision. Takes three statements for any number of clips."""
    revision = revisions.get_revision(session, compilation.id, generation)
    return resolve_revision(session, compilation, revision)


def resolve_revision(
    session: Session, compilation: CompilationRow, revision: RevisionRow
) -> ResolvedSpec:
    """Return the spec of a revision whose row is loaded."""
    spec = stored_spec(revision)
    clips = revision_clips.list_clips(session, compilation.id, revision.generation)
    ids = {clip.media_id for clip in clips if clip.media_id} | referenced_media_ids(spec)
    media = media_library.media_by_ids(session, compilation.owner, ids)
    return ResolvedSpec(spec, clips, media, OutputPolicy.model_validate(revision.output_policy))


def dump_spec(spec: CompilationSpec) -> dict[str, Any]:
    """Return a spec as it is stored. Its owner is stored with the compilation."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"owner"})


def plan_or_refuse(resolved: ResolvedSpec) -> list[PlannedOutput]:
    """Return the planned outputs. Raise the ApiProblem InvalidTimeline."""
    try:
        return plan_outputs(resolved)
    except InvalidTimeline as error:
        raise refusals.invalid_timeline(error) from None


def _clip_keys(ctx: Context, spec: CompilationSpec) -> list[str | None]:
    """Return the clip key of each clip with a URL. Raise ForbiddenURL for a URL not allowed."""
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


def _refuse_unusable_media(spec: CompilationSpec, media: Mapping[str, MediaRow]) -> None:
    for media_id, field in asset_fields(spec).items():
        facts = media_facts(_existing(field, media_id, media))
        if facts is None or not facts.frames:
            raise refusals.not_video(field, media_id)
    for media_id, field in clip_fields(spec).items():
        facts = media_facts(clip_media := _existing(field, media_id, media))
        if clip_media.defect:
            continue  # spec.onClipError decides.
        if facts is None or not (facts.frames or facts.is_image):
            raise refusals.not_video(field, media_id)
    for media_id, field in image_ids(spec).items():
        image = _existing(field, media_id, media)
        if image.kind != MediaKind.IMAGE:
            raise refusals.not_image(field, media_id, image.kind)
        if defect := media_defect(image):
            raise refusals.broken(field, media_id, defect)
    if spec.music:
        field, media_id = "spec.music.mediaId", spec.music.media_id
        facts = media_facts(_existing(field, media_id, media))
        if facts is None or facts.audio_codec is None:
            raise refusals.not_audio(field, media_id)


def _existing(field: str, media_id: str, media: Mapping[str, MediaRow]) -> MediaRow:
    if media_id not in media:
        raise refusals.unknown_media(field, media_id)
    return media[media_id]


def _new_clip(
    spec: CompilationSpec, position: int, key: str | None, fetched: MediaRow | None
) -> ClipRow:
    clip = spec.clips[position]
    media_id = clip.media_id or (fetched.id if fetched else None)
    return ClipRow(
        id=new_id("k"),
        position=position,
        name=clip_name(spec, position),
        title=clip.title,
        url=clip.url,
        clip_key=key,
        state=(ClipState.READY if media_id or clip.color else ClipState.WAITING).value,
        media_id=media_id,
        reused=fetched is not None,
    )


def _assign_fetch_tasks(clips: list[ClipRow]) -> None:
    """Give a task index to the first waiting clip of each clip key."""
    keys: set[str] = set()
    for clip in clips:
        key = clip.clip_key or clip.id
        if clip.state == ClipState.WAITING and key not in keys:
            clip.task_index = len(keys)
            keys.add(key)


def _skip_broken(clips: list[ClipRow], media: Mapping[str, MediaRow]) -> None:
    for clip in clips:
        clip_media = media.get(clip.media_id or "")
        if clip_media and (defect := media_defect(clip_media)):
            clip.state = ClipState.SKIPPED.value
            clip.reason, clip.message = defect.code, defect.message


def _skip_over_tier_limit(clips: list[ClipRow], tier: TierRow) -> None:
    for clip in clips[tier.max_clips :] if tier.max_clips is not None else ():
        clip.state, clip.reason = ClipState.SKIPPED.value, OVER_TIER_LIMIT
        clip.message = (
            f"clip {clip.position + 1} of {len(clips)} exceeds the {tier.max_clips} clips"
            f" that tier {tier.name} allows"
        )
