"""The status of a Compilation: a summary of the API's plan. Pure."""

from __future__ import annotations

from typing import Any

from clipmill.protocol import ClipStatus, CompilationState, OutputResult, Plan
from clipmill_operator.building.resource import (
    ClipSummary,
    CompilationStatus,
    OutputSummary,
    Phase,
    ProgressSummary,
    SegmentSummary,
)
from clipmill_operator.queueing.queue_wait import QueueWait
from clipmill_operator.reconciling.actions import PodWait, SpecRefusal
from clipmill_operator.reconciling.conditions import (
    MESSAGE_CHARS,
    Finding,
    conditions_of,
    phase_reason,
    plan_findings,
    ready_clips,
    refusal_findings,
)
from clipmill_operator.watching.observed import ObservedCompilation

# Percent by which progress moves: each write costs a request. Live figures come from the API.
PROGRESS_STEP = 5
CLIP_MESSAGE_CHARS = 300
STAGES = {CompilationState.FETCHING: "fetch", CompilationState.RENDERING: "render"}


def accepted_status(
    compilation: ObservedCompilation,
    plan: Plan,
    owner: str,
    *,
    wait: QueueWait | None = None,
    pod_wait: PodWait | None = None,
    now: str,
) -> CompilationStatus:
    """Return the status of a Compilation whose spec the API has accepted.

    Args:
        compilation: The Compilation.
        plan: The API's plan.
        owner: The user whose quota is used.
        wait: Why it waits in a queue, if it does.
        pod_wait: Why pods do not start, if some do not.
        now: The time for conditions.
    """
    if wait is None and pod_wait is not None and pod_wait.is_complete:
        wait = QueueWait(pod_wait.reason, pod_wait.message)
    reason, message = phase_reason(plan, wait)
    if wait is None and pod_wait is not None:
        reason, message = "PodsWaiting", pod_wait.message
    segments = SegmentSummary(**dict(plan.segments)) if plan.segments.total else None
    return CompilationStatus(
        observed_generation=compilation.generation,
        compilation_id=plan.compilation_id,
        owner=owner,
        phase=Phase.QUEUED if wait else Phase(plan.state.value),
        reason=reason,
        message=message,
        progress=_progress(plan, compilation),
        queue=wait.queue if wait else None,
        clips_ready=f"{ready_clips(plan)}/{len(plan.clips)}",
        clips=[_clip(clip) for clip in plan.clips],
        segments=segments,
        outputs=[_output(result) for result in plan.results],
        conditions=conditions_of(compilation, plan_findings(plan, wait), now),
    )


def refused_status(
    compilation: ObservedCompilation, refusal: SpecRefusal, now: str
) -> CompilationStatus:
    """Return the status of a Compilation whose spec is not accepted.

    The outputs of an earlier generation stay: their videos exist.
    """
    message = refusal.message[:MESSAGE_CHARS]
    current = current_status(compilation)
    return CompilationStatus(
        observed_generation=compilation.generation,
        compilation_id=current.compilation_id if current else None,
        owner=current.owner if current else None,
        phase=Phase.REFUSED,
        reason=refusal.reason,
        message=message,
        outputs=current.outputs if current else [],
        conditions=conditions_of(compilation, refusal_findings(refusal.reason, message), now),
    )


def current_status(compilation: ObservedCompilation) -> CompilationStatus | None:
    """Return the status that was written before, if any."""
    status = compilation.status
    return CompilationStatus.model_validate(status) if status else None


def not_applied_status(
    compilation: ObservedCompilation, desired: CompilationStatus | None, error: str
) -> CompilationStatus:
    """Return the desired status, or else the current one, with the cluster's error message."""
    current = desired or CompilationStatus.model_validate(compilation.status)
    return current.model_copy(update={"reason": "NotApplied", "message": error[:MESSAGE_CHARS]})


def api_unreachable_status(
    compilation: ObservedCompilation, outage: str, now: str
) -> CompilationStatus:
    """Return the current status with the reason ApiUnreachable."""
    message = outage[:MESSAGE_CHARS]
    current = current_status(compilation)
    if current is None:
        finding = Finding("Accepted", "Unknown", "ApiUnreachable", message)
        current = CompilationStatus(
            observed_generation=compilation.generation,
            phase=Phase.PENDING,
            conditions=conditions_of(compilation, [finding], now),
        )
    return current.model_copy(update={"reason": "ApiUnreachable", "message": message})


def dump_status(status: CompilationStatus) -> dict[str, Any]:
    """Return a status as the API server stores it."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def _progress(plan: Plan, compilation: ObservedCompilation) -> ProgressSummary:
    percent = plan.percent // PROGRESS_STEP * PROGRESS_STEP
    current = _current_progress(compilation)
    # Within a step nothing is written, so the first estimate of the step is kept.
    is_same_step = plan.eta is not None and current.eta and current.percent == percent
    return ProgressSummary(
        percent=percent,
        stage=STAGES.get(plan.state, ""),
        text=f"{percent}%",
        eta=current.eta if is_same_step else plan.eta,
    )


def _current_progress(compilation: ObservedCompilation) -> ProgressSummary:
    """Return the progress in the status, if it is that of the current generation."""
    is_current = compilation.status.get("observedGeneration") == compilation.generation
    return ProgressSummary.model_validate(
        compilation.status.get("progress", {}) if is_current else {}
    )


def _clip(clip: ClipStatus) -> ClipSummary:
    message = (clip.message or "")[:CLIP_MESSAGE_CHARS] or None
    return ClipSummary(name=clip.name, state=clip.state, reason=clip.reason, message=message)


def _output(result: OutputResult) -> OutputSummary:
    return OutputSummary(
        name=result.name,
        media_id=result.media_id,
        bytes=result.size_bytes,
        duration=f"{result.duration_us / 1e6:.3f}s",
        sha256=result.sha256,
    )
