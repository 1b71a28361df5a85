"""E8, E9 and E14: the compilation, which the guide calls a project."""

from __future__ import annotations

from clipmill.protocol import TERMINAL_STATES, CompilationState, Stage
from clipmill_api.compilations import resolution, revision_end
from clipmill_api.compilations.revision_end import RevisionEnd
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker import generation_media, project_clips
from clipmill_api.legacy_worker.project_models import (
    CompilationContext,
    ContextLimits,
    ProjectMetadata,
    ProjectUpdate,
)
from clipmill_api.legacy_worker.project_settings import project_settings, watermark
from clipmill_api.queries import compilation_records, revisions
from clipmill_api.queries.compilation_records import OwnRevision
from clipmill_api.tables import CompilationRow


def _project(session: Session, principal: Principal, project_id: str) -> CompilationRow:
    """Return the key's own compilation. Raises 404."""
    compilation = compilation_records.find_compilation(session, principal.owner, project_id)
    if compilation is None or compilation.id != principal.compilation_id:
        raise not_found("project", project_id)
    return compilation


def _own_revision(session: Session, principal: Principal, project_id: str) -> OwnRevision:
    """Return the key's own compilation and its revision. Raises 404."""
    if project_id != principal.compilation_id:
        raise not_found("project", project_id)
    own = compilation_records.find_with_revision(
        session, principal.owner, project_id, principal.generation
    )
    if own is None:
        raise not_found("project", project_id)
    return own


def project_metadata(session: Session, principal: Principal, project_id: str) -> ProjectMetadata:
    """Return a project's settings, outputs and clips (E8)."""
    compilation, revision, _ = _own_revision(session, principal, project_id)
    resolved = resolution.resolve_revision(session, compilation, revision)
    settings = project_settings(compilation, resolved)
    return ProjectMetadata(**dict(settings), clips=project_clips.of_metadata(resolved))


def update_project(
    session: Session, ctx: Context, principal: Principal, project_id: str, update: ProjectUpdate
) -> None:
    """End a project as failed, or confirm its state (E9).

    Raises:
        ApiProblem: 403 if the key may not end it, 409 if the reported status contradicts the
            compilation's state.
    """
    compilation = compilation_records.lock_compilation(
        session, _project(session, principal, project_id).id
    )
    revision = revisions.get_revision(session, project_id, principal.generation)
    state = CompilationState(revision.state)
    if update.status == "failed" and state not in TERMINAL_STATES:
        generation_media.require_stage(principal, Stage.ASSEMBLE)
        message = update.error or "the worker reported no reason"
        ending = RevisionEnd(CompilationState.FAILED, "WorkerFailed", message)
        revision_end.end_revision(session, ctx, compilation, principal.generation, ending)
        return
    is_true = {
        "processing": state not in TERMINAL_STATES,
        "completed": state is CompilationState.SUCCEEDED,
        "failed": state is CompilationState.FAILED,
    }
    if not is_true[update.status]:
        detail = f"status: {update.status!r} contradicts the compilation's state, {state}"
        raise ApiProblem(409, "StateConflict", detail, state=state)


def compilation_context(
    session: Session, principal: Principal, project_id: str
) -> CompilationContext:
    """Return everything that a render of a project needs (E14)."""
    compilation, revision, tier = _own_revision(session, principal, project_id)
    resolved = resolution.resolve_revision(session, compilation, revision)
    layer = watermark(resolved)
    return CompilationContext(
        project=project_settings(compilation, resolved),
        clips=project_clips.of_context(resolved),
        tier_limits=ContextLimits(
            max_res_label=tier.max_resolution,
            max_fps=tier.max_fps,
            max_clips=tier.max_clips,
            apply_watermark=tier.apply_watermark,
            watermark_opacity=layer.opacity if layer else None,
            watermark_position=layer.position if layer else None,
        ),
    )
