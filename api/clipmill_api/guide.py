"""The fifteen endpoints of the migration guide, as corrected: the rows behind each answer."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from sqlalchemy.orm import Session

from clipmill.contract import (
    ENDS,
    ClipFailure,
    ClipState,
    CompilationSpec,
    MediaKind,
    State,
    level,
    seconds,
)
from clipmill.guide import (
    JOB_ENDS,
    ClipMetadata,
    ClipUpdate,
    CompilationContext,
    ContextClip,
    ContextLimits,
    ContextMedia,
    ContextProject,
    JobCreate,
    JobStatus,
    JobUpdate,
    JobView,
    MediaBatch,
    MediaCreate,
    MediaCreated,
    MediaMetadata,
    ProjectClip,
    ProjectMetadata,
    ProjectUpdate,
    RenderRecorded,
    Reuse,
    StorageQuota,
    UserTierLimits,
)
from clipmill.presets import profile
from clipmill.quota import remaining
from clipmill.sources import ForbiddenURL, clip_key
from clipmill_api import lifecycle, planning, refusals, work
from clipmill_api.auth import Principal
from clipmill_api.context import Context, new_id
from clipmill_api.lifecycle import Ending
from clipmill_api.problems import ApiProblem, not_found
from clipmill_api.queries import jobs, library, people, quota, revisions
from clipmill_api.tables import ClipRow, JobRow, Media

PLATFORMS = ("twitch", "youtube")


def _number(duration: str | None) -> float | None:
    return float(seconds(duration)) if duration else None


def _duration(row: Media | None) -> float | None:
    facts = planning.facts(row) if row else None
    return facts.duration_us / 1e6 if facts else None


def _clip(session: Session, who: Principal, clip_id: str) -> ClipRow:
    row = revisions.clip(session, who.compilation_id, clip_id)
    if row is None:
        raise not_found("clip", clip_id)
    return row


def _own(what: str, wanted: str, given: str) -> None:
    """The key's own compilation or user, or nobody's."""
    if given != wanted:
        raise not_found(what, given)


def _media(session: Session, who: Principal, media_id: str) -> Media:
    row = library.media(session, who.owner, media_id)
    if row is None:
        raise not_found("media", media_id)
    return row


# --- clips and media --------------------------------------------------------------------------


def clip_metadata(session: Session, who: Principal, clip_id: str) -> ClipMetadata:
    """E1."""
    row = _clip(session, who, clip_id)
    compilation = revisions.compilation(session, who.owner, who.compilation_id)
    platform, _, source = (row.clip_key or "").partition(":")
    known = platform in PLATFORMS
    other = "external" if row.url else "library"
    return ClipMetadata.model_validate(
        {
            "id": row.id,
            "title": row.title,
            "source_url": row.url,
            "source_platform": platform if known else other,
            "source_id": source if known else None,
            "project_id": who.compilation_id,
            "user_id": who.owner,
            "username": who.owner,
            "project_name": compilation.name if compilation else "",
        }
    )


def update_clip(
    session: Session, ctx: Context, who: Principal, clip_id: str, given: ClipUpdate
) -> None:
    """E2: a clip has its media, or cannot be had. A repeat changes nothing."""
    compilation = revisions.locked(session, who.compilation_id)
    row = _clip(session, who, clip_id)
    if given.error is not None:
        failure = ClipFailure(code="FetchFailed", message=given.error)
        work.skip(session, ctx, compilation, row, failure)
        return
    if given.media_file_id is None:
        return
    media = _media(session, who, given.media_file_id)
    _agree(given, _duration(media))
    if revisions.ready(session, row, media_id=media.id, reused=False, all_of_key=False):
        lifecycle.advance(session, ctx, compilation, row.generation)


def _agree(given: ClipUpdate, measured: float | None) -> None:
    """The length is what our prober measured; a caller who says otherwise is told."""
    if measured is None:
        raise refusals.not_video("media_file_id", given.media_file_id or "")
    if given.duration is not None and abs(given.duration - measured) > 1:
        detail = f"duration: {given.duration} was given, but the media is {measured:.3f}s long"
        raise ApiProblem(422, "Invalid", detail, field="duration")


def media_metadata(session: Session, who: Principal, media_id: str) -> MediaMetadata:
    """E3."""
    row = _media(session, who, media_id)
    return MediaMetadata(
        id=row.id,
        filename=row.filename,
        media_type=MediaKind(row.kind),
        duration=_duration(row),
        user_id=row.owner,
        username=row.owner,
    )


def create_media(
    session: Session, ctx: Context, who: Principal, given: MediaCreate
) -> MediaCreated:
    """E4: another row for bytes that are here, sized by us; a repeat gives the same row."""
    kind = given.media_type.value
    same = library.media_by_sha256(session, who.owner, given.sha256, kind)
    if same is not None:
        return MediaCreated(status="existing", media_id=same.id)
    held = library.any_by_sha256(session, who.owner, given.sha256)
    if held is None:
        detail = f"sha256: no bytes {given.sha256} of yours are here; upload them first"
        raise ApiProblem(422, "UnknownMedia", detail, field="sha256")
    row = Media(
        id=new_id("m"),
        owner=who.owner,
        kind=kind,
        filename=given.filename,
        size_bytes=held.size_bytes,
        sha256=held.sha256,
        facts=held.facts,
        created_at=ctx.now(),
    )
    if not quota.take_storage(session, who.owner, row.size_bytes):
        limit = people.tier_of(session, who.owner).storage_limit_bytes or 0
        raise refusals.storage_quota(row.size_bytes, 0, limit)
    library.add_media(session, row)
    return MediaCreated(status="created", media_id=row.id)


def find_reusable(session: Session, who: Principal, source_url: str) -> Reuse:
    """E13: by the indexed clip key of this owner."""
    try:
        key = clip_key(source_url)
    except ForbiddenURL as error:
        raise refusals.forbidden_url("source_url", error) from None
    row = library.media_by_clip_keys(session, who.owner, [key]).get(key)
    if row is None:
        return Reuse(found=False, clip_key=key)
    return Reuse(found=True, media_file_id=row.id, duration=_duration(row), clip_key=key)


def media_batch(session: Session, who: Principal, ids: list[str]) -> MediaBatch:
    """E15: in the order asked."""
    found = library.media_by_ids(session, who.owner, ids)
    files = [_context_media(found[media_id]) for media_id in ids if media_id in found]
    return MediaBatch(media_files=files, missing=[i for i in ids if i not in found])


def _context_media(row: Media) -> ContextMedia:
    facts = planning.facts(row)
    return ContextMedia(
        id=row.id,
        media_type=MediaKind(row.kind),
        duration=_duration(row),
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        framerate=float(Fraction(facts.rate)) if facts else None,
    )


# --- processing jobs --------------------------------------------------------------------------


def create_job(
    session: Session, ctx: Context, who: Principal, given: JobCreate
) -> tuple[str, bool]:
    """E5: (id, whether it is new)."""
    found = jobs.by_external_id(session, who.compilation_id, given.external_id)
    if found is not None:
        return found.id, False
    row = JobRow(
        id=new_id("j"),
        external_id=given.external_id,
        job_type=given.job_type,
        compilation_id=who.compilation_id,
        owner=who.owner,
        status=given.status.value,
        result_data={},
        started_at=ctx.now(),
        completed_at=ctx.now() if given.status in JOB_ENDS else None,
    )
    jobs.add(session, row)
    return row.id, True


def _job(session: Session, who: Principal, job_id: str) -> JobRow:
    row = jobs.locked(session, who.compilation_id, job_id)
    if row is None:
        raise not_found("job", job_id)
    return row


def job(session: Session, who: Principal, job_id: str) -> JobView:
    """E6."""
    row = _job(session, who, job_id)
    return JobView(
        id=row.id,
        external_id=row.external_id,
        job_type=row.job_type,
        status=JobStatus(row.status),
        progress=row.progress,
        result_data=row.result_data,
        error_message=row.error_message,
    )


def update_job(
    session: Session, ctx: Context, who: Principal, job_id: str, given: JobUpdate
) -> None:
    """E7: held for the change, so that two at once both count. An ended job stays ended."""
    row = _job(session, who, job_id)
    status = given.status or JobStatus(row.status)
    if JobStatus(row.status) in JOB_ENDS and status != row.status:
        detail = f"job {job_id} is {row.status} and stays so"
        raise ApiProblem(409, "Ended", detail, status_now=row.status)
    if status in JOB_ENDS and row.completed_at is None:
        row.completed_at = ctx.now()
    row.status = status.value
    row.progress = max(row.progress, given.progress or 0)
    row.result_data = row.result_data | (given.result_data or {})
    row.error_message = given.error_message or row.error_message
    session.flush()


# --- the project ------------------------------------------------------------------------------


def project(session: Session, who: Principal, project_id: str) -> ProjectMetadata:
    """E8."""
    _own("project", who.compilation_id, project_id)
    row = revisions.locked(session, project_id)
    now = lifecycle.known(session, row, who.generation)
    form = profile(now.spec.outputs[0])
    return ProjectMetadata(
        id=row.id,
        name=row.name,
        user_id=row.owner,
        username=row.owner,
        max_clip_duration=_number(now.spec.max_clip_duration),
        output_resolution=f"{form.width}x{form.height}",
        output_format="mp4",
        audio_norm_db=level(now.spec.audio.loudness),
        clips=[_project_clip(now.spec, clip, now.media) for clip in now.clips],
    )


def _project_clip(spec: CompilationSpec, clip: ClipRow, media: Mapping[str, Media]) -> ProjectClip:
    asked = spec.clips[clip.position]
    return ProjectClip(
        id=clip.id,
        title=clip.title,
        order_index=clip.position,
        media_file_id=clip.media_id,
        duration=_duration(media.get(clip.media_id or "")),
        start_time=_number(asked.start),
        end_time=_number(asked.end),
        is_downloaded=clip.state == ClipState.READY,
    )


def update_project(
    session: Session, ctx: Context, who: Principal, project_id: str, given: ProjectUpdate
) -> None:
    """E9: a late worker cannot move an ended compilation, nor say that one is complete."""
    _own("project", who.compilation_id, project_id)
    row = revisions.locked(session, project_id)
    state = State(revisions.revision(session, project_id, who.generation).state)
    if given.status == "failed" and state not in ENDS:
        message = given.error or "the worker said so, without a reason"
        ending = Ending(State.FAILED, "WorkerFailed", message)
        lifecycle.end(session, ctx, row, who.generation, ending)
        return
    is_true = {
        "processing": state not in ENDS,
        "completed": state is State.SUCCEEDED,
        "failed": state is State.FAILED,
    }
    if not is_true[given.status]:
        detail = f"status: {given.status} was given, but the compilation is {state}"
        raise ApiProblem(409, "StateConflict", detail, state=state)


def context(session: Session, who: Principal, project_id: str) -> CompilationContext:
    """E14."""
    _own("project", who.compilation_id, project_id)
    row = revisions.locked(session, project_id)
    now = lifecycle.known(session, row, who.generation)
    spec, output = now.spec, now.spec.outputs[0]
    form, tier = profile(output), people.tier_of(session, who.owner)
    return CompilationContext(
        project=ContextProject(
            id=row.id,
            user_id=row.owner,
            username=row.owner,
            name=row.name,
            output_resolution=f"{form.width}x{form.height}",
            output_format="mp4",
            fps=form.rate,
            fit=output.fit,
            loudness_lufs=level(spec.audio.loudness),
            true_peak_dbtp=level(spec.audio.true_peak),
            max_clip_duration=_number(spec.max_clip_duration),
            intro_media_id=spec.intro.media_id if spec.intro else None,
            outro_media_id=spec.outro.media_id if spec.outro else None,
            transition_media_ids=spec.transitions.media_ids if spec.transitions else [],
        ),
        clips=[_context_clip(spec, clip, now.media) for clip in now.clips],
        tier_limits=ContextLimits(
            max_res_label=tier.max_resolution,
            max_fps=tier.max_fps,
            max_clips=tier.max_clips,
            apply_watermark=tier.apply_watermark,
        ),
    )


def _context_clip(spec: CompilationSpec, clip: ClipRow, media: Mapping[str, Media]) -> ContextClip:
    row, asked = media.get(clip.media_id or ""), spec.clips[clip.position]
    return ContextClip(
        id=clip.id,
        order_index=clip.position,
        start_time=_number(asked.start),
        end_time=_number(asked.end),
        media_file=_context_media(row) if row else None,
    )


# --- the user ---------------------------------------------------------------------------------


def storage(session: Session, who: Principal, user_id: str) -> StorageQuota:
    """E10: 0 is no room, None is no limit."""
    _own("user", who.owner, user_id)
    limit = people.tier_of(session, user_id).storage_limit_bytes
    user = people.user(session, user_id)
    used = user.storage_used_bytes if user else 0
    return StorageQuota(remaining_bytes=remaining(limit, used), total_bytes=limit, used_bytes=used)


def tier_limits(session: Session, who: Principal, user_id: str) -> UserTierLimits:
    """E11."""
    _own("user", who.owner, user_id)
    tier = people.tier_of(session, user_id)
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
    there = quota.usage_of(session, project_id, who.generation)
    if there is not None:
        return RenderRecorded(status="existing", seconds=there.seconds)
    if not who.live:
        raise ApiProblem(409, "Ended", "the generation ended without a result: nothing was used")
    used = planning.seconds(planning.outputs(lifecycle.known(session, row, who.generation)))
    lifecycle.settle(session, ctx, row, who.generation, used)
    return RenderRecorded(status="recorded", seconds=used)
