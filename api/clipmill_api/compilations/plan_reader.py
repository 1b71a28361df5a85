"""Read the plan of a compilation: first all rows, then the plan without the database.

A caller that holds locks ends its transaction in between, so that nobody waits for the planning.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from clipmill.protocol import (
    TERMINAL_STATES,
    ClipState,
    CompilationState,
    HeldFetch,
    OutputResult,
    Plan,
    QuotaEffect,
    SegmentCounts,
    TaskCounts,
)
from clipmill.protocol.compilation_plan import DeliverySummary
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.accounts.quota_checks import quota_effect
from clipmill_api.compilations.missing_clips import end_by_missing_clips
from clipmill_api.compilations.output_planning import (
    SEGMENTS_PER_TASK,
    output_view,
    plan_outputs,
)
from clipmill_api.compilations.plan_models import CompilationPlan, ResolvedSpec
from clipmill_api.compilations.resolution import plan_or_refuse, resolve_revision
from clipmill_api.compilations.responses import clip_status, estimated_end
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.delivery.delivery_outbox import find_summary
from clipmill_api.queries import quota_ledger, rendered_segments, revisions, task_leases
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow


@dataclass(frozen=True, slots=True)
class FetchActivity:
    """What pods do in the fetch stage: the tasks that they hold, and the number of all claims."""

    held: tuple[HeldFetch, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What the plan of a revision is built from."""

    revision: RevisionRow
    plan: CompilationPlan
    quota: QuotaEffect
    delivery: DeliverySummary | None = None
    fetches: FetchActivity = FetchActivity()


def read_plan(session: Session, ctx: Context, compilation: CompilationRow) -> Plan:
    """Return the plan of the newest revision."""
    return build_plan(ctx, read_plan_inputs(session, ctx, compilation))


def read_plan_inputs(
    session: Session,
    ctx: Context,
    compilation: CompilationRow,
    plan: CompilationPlan | None = None,
) -> PlanInputs:
    """Return the inputs of the newest revision's plan.

    Args:
        plan: the plan that this transaction has made; it is not read again.
    """
    newest = (compilation.id, compilation.generation)
    if plan is not None:
        revision = plan.revision or revisions.get_revision(session, *newest)
        seconds, fetches = plan.render_seconds, FetchActivity()
    else:
        revision = revisions.get_revision(session, *newest)
        resolved = resolve_revision(session, compilation, revision)
        plan = _plan_if_possible(session, compilation.owner, resolved)
        reservation = quota_ledger.find_reservation(session, *newest)
        seconds = reservation.seconds if reservation else 0
        fetches = _read_fetches(session, resolved, revision)
    quota = quota_effect(session, ctx, compilation.owner, seconds)
    return PlanInputs(revision, plan, quota, find_summary(session, revision), fetches)


def _read_fetches(session: Session, resolved: ResolvedSpec, revision: RevisionRow) -> FetchActivity:
    if not resolved.is_waiting:
        return FetchActivity()
    leases = task_leases.fetch_leases(session, revision.compilation_id, revision.generation)
    held = (HeldFetch(index=lease.index, holder=lease.holder) for lease in leases if lease.is_held)
    return FetchActivity(tuple(held), sum(lease.epoch for lease in leases))


def _plan_if_possible(session: Session, owner: str, resolved: ResolvedSpec) -> CompilationPlan:
    """Return a plan without outputs if media files of a terminal revision were deleted."""
    try:
        plan = CompilationPlan(resolved, plan_outputs(resolved))
    except InvalidTimeline:
        plan = CompilationPlan(resolved, ())
    existing = rendered_segments.existing_keys(session, owner, plan.segment_keys)
    return replace(plan, existing=existing)


def build_plan(ctx: Context, inputs: PlanInputs) -> Plan:
    """Return the plan of a revision."""
    revision, plan = inputs.revision, _build_view(ctx, inputs.plan, inputs.quota)
    state = CompilationState(revision.state)
    return plan.model_copy(
        update={
            "compilation_id": revision.compilation_id,
            "generation": revision.generation,
            "state": state,
            "reason": revision.reason,
            "message": revision.message,
            "percent": revision.percent,
            "eta": estimated_end(revision),
            "traceparent": revision.traceparent if ctx.traces.is_on else None,
            "segments": _count_segments(plan.segments, revision),
            "results": [OutputResult.model_validate(output) for output in revision.outputs],
            "delivery": inputs.delivery,
            "to_fetch": [] if state in TERMINAL_STATES else plan.to_fetch,
            "held_fetches": list(inputs.fetches.held),
            "fetch_claims": inputs.fetches.total,
        }
    )


def _count_segments(counts: SegmentCounts, revision: RevisionRow) -> SegmentCounts:
    """Count segments that existed when rendering began as reused, and others as rendered."""
    state = CompilationState(revision.state)
    if state is CompilationState.FETCHING:
        return counts
    reused = min(revision.segments_reused, counts.total)
    existing = counts.total if state is CompilationState.SUCCEEDED else counts.reused
    rendered = max(0, existing - reused)
    return SegmentCounts(total=counts.total, reused=reused, rendered=rendered)


def dry_run_plan(session: Session, ctx: Context, owner: str, resolved: ResolvedSpec) -> Plan:
    """Return the plan of a spec that is not submitted. Raise the refusals of a submission."""
    end = None if resolved.is_waiting else end_by_missing_clips(resolved)
    plan = CompilationPlan(resolved, () if end else plan_or_refuse(resolved))
    quota = quota_effect(session, ctx, owner, plan.render_seconds)
    existing = rendered_segments.existing_keys(session, owner, plan.segment_keys)
    view = _build_view(ctx, replace(plan, existing=existing), quota)
    failure = {"state": end.state, "reason": end.reason, "message": end.message} if end else {}
    return view.model_copy(update=failure)


def _build_view(ctx: Context, plan: CompilationPlan, quota: QuotaEffect) -> Plan:
    clips, keys, existing = plan.resolved.clips, plan.segment_keys, plan.existing or ()
    is_waiting = plan.resolved.is_waiting
    reused = 0 if is_waiting else sum(key in existing for key in keys)
    return Plan(
        compilation_id=None,
        generation=0,
        state=CompilationState.PENDING,
        clips=[clip_status(ctx, clip) for clip in clips],
        outputs=[output_view(o, existing, is_waiting=is_waiting) for o in plan.outputs],
        quota=quota,
        segments=SegmentCounts(total=len(keys), reused=reused),
        settled_segments=_count_settled(plan) if is_waiting else 0,
        tasks=_count_tasks(clips, keys),
        to_fetch=_waiting_tasks(clips),
    )


def _count_settled(plan: CompilationPlan) -> int:
    existing = plan.existing
    return 0 if existing is None else sum(key not in existing for key in plan.renderable())


def _waiting_tasks(clips: Sequence[ClipRow]) -> list[int]:
    """Return the tasks whose sources clips wait for."""
    keys = {clip.clip_key for clip in clips if clip.state == ClipState.WAITING}
    tasks = [clip.task_index for clip in clips if clip.clip_key in keys]
    return sorted(index for index in tasks if index is not None)


def _count_tasks(clips: Sequence[ClipRow], segment_keys: Collection[str]) -> TaskCounts:
    return TaskCounts(
        fetch=sum(clip.task_index is not None for clip in clips),
        render=math.ceil(len(segment_keys) / SEGMENTS_PER_TASK),
    )
