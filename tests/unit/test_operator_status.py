"""Status, conditions and events of a Compilation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clipmill.protocol import CompilationState, OutputPlan, Plan, Profile, SegmentCounts
from clipmill.protocol.compilation_plan import DeliveryState, DeliverySummary
from clipmill_operator.building.resource import CompilationStatus, Phase
from clipmill_operator.reconciling import status
from clipmill_operator.reconciling.actions import PlanResponse, SpecRefusal
from clipmill_operator.reconciling.events import events_of
from clipmill_operator.watching.observed import Children, ObservedCompilation
from clipmill_operator.watching.observed_pod import ObservedPod
from operator_objects import (
    COMPILATION,
    FAILED,
    FETCHING,
    LATER,
    MANY_SEGMENTS,
    RENDERING,
    SUCCEEDED,
    children,
    clip,
    decision_on,
    job,
    plan,
    pod,
)

PLANS = [FETCHING, RENDERING, MANY_SEGMENTS, SUCCEEDED, FAILED]


def status_of(
    response: Plan | PlanResponse, observed: Children | None = None, **arguments: Any
) -> CompilationStatus:
    """Return the status that a decision writes."""
    decision = decision_on(response, observed or children(), **arguments)
    assert decision.status is not None
    return decision.status


def written(current: CompilationStatus, **fields: Any) -> ObservedCompilation:
    """Return the Compilation after a status was written."""
    return replace(COMPILATION, status=status.dump_status(current), **fields)


def test_phases_are_the_states_queued_and_refused() -> None:
    """The enumeration in the CRD has every phase that is written."""
    assert set(Phase) == {*map(str, CompilationState), "Queued", "Refused"}


@pytest.mark.parametrize("state", CompilationState)
def test_the_phase_is_the_state(state: CompilationState) -> None:
    """Of the newest revision."""
    assert status_of(plan(state)).phase == state.value


@pytest.mark.parametrize(
    ("waiting_reason", "reason", "content"),
    [
        ("ImagePullBackOff", "ImagePullBackOff", "ImagePullBackOff"),
        ("ErrImagePull", "ImagePullBackOff", "ImagePullBackOff"),
        ("Unschedulable", "Unschedulable", "Unschedulable"),
        ("ContainerCreating", "Fetching", "1 of 3"),
    ],
)
def test_pods_that_do_not_start(waiting_reason: str, reason: str, content: str) -> None:
    """The status names the cause instead of waiting for the deadline."""
    observed = children(job("fetch"), pod("fetch", waiting_reason=waiting_reason))
    current = status_of(FETCHING, observed)
    assert (current.phase, current.reason) == (
        Phase.FETCHING if reason == "Fetching" else Phase.QUEUED,
        reason,
    )
    assert content in str(current.message)


def test_some_pods_run() -> None:
    """The phase is that of the work, and the reason says that other pods wait."""
    waiting = pod("fetch", waiting_reason="Unschedulable", waiting_message="0/1 nodes: no memory")
    running = pod("fetch", "p1", index=1, phase="Running")
    current = status_of(FETCHING, children(job("fetch"), waiting, running))
    assert (current.phase, current.reason) == (Phase.FETCHING, "PodsWaiting")
    assert "0/1 nodes: no memory" in str(current.message)


def test_rendering_that_waits_is_queued() -> None:
    """It is not Rendering 0 %: the condition waits, and the end of the wait is written."""
    observed = children(job("assemble"), pod("assemble", waiting_reason="Unschedulable"))
    before = status_of(RENDERING, observed)
    rendered = {c.type: c for c in before.conditions}["Rendered"]
    assert (before.phase, rendered.reason) == (Phase.QUEUED, "Waiting")
    assert decision_on(RENDERING, observed, written(before), now=LATER).status is None
    started = children(job("assemble"), pod("assemble", phase="Running"))
    after = status_of(RENDERING, started, compilation=written(before))
    assert (after.phase, after.reason) == (Phase.RENDERING, "Rendering")


PULLED = {"image": "clipmill-job:1", "state": {"waiting": {"reason": "ErrImagePull"}}}
BACKING_OFF = {"image": "clipmill-job:1", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
UNSCHEDULED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/1 nodes are available: 1 Insufficient memory.",
}


@pytest.mark.parametrize(
    ("pod_status", "reason", "message"),
    [
        ({"containerStatuses": [PULLED]}, "ImagePullBackOff", "image clipmill-job:1"),
        ({"containerStatuses": [BACKING_OFF]}, "ImagePullBackOff", "image clipmill-job:1"),
        ({"conditions": [UNSCHEDULED]}, "Unschedulable", "1 Insufficient memory"),
    ],
)
def test_the_reason_of_a_pod(pod_status: dict[str, Any], reason: str, message: str) -> None:
    """As the cluster writes it; both reasons of an image give one, so that nothing alternates."""
    metadata = {"name": "p0", "namespace": "default", "labels": {}}
    observed = ObservedPod.from_body({"metadata": metadata, "status": pod_status})
    assert observed.blocked_reason == reason
    assert message in observed.waiting_message


def test_a_refusal() -> None:
    """Accepted is False with the API's reason and message."""
    refusal = SpecRefusal("QuotaExceeded", "5 s of 100 s are left")
    current = status_of(PlanResponse(owner="ada", refusal=refusal), children(job("fetch")))
    accepted, complete, failed = current.conditions
    assert (accepted.type, accepted.status) == ("Accepted", "False")
    assert (accepted.reason, accepted.message) == (refusal.reason, refusal.message)
    assert (complete.type, complete.status) == ("Complete", "False")
    assert (failed.type, failed.status, failed.reason) == ("Failed", "True", refusal.reason)
    assert current.phase is Phase.REFUSED


def test_a_refused_edit_keeps_outputs() -> None:
    """The videos of the earlier generation exist, and an accepted edit says so again."""
    refusal = PlanResponse(owner="ada", refusal=SpecRefusal("QuotaExceeded", "5 s are left"))
    before = status_of(SUCCEEDED)
    assert before.outputs
    edited = written(before, generation=2)
    after = status_of(refusal, compilation=edited)
    assert (after.outputs, after.compilation_id) == (before.outputs, before.compilation_id)
    assert after.observed_generation == 2
    again = decision_on(refusal, children(), written(after, generation=2), now=LATER)
    assert again.status is None


def test_an_outage_of_the_api_changes_only_reason_and_message() -> None:
    """The rest of the status is kept; without one, Accepted is Unknown."""
    outage = PlanResponse(outage="no response")
    (condition,) = status_of(outage).conditions
    assert (condition.type, condition.status) == ("Accepted", "Unknown")
    before = status_of(FETCHING)
    after = status_of(outage, compilation=written(before))
    changes = {"reason": "ApiUnreachable", "message": "no response"}
    assert status.dump_status(after) == status.dump_status(before) | changes


@pytest.mark.parametrize("response", PLANS, ids=[response.state for response in PLANS])
def test_a_status_is_written_once(response: Plan) -> None:
    """The status that was written equals the desired one of the next reconcile, even later."""
    compilation = written(status_of(response))
    assert decision_on(response, children(), compilation, now=LATER).status is None


def rendering(percent: int, eta: str | None) -> Plan:
    """Return a plan that is so far."""
    return RENDERING.model_copy(update={"percent": percent, "eta": eta})


def test_the_eta_changes_with_the_percent() -> None:
    """Within a step of 5 percent the first estimate is kept, so that nothing is written."""
    first = status_of(rendering(41, "2026-01-01T00:10:00Z"))
    assert first.progress.eta == "2026-01-01T00:10:00Z"
    same_step = rendering(44, "2026-01-01T00:09:00Z")
    assert decision_on(same_step, children(), written(first)).status is None
    next_step = rendering(45, "2026-01-01T00:08:00Z")
    progress = status_of(next_step, compilation=written(first)).progress
    assert (progress.percent, progress.eta) == (45, "2026-01-01T00:08:00Z")
    edited = status_of(rendering(41, None), compilation=written(first, generation=2))
    assert edited.progress.eta is None


def test_a_condition_keeps_its_transition_time() -> None:
    """Until its status changes."""
    compilation = written(status_of(FETCHING))
    current = status_of(RENDERING, compilation=compilation, now=LATER)
    times = {c.type: c.last_transition_time for c in current.conditions}
    assert (times["Accepted"], times["Complete"]) == (COMPILATION.created_at,) * 2
    assert times["Fetched"] == LATER


def test_skipped_clips() -> None:
    """Degraded names clip, reason and message."""
    skipped = clip("b", "Skipped", reason="Truncated", message="ends after 3 s")
    current = status_of(plan(CompilationState.RENDERING, clip("a", "Ready"), skipped))
    conditions = {c.type: c for c in current.conditions}
    degraded = conditions["Degraded"]
    assert (degraded.status, degraded.reason) == ("True", "ClipsSkipped")
    assert all(content in degraded.message for content in ("b", "Truncated", "ends after 3 s"))
    assert conditions["Fetched"].status == "True"
    assert current.clips_ready == "1/2"


def test_an_output_too_long_for_its_platform() -> None:
    """WithinLimits is False and names the output; otherwise there is no such condition."""
    profile = Profile(width=64, height=64, rate=30, crf=19, speed="veryfast", max_bitrate=10**6)
    output = OutputPlan(
        name="short",
        profile=profile,
        frames=6000,
        exact=True,
        items=[],
        segments=SegmentCounts(),
        too_long="200s, but 180s",
    )
    response = RENDERING.model_copy(update={"outputs": [output]})
    conditions = {c.type: c for c in status_of(response).conditions}
    condition = conditions["WithinLimits"]
    assert (condition.status, condition.reason) == ("False", "TooLong")
    assert condition.message == "short: 200s, but 180s"
    assert "WithinLimits" not in {c.type for c in status_of(RENDERING).conditions}


@pytest.mark.parametrize(
    ("response", "complete", "failed"),
    [(FETCHING, "False", "False"), (SUCCEEDED, "True", "False"), (FAILED, "False", "True")],
)
def test_terminal_conditions_exist_from_the_start(
    response: Plan, complete: str, failed: str
) -> None:
    """`kubectl wait` finds both, whichever becomes True."""
    statuses = {c.type: c.status for c in status_of(response).conditions}
    assert (statuses["Complete"], statuses["Failed"]) == (complete, failed)


def test_each_event_is_recorded_once() -> None:
    """A second reconcile without a change adds none."""
    decision = decision_on(FETCHING, children())
    reasons = [event.reason for event in events_of(COMPILATION, decision)]
    assert reasons == ["FetchStarted", "Accepted"]
    assert decision.status is not None
    compilation = written(decision.status)
    repeated = decision_on(FETCHING, children(job("fetch")), compilation)
    assert events_of(compilation, repeated) == []
    done = decision_on(SUCCEEDED, children(job("assemble")), compilation)
    assert [event.reason for event in events_of(compilation, done)] == ["Fetched", "Succeeded"]


@pytest.mark.parametrize(
    ("state", "written_status", "reason"),
    [
        (DeliveryState.PENDING, "False", "Delivering"),
        (DeliveryState.DELIVERED, "True", "Delivered"),
        (DeliveryState.FAILED, "False", "DeliveryFailed"),
    ],
)
def test_a_delivery_is_a_condition(state: DeliveryState, written_status: str, reason: str) -> None:
    """Of a Compilation whose spec names a bucket; until it ends, the operator reconciles it."""
    delivery = DeliverySummary(
        credential="my-bucket", folder="friday/1", state=state, delivered=1, total=2, message="x"
    )
    delivering = SUCCEEDED.model_copy(update={"delivery": delivery})
    *_, last = status_of(delivering).conditions
    assert (last.type, last.status, last.reason) == ("Delivered", written_status, reason)
    assert last.message == "1 of 2 files are in friday/1; x"
    response = PlanResponse(owner="ada", plan=delivering)
    assert response.is_settled == (state is not DeliveryState.PENDING)
    assert "Delivered" not in [each.type for each in status_of(SUCCEEDED).conditions]
