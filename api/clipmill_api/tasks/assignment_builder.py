"""Build the assignments of tasks: the clip to fetch, or the segments to render and assemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from clipmill.protocol import (
    FetchAssignment,
    OutputAssignment,
    Segment,
    TaskFailure,
)
from clipmill.protocol.assignments import StoredFile
from clipmill.protocol.integrations.credential_models import FetchCredentials
from clipmill.protocol.tier_limits import remaining
from clipmill.sound.sound_stretches import stored_sound_keys
from clipmill.spec import CompilationSpec, parse_level
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.compilations.lifecycle import advance_revision, skip_clip
from clipmill_api.compilations.output_planning import SEGMENTS_PER_TASK, plan_outputs
from clipmill_api.compilations.plan_models import CompilationPlan, PlannedOutput, ResolvedSpec
from clipmill_api.compilations.resolution import load_resolved_spec
from clipmill_api.context import Context
from clipmill_api.credentials.credential_store import fetch_credentials
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import fetch_locks, media_library, rendered_segments, task_leases
from clipmill_api.queries.task_leases import TaskId
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
    state = fetch_locks.owner_state(session, owner, clip.clip_key)
    if state.has_media:
        media = media_library.fetched_media(session, owner, [clip.clip_key])
        waiting = fetch_parts.mark_covered(session, waiting, media, reused=True)
        if not waiting:
            advance_revision(session, ctx, compilation, clip.generation)
            return None
    left_bytes = remaining(state.storage_limit_bytes, state.storage_used_bytes)
    if left_bytes == 0:
        message = "the owner's storage quota is used up; delete media or raise the tier's limit"
        failure = TaskFailure(code="StorageQuotaExceeded", message=message)
        skip_clip(session, ctx, compilation, clip, failure)
        return None
    credentials: FetchCredentials | None = FetchCredentials()
    if state.has_credentials:
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


def assign_assembly(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int
) -> list[OutputAssignment]:
    """Return the outputs to assemble. Raise NotReady."""
    resolved = load_resolved_spec(session, compilation, generation)
    if resolved.is_waiting:
        raise _not_ready(generation)
    plan = CompilationPlan(resolved, plan_outputs(resolved))
    owner = compilation.owner
    outputs = [_output_assignment(resolved.spec, output) for output in plan.outputs]
    sound_keys = {key for output in outputs for key in stored_sound_keys(output)}
    existing = rendered_segments.existing_files(session, owner, plan.segment_keys | sound_keys)
    rendered_segments.touch(session, owner, existing, at=ctx.now())
    early = task_leases.segments_to_render(session, compilation.id, generation)
    return [_with_existing(output, existing, early) for output in outputs]


def assign_rendering(
    session: Session, ctx: Context, compilation: CompilationRow, task_id: TaskId
) -> dict[str, list[Segment] | int]:
    """Return segments to render that no other task has, or none if nothing is left.

    Each is assigned once, so that one that cannot be rendered fails one task; the assembly renders
    what is missing. While clips are fetched, those that no further clip can change are assigned.

    Raises:
        ApiProblem: NotReady.
    """
    resolved = load_resolved_spec(session, compilation, task_id.generation)
    plan = CompilationPlan(resolved, _outputs_if_possible(resolved))
    scopes = task_leases.held_scopes(session, task_id, now=ctx.now())
    keys, owner = plan.segment_keys, compilation.owner
    existing = rendered_segments.existing_keys(session, owner, keys)
    if task_id.index not in scopes:
        rendered_segments.touch(session, owner, existing, at=ctx.now())
    taken = existing.union(*(scope["missing"] for scope in scopes.values()))
    missing = [segment for key, segment in plan.renderable().items() if key not in taken]
    if resolved.is_waiting and not missing:
        raise _not_ready(task_id.generation)
    frames = sum(segment.frames for output in plan.outputs for segment in output.segments)
    return {"render": missing[:SEGMENTS_PER_TASK], "render_frames": frames}


def _outputs_if_possible(resolved: ResolvedSpec) -> Sequence[PlannedOutput]:
    """Return no outputs while a fetched clip is shorter than its trim: it will be skipped."""
    try:
        return plan_outputs(resolved)
    except InvalidTimeline:
        if not resolved.is_waiting:
            raise
        return ()


def _not_ready(generation: int) -> ApiProblem:
    detail = f"clips of generation {generation} are still being fetched"
    return ApiProblem(503, "NotReady", detail)


def _with_existing(
    output: OutputAssignment, existing: Mapping[str, StoredFile], early: set[str]
) -> OutputAssignment:
    segments = [segment.key for segment in output.segments if segment.key in existing]
    sound = [key for key in stored_sound_keys(output) if key in existing]
    keys = [*segments, *sound]
    return output.model_copy(
        update={
            "existing": keys,
            "existing_files": {key: existing[key] for key in keys},
            "rendered_early": [key for key in segments if key in early],
        }
    )


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
