"""Requests of the operator to the Clipmill API, and the meaning of their errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pytest

from clipmill.protocol import Plan, RegisteredPlan, Registration, Stage, StageKey
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_operator.building.labels import OWNER
from clipmill_operator.errors import Requeue
from clipmill_operator.reconciling.reconcile_cache import ReconcileCache
from clipmill_operator.reconciling.registrar import OUTAGE_REPORTED_AFTER_S, Registrar
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from operating import until
from operator_objects import COMPILATION, FETCHING, SETTINGS

UID = COMPILATION.uid
VALID = replace(COMPILATION, spec={"clips": [{"url": "https://clips.twitch.tv/Example"}]})
KEY = StageKey(generation=1, stage=Stage.FETCH, key="cm_j_key")


class FakeApi:
    """The operator's endpoints, which respond with a plan or raise an error."""

    def __init__(self) -> None:
        self.error: ClientError | None = None
        self.requests: list[str] = []

    def register(self, uid: str, registration: Registration, *, with_key: bool) -> RegisteredPlan:
        """Return the plan of a new generation."""
        self._request(f"register {registration.generation} for {registration.owner}")
        return RegisteredPlan(**dict(FETCHING), key=KEY if with_key else None)

    def plan(self, uid: str) -> Plan:
        """Return the plan of the registered generation."""
        self._request("plan")
        return FETCHING

    def _request(self, name: str) -> None:
        self.requests.append(name)
        if self.error:
            raise self.error


class FakeNamespaces:
    """Namespaces without an owner's label at first, and when it was read."""

    def __init__(self) -> None:
        self.label: str | None = None
        self.fresh: list[bool] = []

    def owner(self, namespace: str, *, fresh: bool = False) -> str | None:
        """Return the owner of all namespaces."""
        self.fresh.append(fresh)
        return self.label


class Setup:
    """A registrar with its API, its states and its clock."""

    def __init__(self) -> None:
        self.api, self.states, self.time = FakeApi(), ReconcileCache(), 0.0
        self.namespaces = FakeNamespaces()
        self.registrar = Registrar(
            self.api,  # type: ignore[arg-type]
            self.namespaces,  # type: ignore[arg-type]
            self.states,
            SETTINGS,
            lambda: self.time,
        )


@pytest.fixture
def setup() -> Setup:
    """Return a registrar before its first request."""
    return Setup()


def test_a_generation_is_registered_once(setup: Setup) -> None:
    """Its plan is requested from then on; an edit is registered again."""
    for generation in (1, 1, 2):
        response = setup.registrar.plan(replace(VALID, generation=generation))
        assert response.owner == "default"
        assert response.plan is not None
    assert setup.api.requests == ["register 1 for default", "plan", "register 2 for default"]
    assert setup.states.take_stage_key(UID, KEY.generation, KEY.stage) == KEY.key


def test_the_owner_is_read_fresh_before_a_registration(setup: Setup) -> None:
    """A label that was set a moment ago counts; an existing registration may use the cache."""
    setup.registrar.plan(VALID)
    setup.registrar.plan(VALID)
    setup.namespaces.label = "ada"
    assert setup.registrar.plan(replace(VALID, generation=2)).owner == "ada"
    assert setup.namespaces.fresh == [True, False, True]


class FakeCluster:
    """A cluster with one namespace."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}

    def get(self, *_: object) -> dict[str, object]:
        """Return the namespace."""
        return {"metadata": {"labels": self.labels}}


def test_a_new_label_counts_at_once() -> None:
    """A Compilation that is applied right after the labelling goes to the label's owner."""
    cluster = FakeCluster()
    namespaces = NamespaceOwners(cluster, lambda: 0.0)  # type: ignore[arg-type]
    assert namespaces.owner("clips") is None
    cluster.labels = {OWNER: "ada"}
    assert namespaces.owner("clips") is None
    assert namespaces.owner("clips", fresh=True) == "ada"
    assert namespaces.owner("clips") == "ada"


class SlowCluster(FakeCluster):
    """Its first response is late."""

    def __init__(self) -> None:
        super().__init__()
        self.reads, self.is_reading, self.is_late = 0, Event(), Event()

    def get(self, *_: object) -> dict[str, object]:
        """Return the namespace as it was when it was requested."""
        labels = dict(self.labels)
        self.reads += 1
        if self.reads == 1:
            self.is_reading.set()
            self.is_late.wait(10)
        return {"metadata": {"labels": labels}}


def test_calls_at_the_same_time_share_a_read() -> None:
    """Only one that begins after them: a read under way may return what was before a change."""
    cluster = SlowCluster()
    namespaces = NamespaceOwners(cluster, lambda: 0.0)  # type: ignore[arg-type]
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(namespaces.owner, "clips", fresh=True)
        cluster.is_reading.wait(10)
        cluster.labels = {OWNER: "ada"}
        others = [pool.submit(namespaces.owner, "clips", fresh=True) for _ in range(7)]
        # Each has its number, after the two of the first call.
        until("all calls", lambda: repr(namespaces._numbers) == "count(9)")
        cluster.is_late.set()
        assert first.result() is None
        assert {call.result() for call in others} == {"ada"}
    assert cluster.reads == 2


@pytest.mark.parametrize(
    ("spec", "reason", "content"),
    [
        ({"clips": []}, "InvalidSpec", "spec.clips"),
        ({"clips": [{"mediaId": "m-abcd"}], "owner": "eve"}, "UnknownOwner", "spec.owner"),
    ],
)
def test_a_spec_is_refused_without_a_request(
    setup: Setup, spec: dict[str, object], reason: str, content: str
) -> None:
    """An old CRD may have let it pass."""
    response = setup.registrar.plan(replace(COMPILATION, spec=spec))
    assert response.refusal is not None
    assert response.refusal.reason == reason
    assert content in response.refusal.message
    assert setup.api.requests == []


@pytest.mark.parametrize("status", [403, 409, 422])
def test_a_refusal_of_the_api(setup: Setup, status: int) -> None:
    """It has the API's code, and the spec will be registered again."""
    setup.api.error = PermanentError("QuotaExceeded", "5 s are left", status=status)
    response = setup.registrar.plan(VALID)
    assert response.refusal is not None
    assert response.refusal.reason == "QuotaExceeded"
    assert setup.states.get(UID).api.registered == 0


@pytest.mark.parametrize(
    "error",
    [
        PermanentError("StaleGeneration", "newer", status=409),
        PermanentError("NotFound", "the database is new", status=404),
    ],
)
def test_outdated_state_is_reconciled_again(setup: Setup, error: PermanentError) -> None:
    """The next reconcile registers the spec."""
    setup.registrar.plan(VALID)
    setup.api.error = error
    with pytest.raises(Requeue):
        setup.registrar.plan(VALID)
    assert setup.states.get(UID).api.registered == 0


@pytest.mark.parametrize(
    "error",
    [
        RetryableError("Unreachable", "no response"),
        PermanentError("Forbidden", "the operator's key is wrong", status=403),
        PermanentError("HTTP500", "bug", status=500),
    ],
)
def test_an_outage_is_reported_once_it_has_lasted(setup: Setup, error: ClientError) -> None:
    """A short one is retried; a success ends it."""
    setup.api.error = error
    for second in (0.0, OUTAGE_REPORTED_AFTER_S - 1):
        setup.time = second
        with pytest.raises(type(error)):
            setup.registrar.plan(VALID)
    setup.time = OUTAGE_REPORTED_AFTER_S
    assert error.detail in setup.registrar.plan(VALID).outage
    setup.api.error = None
    assert setup.registrar.plan(VALID).plan is not None
    setup.api.error = error
    with pytest.raises(type(error)):
        setup.registrar.plan(VALID)
