"""Start a revision and advance it when its clips change. Each change is compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from clipmill.protocol import ClipState, CompilationState, Stage, TaskFailure, UnplayableClip
from clipmill.spec import CompilationSpec, Quality
from clipmill.timeline.eta import FETCH_SHARE
from clipmill_api.accounts import quota_checks
from clipmill_api.compilations import resolution
from clipmill_api.compilations.missing_clips import end_by_missing_clips, late_starts
from clipmill_api.compilations.plan_models import CompilationPlan, PlannedOutput, ResolvedSpec
from clipmill_api.compilations.revision_end import RevisionEnd, end_revision
from clipmill_api.context import Context
from clipmill_api.database import Session, after_commit
from clipmill_api.delivery.delivery_outbox import require_bucket
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.notifications import outbox
from clipmill_api.queries import (
    compilation_records,
    quota_ledger,
    rendered_segments,
    revision_clips,
    revisions,
    task_leases,
)
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow


def start_revision(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    spec: CompilationSpec,
    generation: int,
    *,
    is_episode: bool = False,
) -> CompilationPlan | None:
    """Store a new revision, reserve its render time and end the revision before it.

    Args:
        session: Session of a write.
        ctx: Objects of the app.
        compilation: Compilation of the revision.
        spec: Spec of the revision.
        generation: Number of the revision.
        is_episode: Whether a show created it. The limit of drafts does not hold for it: many
            shows may be due in one minute, and no later attempt would follow.

    Returns:
        The plan, unless the revision failed at once.

    Raises:
        ApiProblem: the refusal.
    """
    start = ctx.traces.start(ctx.now())
    quota_checks.refuse_too_many_clips(session, compilation.owner, spec)
    if spec.quality is Quality.DRAFT and not is_episode:
        quota_checks.refuse_too_many_drafts(session, ctx, compilation)
    outbox.require_webhooks(session, compilation.owner, spec.notify or ())
    require_bucket(session, compilation.owner, spec)
    resolved = resolution.resolve_spec(session, ctx, compilation.owner, spec)
    ends_at_once = not resolved.is_waiting and end_by_missing_clips(resolved)
    outputs = () if ends_at_once else resolution.plan_or_refuse(resolved)
    plan = CompilationPlan(resolved, outputs)
    if generation > compilation.generation:
        superseded = RevisionEnd(CompilationState.SUPERSEDED, "Edited")
        end_revision(session, ctx, compilation, compilation.generation, superseded)
        compilation_records.raise_generation(session, compilation.id, generation)
    compilation.expires_at = compilation.removed_at = compilation.removal_reason = None
    begun = _begin(session, ctx, compilation.owner, plan)
    revision = _add_revision(session, ctx, compilation, generation, begun, created_at=start.at)
    _reserve_render_time(session, ctx, compilation, generation, plan)
    outbox.compilation_accepted(session, ctx, compilation, generation, spec)
    advanced: CompilationPlan | None = replace(begun.plan, revision=revision)
    if not begun.columns:
        advanced = _advance(session, ctx, compilation, generation, plan)
    attributes = {"clipmill.clips": len(resolved.clips), "clipmill.outputs": len(outputs)}
    finish = partial(ctx.traces.finish, start, revision.traceparent, "plan", attributes)
    after_commit(session, finish)
    return advanced


class _Begin(NamedTuple):
    """A new revision's plan, and the columns of its first state: none if it has to be advanced."""

    plan: CompilationPlan
    columns: Mapping[str, Any]


def _begin(session: Session, ctx: Context, owner: str, plan: CompilationPlan) -> _Begin:
    """Return how a new revision begins, so that it is inserted in this state."""
    if plan.resolved.is_waiting:
        return _Begin(plan, _fetching_columns(plan.resolved))
    if not plan.outputs or late_starts(plan.resolved):
        return _Begin(plan, {})
    existing = rendered_segments.existing_keys(session, owner, plan.segment_keys)
    columns = revisions.rendering_columns(segments_reused=len(existing))
    return _Begin(replace(plan, existing=existing), {**columns, "rendering_at": ctx.now()})


def _add_revision(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    begun: _Begin,
    *,
    created_at: datetime,
) -> RevisionRow:
    """Store a revision and its clips."""
    resolved = begun.plan.resolved
    revision = RevisionRow(
        compilation_id=compilation.id,
        generation=generation,
        spec=resolution.dump_spec(resolved.spec),
        output_policy=resolved.output_policy.model_dump(mode="json"),
        outputs=[],
        created_at=created_at,
        **{"state": CompilationState.PENDING.value, **begun.columns},
        **ctx.traces.new_columns(),
    )
    revisions.add_revision(session, revision)
    for clip in resolved.clips:
        clip.compilation_id, clip.generation = compilation.id, generation
    revision_clips.add_clips(session, resolved.clips)
    return revision


def _reserve_render_time(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    plan: CompilationPlan,
) -> None:
    month, seconds = ctx.month(), plan.render_seconds
    quota_checks.reserve_render_time(
        session, compilation.owner, month=month, seconds=seconds, note=plan.estimate_note
    )
    quota_checks.notify_render_quota(session, ctx, compilation.owner)
    reservation = {
        "compilation_id": compilation.id,
        "generation": generation,
        "owner": compilation.owner,
        "month": month,
        "seconds": seconds,
        "state": "open",
    }
    quota_ledger.add_reservation(session, reservation)


def skip_clip(
    session: Session, ctx: Context, compilation: CompilationRow, clip: ClipRow, failure: TaskFailure
) -> None:
    """Skip a clip that cannot be fetched and advance its revision."""
    if revision_clips.mark_skipped(session, clip, reason=failure.code, message=failure.message):
        advance_revision(session, ctx, compilation, clip.generation)


def skip_unplayable_clips(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    unplayable: Sequence[UnplayableClip],
) -> bool:
    """Skip clips that cannot be rendered and plan the rest again.

    Returns:
        False if one of them is no clip of the revision that plays or was skipped for this reason.
    """
    clips = {c.name: c for c in revision_clips.list_clips(session, compilation.id, generation)}
    reported = [(clips.get(each.name), each.code) for each in unplayable]
    if not all(clip and (clip.reason or code) == code for clip, code in reported):
        return False
    ready = {name for name, clip in clips.items() if clip.state == ClipState.READY}
    reasons = {
        clips[each.name].id: (each.code, each.message) for each in unplayable if each.name in ready
    }
    if reasons:
        revision_clips.skip_ready(session, reasons)
        advance_revision(session, ctx, compilation, generation)
    return True


def advance_revision(
    session: Session, ctx: Context, compilation: CompilationRow, generation: int
) -> None:
    """Advance a revision after its clips changed: keep fetching, start rendering, or fail."""
    compilation_records.lock_compilation(session, compilation.id)
    resolved = resolution.load_resolved_spec(session, compilation, generation)
    _advance(session, ctx, compilation, generation, CompilationPlan(resolved, ()))


def _advance(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    generation: int,
    plan: CompilationPlan,
) -> CompilationPlan | None:
    """Advance a revision. A plan without outputs is completed once all clips are ready."""
    if plan.resolved.is_waiting:
        columns = _fetching_columns(plan.resolved)
        revisions.update_active(session, compilation.id, generation, **columns)
        return plan
    if _skip_late_starts(session, plan.resolved):
        resolved = resolution.load_resolved_spec(session, compilation, generation)
        plan = CompilationPlan(resolved, ())
    end = end_by_missing_clips(plan.resolved)
    if end is None:
        try:
            outputs = plan.outputs or _plan_exactly(session, compilation, generation, plan.resolved)
        except ApiProblem as problem:
            end = RevisionEnd(CompilationState.FAILED, problem.code, problem.detail)
    if end is not None:
        end_revision(session, ctx, compilation, generation, end)
        return None
    plan = replace(plan, outputs=outputs)
    existing = rendered_segments.existing_keys(session, compilation.owner, plan.segment_keys)
    early = task_leases.segments_to_render(session, compilation.id, generation)
    revisions.start_rendering(
        session, compilation.id, generation, at=ctx.now(), segments_reused=len(existing - early)
    )
    return replace(plan, existing=existing)


def _fetching_columns(resolved: ResolvedSpec) -> dict[str, Any]:
    fetched = sum(clip.state != ClipState.WAITING for clip in resolved.clips)
    return {
        "state": CompilationState.FETCHING.value,
        "stage": Stage.FETCH.value,
        "percent": FETCH_SHARE * fetched // len(resolved.clips),
    }


def _skip_late_starts(session: Session, resolved: ResolvedSpec) -> bool:
    """Skip clips whose `start` is not before their end. Return whether there were any."""
    messages = late_starts(resolved)
    if messages:
        reasons = {clip_id: ("TrimOutsideClip", message) for clip_id, message in messages.items()}
        revision_clips.skip_ready(session, reasons)
    return bool(messages)


def _plan_exactly(
    session: Session, compilation: CompilationRow, generation: int, resolved: ResolvedSpec
) -> list[PlannedOutput]:
    """Plan the outputs with exact lengths and adjust the reservation. Raise refusals."""
    outputs = resolution.plan_or_refuse(resolved)
    seconds = CompilationPlan(resolved, outputs).render_seconds
    reservation = quota_ledger.find_reservation(session, compilation.id, generation)
    if reservation is None or reservation.state != "open" or reservation.seconds == seconds:
        return outputs
    quota_checks.reserve_render_time(
        session,
        compilation.owner,
        month=reservation.month,
        seconds=seconds - reservation.seconds,
    )
    reservation.seconds = seconds
    session.flush()
    return outputs
