"""Jobs in a queue of Kueue: labels, suspension, and the reason in the status."""

from __future__ import annotations

from typing import Any

import pytest

from clipmill.protocol import Plan, Stage, TaskCounts
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import PRIORITY_CLASS, QUEUE_NAME, RevisionRef
from clipmill_operator.queueing.observed_workload import JOB_UID, ObservedWorkload
from clipmill_operator.queueing.queue_labels import queue_labels
from clipmill_operator.reconciling.events import events_of
from clipmill_operator.settings import Settings
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Children, ObservedCompilation, ObservedJob
from operator_objects import (
    COMPILATION,
    FETCHING,
    RENDERING,
    SETTINGS,
    SUCCEEDED,
    children,
    decision_on,
    job,
    pod,
)

KUEUE = SETTINGS.model_copy(update={"kueue": True})
DEFAULTS = KUEUE.model_copy(update={"kueue_queue": "render", "kueue_priority_class": "low"})
WAITING = job("fetch", is_suspended=True, queue_name="render")


def labelled(**labels: str) -> ObservedCompilation:
    """Return a Compilation with labels of Kueue."""
    names = {"queue": QUEUE_NAME, "priority": PRIORITY_CLASS}
    metadata = {
        "namespace": "default",
        "name": "demo",
        "uid": "uid-1",
        "labels": {names[key]: value for key, value in labels.items()},
    }
    return ObservedCompilation.from_body({"metadata": metadata})


def condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    """Return a condition of a Workload."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def workload(*conditions: dict[str, str], job_uid: str = WAITING.uid) -> ObservedWorkload:
    """Return the Workload of a Job."""
    metadata = {"labels": {JOB_UID: job_uid}}
    return ObservedWorkload.from_body(
        {"metadata": metadata, "status": {"conditions": list(conditions)}}
    )


# --- labels -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "compilation", "labels"),
    [
        (SETTINGS, labelled(queue="team", priority="high"), {}),
        (KUEUE, labelled(), {}),
        (KUEUE, labelled(priority="high"), {}),
        (KUEUE, labelled(queue="team"), {QUEUE_NAME: "team"}),
        (DEFAULTS, labelled(), {QUEUE_NAME: "render", PRIORITY_CLASS: "low"}),
        (
            DEFAULTS,
            labelled(queue="team", priority="high"),
            {QUEUE_NAME: "team", PRIORITY_CLASS: "high"},
        ),
    ],
)
def test_the_queue_of_a_job(
    settings: Settings, compilation: ObservedCompilation, labels: dict[str, str]
) -> None:
    """Labels of the Compilation, else the settings; without Kueue none, whatever is labelled."""
    assert queue_labels(compilation, settings) == labels


def test_a_queued_job_is_created_suspended() -> None:
    """Labels are on the Job only, not on its pods and Secret; without a queue nothing changes."""
    labels = queue_labels(labelled(queue="team"), DEFAULTS)
    plain = RevisionRef("clips", "friday", "uid-1", 3, "ada")
    queued = RevisionRef("clips", "friday", "uid-1", 3, "ada", queue_labels=labels)
    made = job_object(queued, Stage.FETCH, 2, SETTINGS)
    assert made["spec"].pop("suspend") is True
    for key, value in labels.items():
        assert made["metadata"]["labels"].pop(key) == value
    assert made == job_object(plain, Stage.FETCH, 2, SETTINGS)
    secrets = [
        secret_object(ref, Stage.FETCH, "j", url="http://a", key="k") for ref in (plain, queued)
    ]
    assert secrets[0] == secrets[1]


# --- status -----------------------------------------------------------------------------------

PENDING = condition("QuotaReserved", "False", "Pending", "insufficient unused quota for cpu")
PREEMPTED = condition("Evicted", "True", "Preempted", "Preempted to accommodate a workload")


@pytest.mark.parametrize(
    ("observed", "reason", "message"),
    [
        (workload(), "", ""),
        (workload(PENDING), "Pending", "insufficient unused quota for cpu"),
        (
            workload(PENDING, PREEMPTED),
            "Preempted",
            "Preempted to accommodate a workload; insufficient unused quota for cpu",
        ),
        (
            workload(
                condition("QuotaReserved", "True", "QuotaReserved", "in cluster-queue"),
                condition("Admitted", "False", "NoChecks", "waits for a check"),
            ),
            "NoChecks",
            "waits for a check",
        ),
        (
            workload(
                condition("QuotaReserved", "True", "QuotaReserved", "in cluster-queue"),
                condition("Admitted", "True", "Admitted", ""),
                PREEMPTED | {"status": "False"},
            ),
            "",
            "",
        ),
    ],
)
def test_the_reason_of_a_workload(observed: ObservedWorkload, reason: str, message: str) -> None:
    """Of the eviction, else of the quota or check that is missing; none once it is admitted."""
    assert (observed.reason, observed.message) == (reason, message)


def status_of(plan: Plan, observed: Children) -> dict[str, Any]:
    """Return what the status says about the wait."""
    status = decision_on(plan, observed).status
    assert status is not None
    queued = [each for each in status.conditions if each.type == "Queued"]
    return {
        "phase": status.phase.value,
        "reason": status.reason,
        "queue": status.queue.name if status.queue else None,
        "conditions": [(each.status, each.reason) for each in queued],
    }


def test_a_suspended_job_is_queued_with_the_reason_of_kueue() -> None:
    """Before there is a Workload too; no action is taken."""
    for workloads, reason in (((), "JobSuspended"), ((workload(PENDING),), "Pending")):
        observed = Children((WAITING,), (), workloads)
        assert status_of(FETCHING, observed) == {
            "phase": "Queued",
            "reason": reason,
            "queue": "render",
            "conditions": [("True", reason)],
        }
        assert decision_on(FETCHING, observed).actions == ()
    decision = decision_on(FETCHING, Children((WAITING,), (), (workload(PENDING),)))
    queued = [event for event in events_of(COMPILATION, decision) if event.reason == "Queued"]
    assert ["insufficient unused quota for cpu" in event.message for event in queued] == [True]


@pytest.mark.parametrize(
    ("plan", "observed", "phase"),
    [
        (FETCHING, children(job("fetch")), "Fetching"),
        (FETCHING, children(job("fetch"), job("render", is_suspended=True)), "Fetching"),
        (FETCHING, children(job("fetch", is_suspended=True, generation=0)), "Fetching"),
        (
            RENDERING,
            children(job("fetch", result="Complete"), job("assemble", is_suspended=True)),
            "Queued",
        ),
        (RENDERING, children(job("fetch", is_suspended=True, result="Failed")), "Rendering"),
        (SUCCEEDED, children(job("assemble", is_suspended=True)), "Succeeded"),
    ],
)
def test_the_phase_with_suspended_jobs(plan: Plan, observed: Children, phase: str) -> None:
    """Queued while no Job of this generation may run, and only then."""
    assert status_of(plan, observed)["phase"] == phase


def test_a_preemption_is_no_failure() -> None:
    """Its ended pods are reported to nobody; the wait is the reason, not pods that do not start."""
    ended = pod("fetch", phase="Failed", exit_code=143, message="received SIGTERM")
    stuck = pod("fetch", "p1", waiting_reason="Unschedulable")
    observed = Children((WAITING,), (ended, stuck), (workload(PENDING, PREEMPTED),))
    plan = FETCHING.model_copy(update={"tasks": TaskCounts(fetch=2)})
    decision = decision_on(plan, observed)
    assert decision.actions == ()
    assert status_of(plan, observed)["reason"] == "Preempted"


# --- observed objects -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "labels", "waits"),
    [
        ({}, {}, False),
        ({"suspend": True}, {}, False),
        ({"suspend": False}, {QUEUE_NAME: "render"}, False),
        ({"suspend": True}, {QUEUE_NAME: "render"}, True),
    ],
)
def test_jobs_that_wait_in_a_queue(
    spec: dict[str, Any], labels: dict[str, str], waits: bool
) -> None:
    """Workloads are requested for these only."""
    metadata = {"namespace": "default", "name": "j", "uid": "u", "labels": labels}
    assert ObservedJob.from_body({"metadata": metadata, "spec": spec}).waits_in_queue is waits


def test_changed_workloads_are_found() -> None:
    """New ones, other reasons, and those that are gone."""
    cache = ClusterCache().workloads
    first, second = workload(PENDING, job_uid="a"), workload(job_uid="b")
    assert cache.replace([first, second]) == {"a", "b"}
    assert cache.replace([first, second]) == set()
    assert cache.of_jobs([job("fetch", uid="a"), job("render", uid="c")]) == (first,)
    assert cache.replace([workload(PENDING, PREEMPTED, job_uid="a")]) == {"a", "b"}
