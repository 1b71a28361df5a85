"""Which Compilations a resync reconciles, with an API and a cluster that accept everything."""

from __future__ import annotations

from typing import Any, cast

import pytest

from clipmill.protocol import ActiveCompilation, RegisteredPlan, StageKey
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.reconciling.operator_spans import OperatorSpans
from clipmill_operator.reconciling.reconciler import (
    MISSED_POLLS,
    PLAN_AGE_S,
    Reconciler,
    ReconcileResult,
)
from clipmill_operator.watching.object_cache import ClusterCache
from operator_objects import FETCHING, RENDERING, SETTINGS

KEY = ("ns", "demo")
UID = "demo-uid"


class Cluster:
    """A cluster that stores a status, and creates whatever is asked for."""

    def __init__(self, cache: ClusterCache) -> None:
        self._cache, self._version = cache, 0
        self.compilation: dict[str, Any] = {
            "metadata": {"namespace": "ns", "name": "demo", "uid": UID, "generation": 1},
            "spec": {"clips": [{"url": "https://clips.twitch.tv/Example"}]},
        }
        cache.compilations.store(self._next(self.compilation))

    def _next(self, body: dict[str, Any]) -> dict[str, Any]:
        self._version += 1
        metadata = {**body["metadata"], "resourceVersion": str(self._version)}
        return {**body, "metadata": metadata}

    def get(self, *_: object) -> dict[str, Any]:
        """Return a namespace without labels."""
        return {"metadata": {}}

    def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create an object."""
        created = self._next(manifest)
        created["metadata"]["uid"] = f"uid-{self._version}"
        return created

    def apply(self, manifest: dict[str, Any], **_: object) -> dict[str, Any]:
        """Apply NetworkPolicies or a status."""
        if "status" in manifest:
            self.compilation = self._next({**self.compilation, "status": manifest["status"]})
            return self.compilation
        return manifest


class Api:
    """An API that waits for clips."""

    def __init__(self) -> None:
        self.requests, self.answer = 0, FETCHING
        self.reports: list[Any] = []

    def register(self, *_: object, **__: object) -> RegisteredPlan:
        """Return the plan of a new generation."""
        self.requests += 1
        return RegisteredPlan(**dict(FETCHING), key=StageKey(generation=1, stage="fetch", key="k"))

    def plan(self, _: str) -> Any:
        """Return the plan."""
        self.requests += 1
        return self.answer

    def create_key(self, *_: object) -> str:
        """Return the key of a further stage."""
        return "k"

    def report_failed_tasks(self, _: str, tasks: Any) -> None:
        """Take a report."""
        self.reports.append(tasks)


class Setup:
    """A Compilation that is being fetched, right after its first Job was created."""

    def __init__(self) -> None:
        self.now, self.api, self.cache = 0.0, Api(), ClusterCache()
        self.reconciler = Reconciler(
            cast(KubeClient, Cluster(self.cache)),
            cast(Any, self.api),
            self.cache,
            SETTINGS,
            clock=lambda: self.now,
            spans=OperatorSpans(),
        )
        assert self.reconciler.reconcile(KEY) is ReconcileResult.STATUS_DEFERRED

    def write_status(self) -> None:
        """Write the status, and compare the progress."""
        assert self.reconciler.reconcile(KEY) is ReconcileResult.DONE
        self.poll()

    def poll(self, percent: int = FETCHING.percent) -> None:
        """Compare the progress with the API's."""
        active = ActiveCompilation(
            uid=UID,
            id="c-abcd",
            name="demo",
            namespace="ns",
            owner="default",
            generation=FETCHING.generation,
            state=FETCHING.state,
            percent=percent,
            clips=FETCHING.clips,
            created_at="",
        )
        self.reconciler.states.take_changed([active], at=self.now)

    def is_settled(self) -> bool:
        """Return whether a resync leaves the Compilation alone."""
        compilation = self.cache.compilations.get(KEY)
        assert compilation is not None
        return self.reconciler.is_settled(compilation)


@pytest.fixture
def setup() -> Setup:
    """Return a Compilation that is being fetched, and whose status says so."""
    fetching = Setup()
    fetching.write_status()
    return fetching


def test_a_pod_that_ends_before_the_status_is_written() -> None:
    """Its result is in the newest plan only: an older one would make it a failure."""
    setup = Setup()
    (job,) = setup.cache.jobs.all()
    complete = {"conditions": [{"type": "Complete", "status": "True"}]}
    labels = {"clipmill.dev/compilation-uid": UID, "clipmill.dev/generation": "1"}
    labels["clipmill.dev/stage"] = "fetch"
    metadata = {"namespace": "ns", "name": job.name, "uid": job.uid, "resourceVersion": "99"}
    setup.cache.jobs.store({"metadata": {**metadata, "labels": labels}, "status": complete})
    setup.api.answer = RENDERING
    assert setup.reconciler.reconcile(KEY) is ReconcileResult.STATUS_DEFERRED
    assert setup.api.reports == []
    assert [each.stage for each in setup.cache.jobs.all()] == ["fetch", "assemble"]
    assert setup.reconciler.reconcile(KEY) is ReconcileResult.DONE
    # The end of a fetch is nothing new to a plan that renders.
    assert setup.api.requests == 2


def test_a_plan_is_requested_once_while_nothing_changes(setup: Setup) -> None:
    """Hundreds that are being rendered would otherwise cost as many requests at each resync."""
    assert setup.is_settled()
    assert setup.reconciler.reconcile(KEY) is ReconcileResult.DONE
    assert setup.api.requests == 1


def test_progress_in_the_api_leads_to_a_reconcile(setup: Setup) -> None:
    """The poller reports the key."""
    setup.poll(percent=90)
    assert not setup.is_settled()


def test_a_change_of_pods_leads_to_a_reconcile(setup: Setup) -> None:
    """Whatever the change is: the decision depends on them."""
    (job,) = setup.cache.jobs.all()
    labels = {"clipmill.dev/compilation-uid": UID, "batch.kubernetes.io/job-name": job.name}
    metadata = {"namespace": "ns", "name": "p", "uid": "p", "labels": labels}
    setup.cache.pods.store({"metadata": metadata})
    assert not setup.is_settled()


def test_without_polls_the_api_is_asked(setup: Setup) -> None:
    """Nobody would report a change during an outage, which the status has to say."""
    setup.now = float(MISSED_POLLS * SETTINGS.poll_s)
    assert not setup.is_settled()
    setup.poll()
    assert setup.is_settled()


def test_a_plan_is_requested_again_after_a_while(setup: Setup) -> None:
    """What is no progress may have changed, such as the number of rendered segments."""
    setup.now = PLAN_AGE_S
    setup.poll()
    assert not setup.is_settled()
