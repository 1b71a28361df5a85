"""E8, E9, E14: the compilation, which the guide calls a project."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from clipmill.protocol import TERMINAL_STATES, ClipState, CompilationState
from clipmill.spec import CompilationSpec, parse_level, parse_duration
from clipmill.timeline.profiles import build_profile
from clipmill_api.compilations import lifecycle
from clipmill_api.compilations.lifecycle import Ending
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.media_endpoints import context_media, duration_s
from clipmill_api.legacy_worker.models import (
    CompilationContext,
    ContextClip,
    ContextLimits,
    ContextProject,
    ProjectClip,
    ProjectMetadata,
    ProjectUpdate,
)
from clipmill_api.queries import revisions, users_and_keys
from clipmill_api.tables import ClipRow, CompilationRow, MediaRow


def _number(duration: str | None) -> float | None:
    return float(parse_duration(duration)) if duration else None


def _project(session: Session, who: Principal, project_id: str) -> CompilationRow:
    """The key's own compilation, to look at."""
    row = revisions.compilation(session, who.owner, project_id)
    if row is None or row.id != who.compilation_id:
        raise not_found("project", project_id)
    return row


def project(session: Session, who: Principal, project_id: str) -> ProjectMetadata:
    """E8."""
    row = _project(session, who, project_id)
    now = lifecycle.known(session, row, who.generation)
    form = build_profile(now.spec.outputs[0])
    return ProjectMetadata(
        id=row.id,
        name=row.name,
        user_id=row.owner,
        username=row.owner,
        max_clip_duration=_number(now.spec.max_clip_duration),
        output_resolution=f"{form.width}x{form.height}",
        output_format="mp4",
        audio_norm_db=parse_level(now.spec.audio.loudness),
        clips=[_project_clip(now.spec, clip, now.media) for clip in now.clips],
    )


def _project_clip(spec: CompilationSpec, clip: ClipRow, media: Mapping[str, MediaRow]) -> ProjectClip:
    asked = spec.clips[clip.position]
    return ProjectClip(
        id=clip.id,
        title=clip.title,
        order_index=clip.position,
        media_file_id=clip.media_id,
        duration=duration_s(media.get(clip.media_id or "")),
        start_time=_number(asked.start),
        end_time=_number(asked.end),
        is_downloaded=clip.state == ClipState.READY,
    )


def update_project(
    session: Session, ctx: Context, who: Principal, project_id: str, given: ProjectUpdate
) -> None:
    """E9: a late worker cannot move an ended compilation, nor say that one is complete."""
    row = revisions.locked(session, _project(session, who, project_id).id)
    state = CompilationState(revisions.revision(session, project_id, who.generation).state)
    if given.status == "failed" and state not in TERMINAL_STATES:
        message = given.error or "the worker said so, without a reason"
        ending = Ending(CompilationState.FAILED, "WorkerFailed", message)
        lifecycle.end(session, ctx, row, who.generation, ending)
        return
    is_true = {
        "processing": state not in TERMINAL_STATES,
        "completed": state is CompilationState.SUCCEEDED,
        "failed": state is CompilationState.FAILED,
    }
    if not is_true[given.status]:
        detail = f"status: {given.status} was given, but the compilation is {state}"
        raise ApiProblem(409, "StateConflict", detail, state=state)


def context(session: Session, who: Principal, project_id: str) -> CompilationContext:
    """E14."""
    row = _project(session, who, project_id)
    now = lifecycle.known(session, row, who.generation)
    spec, output = now.spec, now.spec.outputs[0]
    form, tier = build_profile(output), users_and_keys.tier_of(session, who.owner)
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
            loudness_lufs=parse_level(spec.audio.loudness),
            true_peak_dbtp=parse_level(spec.audio.true_peak),
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


def _context_clip(spec: CompilationSpec, clip: ClipRow, media: Mapping[str, MediaRow]) -> ContextClip:
    row, asked = media.get(clip.media_id or ""), spec.clips[clip.position]
    return ContextClip(
        id=clip.id,
        order_index=clip.position,
        start_time=_number(asked.start),
        end_time=_number(asked.end),
        media_file=context_media(row) if row else None,
    )
