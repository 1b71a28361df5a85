"""Build the assignments of tasks: the clip to fetch, or the segments to render and assemble."""

from __future__ import annotations

from clipmill.protocol import (
    FetchAssignment,
    OutputAssignment,
    Segment,
    Stage,
    TaskFailure,
)
from clipmill.protocol.integrations.credential_models import FetchCredentials
from clipmill.sound.sound_stretches import stored_sound_keys
from clipmill.spec import CompilationSpec, parse_level
from clipmill_api.accounts.quota_checks import storage_left
from clipmill_api.compilations.lifecycle import advance_revision, skip_clip
from clipmill_api.compilations.output_planning import SEGMENTS_PER_TASK, plan_outputs
from clipmill_api.compilations.plan_models import CompilationPlan, PlannedOutput
from clipmill_api.compilations.resolution import load_resolved_spec
from clipmill_api.context import Context
from clipmill_api.credentials.credential_store import fetch_credentials
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import fetch_locks, media_library, rendered_segments
from clipmill_api.tables import ClipRow, CompilationRow
from clipmill_api.tasks import fetch_parts


def assign_fetch(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    spec: CompilationSpec,
    clip: ClipRow,
) -> FetchAssignment | None:
    """Return what to fetch. None if no clip of this source waits, or needs to wait any longer.

    Raises:
        ApiProblem: FetchInProgress.
    """
    if clip.url is None or clip.clip_key is None:
        return None
    owner, waiting = compilation.owner, fetch_parts.waiting_clips_of(session, clip, spec)
    if not waiting:
        return None
    media = media_library.fetched_media(session, owner, [clip.clip_key])
    if media:
        waiting = fetch_parts.mark_covered(session, waiting, media, reused=True)
        if not waiting:
            advance_revision(session, ctx, compilation, clip.generation)
            return None
    left_bytes = storage_left(session, owner)
    if left_bytes == 0:
        message = "the owner's storage quota is used up; delete media or raise the tier's limit"
        failure = TaskFailure(code="StorageQuotaExceeded", message=message)
        skip_clip(session, ctx, compilation, clip, failure)
        return None
    credentials = _credentials_or_skip(session, ctx, compilation, clip, clip.url)
    if credentials is None:
        return None
    until = ctx.later(ctx.settings.lease_s)
    if not fetch_locks.acquire(
        session, owner, clip.clip_key, clip_id=clip.id, now=ctx.now(), until=until
    ):
        detail = f"clip {clip.clip_key} is being fetched by another task"
        raise ApiProblem(503, "FetchInProgress", detail)
    assignment = _fetch_assignment(ctx, clip, clip.url, left_bytes)
    spans = fetch_parts.source_parts(waiting)
    return assignment.model_copy(update={"credentials": credentials, "spans": spans})


def _credentials_or_skip(
    session: Session, ctx: Context, compilation: CompilationRow, clip: ClipRow, url: str
) -> FetchCredentials | None:
    """Return what the owner has for the clip's host. Skip the clip if it cannot be decrypted."""
    try:
        return fetch_credentials(session, ctx, compilation.owner, url)
    except ApiProblem as problem:
        failure = TaskFailure(code=problem.code, message=problem.detail)
        skip_clip(session, ctx, compilation, clip, failure)
        return None


def _fetch_assignment(
    ctx: Context, clip: ClipRow, url: str, left_bytes: int | None
) -> FetchAssignment:
    limit_bytes = ctx.settings.max_upload_bytes
    return FetchAssignment(
        clip_id=clip.id,
        name=clip.name,
        url=url,
        limit_bytes=limit_bytes if left_bytes is None else min(limit_bytes, left_bytes),
        limit_s=ctx.settings.fetch_limit_s,
        allowed_hosts=list(ctx.settings.allowed_hosts),
        allowed_private=list(ctx.settings.allow_private),
        allow_any_host=ctx.settings.allow_any_host,
    )


def assign_rendering(
    session: Session, ctx: Context, compilation: CompilationRow, principal: Principal, index: int
) -> dict[str, list[Segment] | list[OutputAssignment]]:
    """Return the segments to render, or the outputs to assemble. Raise NotReady."""
    resolved = load_resolved_spec(session, compilation, principal.generation)
    if resolved.is_waiting:
        detail = f"clips of generation {principal.generation} are still being fetched"
        raise ApiProblem(503, "NotReady", detail)
    plan = CompilationPlan(resolved, plan_outputs(resolved))
    owner = compilation.owner
    outputs = [_output_assignment(resolved.spec, output) for output in plan.outputs]
    sound_keys = {key for output in outputs for key in stored_sound_keys(output)}
    existing = rendered_segments.existing_keys(session, owner, plan.segment_keys | sound_keys)
    rendered_segments.touch(session, owner, existing, at=ctx.now())
    if principal.stage is Stage.RENDER:
        return {"render": _segments_of_task(plan, index, existing)}
    return {"assemble": [_with_existing(output, existing) for output in outputs]}


def _segments_of_task(plan: CompilationPlan, index: int, existing: set[str]) -> list[Segment]:
    """Return the missing ones of the segments that a render task is for."""
    segments = {segment.key: segment for output in plan.outputs for segment in output.segments}
    start = index * SEGMENTS_PER_TASK
    of_task = list(segments.values())[start : start + SEGMENTS_PER_TASK]
    return [segment for segment in of_task if segment.key not in existing]


def _with_existing(output: OutputAssignment, existing: set[str]) -> OutputAssignment:
    keys = [*(segment.key for segment in output.segments), *stored_sound_keys(output)]
    return output.model_copy(update={"existing": [key for key in keys if key in existing]})


def _output_assignment(spec: CompilationSpec, output: PlannedOutput) -> OutputAssignment:
    return OutputAssignment(
        name=output.spec.name,
        segments=list(output.segments),
        title=spec.title,
        loudness_lufs=parse_level(spec.audio.loudness),
        true_peak_dbtp=parse_level(spec.audio.true_peak),
        music=output.music,
        max_bytes=output.spec.max_bytes,
        audio_bitrate=output.timeline.audio_bitrate,
        record=output.record,
    )
