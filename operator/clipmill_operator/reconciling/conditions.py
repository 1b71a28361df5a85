"""Conditions of a resource; those of a Compilation follow from the API's plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from clipmill.protocol import TERMINAL_STATES, ClipState, ClipStatus, CompilationState, Plan
from clipmill.protocol.compilation_plan import DeliveryState, DeliverySummary
from clipmill_operator.building.resource import Condition
from clipmill_operator.queueing.queue_wait import QueueWait
from clipmill_operator.watching.observed import ObservedCompilation, ObservedShow

# Longest message of a condition or a status: 500 clips must fit into one object.
MESSAGE_CHARS = 1000


class Finding(NamedTuple):
    """A condition without its times."""

    type: str
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


def conditions_of(
    resource: ObservedCompilation | ObservedShow, findings: Iterable[Finding], now: str
) -> list[Condition]:
    """Return conditions. A condition keeps its transition time while its status stays the same."""
    previous: Mapping[str, Any] = {
        condition["type"]: condition for condition in resource.status.get("conditions") or []
    }
    conditions = []
    for finding in findings:
        before = previous.get(finding.type) or {}
        is_same = before.get("status") == finding.status
        conditions.append(
            Condition(
                type=finding.type,
                status=finding.status,
                reason=finding.reason,
                message=finding.message,
                last_transition_time=before["lastTransitionTime"] if is_same else now,
                observed_generation=resource.generation,
            )
        )
    return conditions


def plan_findings(plan: Plan, wait: QueueWait | None) -> list[Finding]:
    """Return the findings on an accepted revision, which may wait in a queue."""
    skipped = [clip for clip in plan.clips if clip.state is ClipState.SKIPPED]
    findings = [
        Finding("Accepted", "True", "Accepted", _reservation(plan)),
        _fetched(plan, len(skipped)),
        _rendered(plan, is_queued=wait is not None),
        *_terminal(plan),
    ]
    if wait is not None:
        message = wait.message[:MESSAGE_CHARS]
        findings.append(Finding("Queued", "True", wait.reason, message))
    if plan.delivery:
        findings.append(_delivered(plan.delivery))
    if skipped:
        findings.append(Finding("Degraded", "True", "ClipsSkipped", _skipped_message(skipped)))
    too_long = [f"{output.name}: {output.too_long}" for output in plan.outputs if output.too_long]
    if too_long:
        message = "; ".join(too_long)[:MESSAGE_CHARS]
        findings.append(Finding("WithinLimits", "False", "TooLong", message))
    return findings


def refusal_findings(reason: str, message: str) -> list[Finding]:
    """Return the findings on a spec that is not accepted: a later edit may be."""
    return [
        Finding("Accepted", "False", reason, message),
        Finding("Complete", "False", reason, ""),
        Finding("Failed", "True", reason, message),
    ]


def phase_reason(plan: Plan, wait: QueueWait | None) -> tuple[str, str]:
    """Return reason and message of the phase."""
    if wait is not None:
        return wait.reason, wait.message[:MESSAGE_CHARS]
    if plan.state in TERMINAL_STATES:
        message = plan.message or _outputs_message(plan)
        return plan.reason or plan.state.value, message[:MESSAGE_CHARS]
    return plan.state.value, _progress_message(plan)


def ready_clips(plan: Plan) -> int:
    """Return the number of fetched clips."""
    return sum(clip.state is ClipState.READY for clip in plan.clips)


def _reservation(plan: Plan) -> str:
    return f"Reserved {plan.quota.estimated_seconds} s of render time"


def _outputs_message(plan: Plan) -> str:
    outputs = [f"{output.name} ({output.duration_us / 1e6:.1f} s)" for output in plan.results]
    return f"Rendered {', '.join(outputs)}" if outputs else ""


def _progress_message(plan: Plan) -> str:
    if plan.state is CompilationState.RENDERING:
        return f"{plan.segments.total} segments, {plan.segments.reused} reused"
    return f"{ready_clips(plan)} of {len(plan.clips)} clips fetched"


def _fetched(plan: Plan, skipped: int) -> Finding:
    message = f"{ready_clips(plan)} of {len(plan.clips)} clips fetched"
    if skipped:
        message += f", {skipped} skipped"
    if ready_clips(plan) + skipped == len(plan.clips):
        return Finding("Fetched", "True", "Fetched", message)
    reason = "Ended" if plan.state in TERMINAL_STATES else "Fetching"
    return Finding("Fetched", "False", reason, message)


def _rendered(plan: Plan, *, is_queued: bool) -> Finding:
    if plan.state is CompilationState.SUCCEEDED:
        segments = plan.segments
        message = (
            f"{segments.total} segments: {segments.reused} reused, {segments.rendered} rendered"
        )
        return Finding("Rendered", "True", "Rendered", message)
    if plan.state is CompilationState.RENDERING and not is_queued:
        return Finding("Rendered", "False", "Rendering", _progress_message(plan))
    if plan.state in TERMINAL_STATES:
        return Finding("Rendered", "False", "Ended", "No output was rendered")
    is_begun = plan.state is CompilationState.RENDERING and plan.segments.rendered > 0
    message = "Rendering waits" if is_begun else "Rendering has not started"
    return Finding("Rendered", "False", "Waiting", message)


def _terminal(plan: Plan) -> list[Finding]:
    """Return Complete and Failed, as in batch/v1, but present from the start."""
    reason, message = phase_reason(plan, None)
    if plan.state is CompilationState.SUCCEEDED:
        return [
            Finding("Complete", "True", "Succeeded", message),
            Finding("Failed", "False", "Succeeded", ""),
        ]
    if plan.state in TERMINAL_STATES:
        return [
            Finding("Complete", "False", reason, ""),
            Finding("Failed", "True", reason, message),
        ]
    return [Finding("Complete", "False", "Running", ""), Finding("Failed", "False", "Running", "")]


def _delivered(delivery: DeliverySummary) -> Finding:
    message = f"{delivery.delivered} of {delivery.total} files are in {delivery.folder}"
    if delivery.message:
        message += f"; {delivery.message}"
    message = message[:MESSAGE_CHARS]
    if delivery.state is DeliveryState.DELIVERED:
        return Finding("Delivered", "True", "Delivered", message)
    reason = "Delivering" if delivery.state is DeliveryState.PENDING else "DeliveryFailed"
    return Finding("Delivered", "False", reason, message)


def _skipped_message(skipped: list[ClipStatus]) -> str:
    clips = "; ".join(f"{clip.name}: {clip.reason} ({clip.message})" for clip in skipped)
    return clips[:MESSAGE_CHARS]
