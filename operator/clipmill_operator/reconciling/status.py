"""The status that a resource should have: a summary of the API's plan. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clipmill.protocol import ENDS, ClipState, ClipStatus, OutputResult, Plan, State
from clipmill_operator.building.resource import (
    ClipSummary,
    Condition,
    OutputSummary,
    Progress,
    Segments,
    Status,
)
from clipmill_operator.reconciling.observed import Wish

STEP = 5
"""Percent by which progress moves here; live figures come from the API."""
SHOWN_CHARS = 1000
MESSAGE_CHARS = 300
"""Of one clip: 500 of them must fit into one object."""
REFUSED = "Refused"
"""Phase of a resource that was not accepted. It may be, after an edit."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a resource is not accepted."""

    reason: str
    message: str


def accepted(
    wish: Wish, plan: Plan, owner: str, *, queued: bool = False, stuck: str = "", now: str
) -> Status:
    """Of a resource that the API took in.

    `queued`: others have to end first. `stuck`: why its pods do not start.
    """
    reason, message = _why(plan, queued=queued)
    if stuck and plan.state not in ENDS:
        reason, message = "PodsWaiting", stuck[:SHOWN_CHARS]
    return Status(
        observed_generation=wish.generation,
        compilation_id=plan.compilation_id,
        owner=owner,
        phase=State.PENDING if queued else plan.state,
        reason=reason,
        message=message,
        progress=_progress(plan, wish),
        clips_ready=f"{_ready(plan)}/{len(plan.clips)}",
        clips=[_clip(clip) for clip in plan.clips],
        segments=Segments(**dict(plan.segments)) if plan.segments.total else None,
        outputs=[_output(result) for result in plan.results],
        conditions=_conditions(wish, _findings(plan, queued=queued), now),
    )


def refused(wish: Wish, refusal: Refusal, now: str) -> Status:
    """Of a resource that the API, or we, do not take."""
    message = refusal.message[:SHOWN_CHARS]
    found = [("Accepted", "False", refusal.reason, message)]
    return Status(
        observed_generation=wish.generation,
        phase=REFUSED,
        reason=refusal.reason,
        message=message,
        conditions=_conditions(wish, found, now),
    )


def not_applied(wish: Wish, wanted: Status | None, error: str) -> Status:
    """The cluster refuses what is to be made: the rest of the status stands."""
    known = wanted or Status.model_validate(wish.status)
    return known.model_copy(update={"reason": "NotApplied", "message": error[:SHOWN_CHARS]})


def troubled(wish: Wish, trouble: str, now: str) -> Status:
    """The API has not answered for some time: what was known stays, and that is said."""
    before = Status.model_validate(wish.status) if wish.status else None
    message = trouble[:SHOWN_CHARS]
    if before is None:
        found = [("Accepted", "Unknown", "ApiUnreachable", message)]
        before = Status(
            observed_generation=wish.generation,
            phase=State.PENDING,
            conditions=_conditions(wish, found, now),
        )
    return before.model_copy(update={"reason": "ApiUnreachable", "message": message})


def dumped(status: Status) -> dict[str, Any]:
    """As the API server keeps it."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


# --- tasks ------------------------------------------------------------------------------------

Finding = tuple[str, str, str, str]
"""Type, status, reason, message."""


def _why(plan: Plan, *, queued: bool) -> tuple[str, str]:
    if queued:
        return "Queued", "as many compilations as are allowed at once are running"
    if plan.state in ENDS:
        return plan.reason or plan.state.value, (plan.message or _result(plan))[:SHOWN_CHARS]
    return plan.state.value, _standing(plan)


def _result(plan: Plan) -> str:
    files = [f"{one.name} {one.duration_us / 1e6:.1f}s" for one in plan.results]
    return ", ".join(files)


def _standing(plan: Plan) -> str:
    if plan.state is State.RENDERING:
        segments = plan.segments
        return f"{segments.total} segments, {segments.reused} of them reused"
    return f"{_ready(plan)} of {len(plan.clips)} clips are here"


def _ready(plan: Plan) -> int:
    return sum(clip.state is ClipState.READY for clip in plan.clips)


def _skipped(plan: Plan) -> list[ClipStatus]:
    return [clip for clip in plan.clips if clip.state is ClipState.SKIPPED]


def _progress(plan: Plan, wish: Wish) -> Progress:
    percent = plan.percent // STEP * STEP
    stage = {State.FETCHING: "fetch", State.RENDERING: "render"}.get(plan.state, "")
    made = Progress(percent=percent, stage=stage, text=f"{percent}%", eta=plan.eta)
    known = _known_progress(wish)
    # Within a step nothing is written: the guess of its first look stays.
    same = plan.eta is not None and known.eta and known.percent == percent
    return made.model_copy(update={"eta": known.eta}) if same else made


def _known_progress(wish: Wish) -> Progress:
    """What the status says of this very generation."""
    told = wish.status.get("observedGeneration") == wish.generation
    return Progress.model_validate(wish.status.get("progress", {}) if told else {})


def _clip(clip: ClipStatus) -> ClipSummary:
    message = (clip.message or "")[:MESSAGE_CHARS] or None
    return ClipSummary(name=clip.name, state=clip.state, reason=clip.reason, message=message)


def _output(result: OutputResult) -> OutputSummary:
    return OutputSummary(
        name=result.name,
        media_id=result.media_id,
        bytes=result.size_bytes,
        duration=f"{result.duration_us / 1e6:.3f}s",
        sha256=result.sha256,
    )


def _findings(plan: Plan, *, queued: bool) -> list[Finding]:
    skipped = _skipped(plan)
    found = [
        ("Accepted", "True", "Accepted", _estimate(plan)),
        _fetched(plan, len(skipped)),
        _rendered(plan, queued=queued),
        *_ends(plan),
    ]
    if skipped:
        named = "; ".join(f"{clip.name}: {clip.reason} ({clip.message})" for clip in skipped)
        found.append(("Degraded", "True", "ClipsSkipped", named[:SHOWN_CHARS]))
    return found


def _estimate(plan: Plan) -> str:
    return f"{plan.quota.estimated_seconds}s of render time are set aside"


def _fetched(plan: Plan, skipped: int) -> Finding:
    waiting = len(plan.clips) - _ready(plan) - skipped
    told = f"{_ready(plan)} of {len(plan.clips)} clips are here, {skipped} were skipped"
    if waiting:
        return ("Fetched", "False", "Fetching" if plan.state not in ENDS else "Ended", told)
    return ("Fetched", "True", "Fetched", told)


def _rendered(plan: Plan, *, queued: bool) -> Finding:
    if plan.state is State.SUCCEEDED:
        segments = plan.segments
        told = f"{segments.total} segments: {segments.reused} reused, {segments.rendered} rendered"
        return ("Rendered", "True", "Rendered", told)
    if plan.state is State.RENDERING and not queued:
        return ("Rendered", "False", "Rendering", _standing(plan))
    return ("Rendered", "False", "Ended" if plan.state in ENDS else "Waiting", "not rendered")


def _ends(plan: Plan) -> list[Finding]:
    """`Complete` and `Failed` as in batch/v1, but there from the start."""
    reason, message = _why(plan, queued=False)
    if plan.state is State.SUCCEEDED:
        return [("Complete", "True", "Succeeded", message), ("Failed", "False", "Succeeded", "")]
    if plan.state in ENDS:
        return [("Complete", "False", reason, ""), ("Failed", "True", reason, message)]
    return [("Complete", "False", "Running", ""), ("Failed", "False", "Running", "")]


def _conditions(wish: Wish, found: list[Finding], now: str) -> list[Condition]:
    """With the time of the last change: an earlier one stays while the finding does."""
    before: Mapping[str, Any] = {c["type"]: c for c in wish.status.get("conditions") or []}
    made = []
    for kind, status, reason, message in found:
        old = before.get(kind) or {}
        same = old.get("status") == status
        made.append(
            Condition(
                type=kind,
                status=status,
                reason=reason,
                message=message,
                last_transition_time=old["lastTransitionTime"] if same else now,
                observed_generation=wish.generation,
            )
        )
    return made
