"""Actions that the operator decides on: one row per situation."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from clipmill.protocol import CompilationState, HeldFetch, Plan, TaskCounts
from clipmill_operator.queueing.queue_wait import own_wait
from clipmill_operator.reconciling.actions import (
    CreateJob,
    Decision,
    DeleteJob,
    PlanResponse,
    ReplaceSecret,
    ReportFailure,
    SpecRefusal,
)
from clipmill_operator.reconciling.events import events_of
from clipmill_operator.watching.observed import Children
from operator_objects import (
    COMPILATION,
    FAILED,
    FETCHING,
    MANY_SEGMENTS,
    NOW,
    RENDERING,
    SUCCEEDED,
    children,
    decision_on,
    job,
    plan,
    pod,
)

NO_SECRET = {"waiting_reason": "CreateContainerConfigError"}
RUNNING = {"phase": "Running", "name": "p1"}
EXITED = {"phase": "Failed", "exit_code": 1, "message": "no space left"}
HELD = HeldFetch(index=1, holder="p0-1-beef")


def actions_of(decision: Decision) -> list[tuple[Any, ...]]:
    """Return each action by its facts."""
    facts: list[tuple[Any, ...]] = []
    for action in decision.actions:
        match action:
            case CreateJob(stage, tasks):
                facts.append(("create", stage.value, tasks))
            case DeleteJob(observed):
                facts.append(("delete", observed.name, observed.generation))
            case ReplaceSecret(observed):
                facts.append(("replace secret", observed.name))
            case ReportFailure(tasks):
                facts.append(
                    ("report", tasks.stage.value, tasks.indexes, tasks.reason or tasks.holder)
                )
    return facts


EARLY = FETCHING.model_copy(update={"settled_segments": 24, "tasks": TaskCounts(fetch=2, render=5)})

TABLE: dict[str, tuple[Plan, Children, list[tuple[Any, ...]]]] = {
    "registered: missing clips are fetched": (FETCHING, children(), [("create", "fetch", 2)]),
    "a fetch Job is active": (FETCHING, children(job("fetch"), pod("fetch")), []),
    "a pod has ended that held a clip": (
        FETCHING.model_copy(update={"held_fetches": [HELD, HeldFetch(index=0, holder="p1-1-c")]}),
        children(job("fetch"), pod("fetch", **EXITED), pod("fetch", **RUNNING)),
        [("report", "fetch", [1], "p0-1-beef")],
    ),
    "a pod has ended that held nothing any more": (
        FETCHING.model_copy(update={"fetch_claims": 1}),
        children(job("fetch"), pod("fetch", **EXITED)),
        [],
    ),
    "pods keep ending before they claim a clip": (
        FETCHING.model_copy(update={"fetch_claims": 1}),
        children(job("fetch"), *(pod("fetch", **EXITED) for _ in range(5))),
        [("report", "fetch", [0, 1], "")],
    ),
    "the fetch Job has failed, and clips are missing": (
        FETCHING,
        children(job("fetch", result="Failed", message="DeadlineExceeded")),
        [("report", "fetch", [0, 1], "")],
    ),
    "the fetch Job is complete, and a clip is missing": (
        plan(CompilationState.FETCHING, tasks=TaskCounts(fetch=1), to_fetch=[0]),
        children(job("fetch", result="Complete")),
        [("report", "fetch", [0], "")],
    ),
    "the Secret is missing": (
        FETCHING,
        children(job("fetch"), pod("fetch", **NO_SECRET)),
        [("replace secret", "demo-fetch")],
    ),
    "the Secret is missing while a pod runs": (
        FETCHING,
        children(job("fetch"), pod("fetch", **NO_SECRET), pod("fetch", **RUNNING)),
        [],
    ),
    "all clips are fetched": (RENDERING, children(), [("create", "assemble", 1)]),
    "the fetch Job does not delay the assembly": (
        RENDERING,
        children(job("fetch")),
        [("create", "assemble", 1)],
    ),
    "many segments are missing": (MANY_SEGMENTS, children(), [("create", "render", 5)]),
    "many segments can be rendered while a clip is fetched": (
        EARLY,
        children(job("fetch")),
        [("create", "render", 5)],
    ),
    "the fetch Job comes first": (EARLY, children(), [("create", "fetch", 2)]),
    "the early render Job is active": (EARLY, children(job("fetch"), job("render")), []),
    "the early render Job has ended while a clip is fetched": (
        EARLY,
        children(job("fetch"), job("render", result="Failed")),
        [],
    ),
    "the Secret of the early render Job is missing": (
        EARLY,
        children(job("fetch"), job("render"), pod("render", **NO_SECRET)),
        [("replace secret", "demo-render")],
    ),
    "few segments can be rendered while a clip is fetched": (
        EARLY.model_copy(update={"settled_segments": 23}),
        children(job("fetch")),
        [],
    ),
    "the render Job is active": (MANY_SEGMENTS, children(job("render")), []),
    "the render Job has ended, successfully or not": (
        MANY_SEGMENTS,
        children(job("render", result="Failed")),
        [("create", "assemble", 1)],
    ),
    "the assemble Job is active, though render pods would pay": (
        MANY_SEGMENTS,
        children(job("assemble")),
        [],
    ),
    "the assemble Job has ended without a result": (
        RENDERING,
        children(job("assemble", result="Failed", message="BackoffLimitExceeded")),
        [("report", "assemble", [0], "")],
    ),
    "a pod was not isolated": (
        FETCHING,
        children(job("fetch"), pod("fetch", phase="Failed", exit_code=66)),
        [("report", "fetch", [], "NotIsolated")],
    ),
    "succeeded: Jobs end by themselves": (SUCCEEDED, children(job("assemble")), []),
    "failed: active Jobs are deleted": (
        FAILED,
        children(job("fetch"), job("render", result="Complete")),
        [("delete", "demo-fetch", 1)],
    ),
    "cancelled: active Jobs are deleted": (
        plan(CompilationState.CANCELLED),
        children(job("assemble")),
        [("delete", "demo-assemble", 1)],
    ),
    "edited: Jobs of the older generation are deleted": (
        plan(CompilationState.FETCHING, generation=2, tasks=TaskCounts(fetch=2), to_fetch=[0]),
        children(job("fetch"), job("assemble", result="Complete")),
        [("delete", "demo-fetch", 1), ("delete", "demo-assemble", 1), ("create", "fetch", 2)],
    ),
    "a Job is being deleted already": (FAILED, children(job("fetch", is_deleting=True)), []),
}


@pytest.mark.parametrize(("response", "observed", "actions"), TABLE.values(), ids=TABLE)
def test_actions(response: Plan, observed: Children, actions: list[tuple[Any, ...]]) -> None:
    """Each situation and its actions."""
    assert actions_of(decision_on(response, observed)) == actions


@pytest.mark.parametrize(
    ("render_from_segments", "actions"),
    [
        (0, ("create", "assemble", 1)),
        (30, ("create", "render", 5)),
        (31, ("create", "assemble", 1)),
    ],
)
def test_render_pods_are_used_from_a_number_of_missing_segments(
    render_from_segments: int, actions: tuple[Any, ...]
) -> None:
    """30 segments are missing; 0 stands for never."""
    decision = decision_on(MANY_SEGMENTS, children(), render_from_segments=render_from_segments)
    assert actions_of(decision) == [actions]


@pytest.mark.parametrize(
    ("observed", "contents"),
    [
        (children(job("fetch", result="Complete"), pod("fetch", **EXITED)), ("1", "no space left")),
        (
            children(job("fetch", result="Failed", message="DeadlineExceeded")),
            ("DeadlineExceeded",),
        ),
        (
            children(job("fetch"), pod("fetch", phase="Failed", exit_code=66, message="10.0.0.9")),
            ("p0", "10.0.0.9"),
        ),
    ],
)
def test_a_report_holds_the_cause(observed: Children, contents: tuple[str, ...]) -> None:
    """Exit code and last line of the pod, or else the Job's message."""
    report = decision_on(FETCHING, observed).actions[0]
    assert isinstance(report, ReportFailure)
    assert all(content in report.tasks.message for content in contents)


def test_without_admission_it_is_queued() -> None:
    """No Job is created, and status and events have a reason; one with Jobs continues."""
    wait = own_wait(None, None, datetime.fromisoformat(NOW))
    decision = decision_on(FETCHING, children(), own_wait=wait)
    assert decision.actions == ()
    assert decision.status is not None
    assert (decision.status.phase, decision.status.reason) == ("Queued", "Queued")
    reasons = [event.reason for event in events_of(COMPILATION, decision)]
    assert reasons == ["Accepted", "Queued"]
    started = decision_on(RENDERING, children(job("fetch", result="Complete")), own_wait=wait)
    assert actions_of(started) == [("create", "assemble", 1)]


def test_a_refusal_deletes_jobs() -> None:
    """Those of an earlier, accepted spec."""
    response = PlanResponse(owner="ada", refusal=SpecRefusal("QuotaExceeded", "5 s are left"))
    assert actions_of(decision_on(response, children(job("fetch")))) == [
        ("delete", "demo-fetch", 1)
    ]


def test_an_outage_of_the_api_changes_no_jobs() -> None:
    """Active Jobs continue, and none is created."""
    decision = decision_on(PlanResponse(outage="no response"), children(job("fetch")))
    assert decision.actions == ()
