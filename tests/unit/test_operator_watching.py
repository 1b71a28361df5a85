"""The cache of observed objects, health, and counted requests."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
from kubernetes import client
from prometheus_client import REGISTRY

from clipmill_operator.building.labels import COMPILATION_UID
from clipmill_operator.errors import (
    KubeError,
    PermanentKubeError,
    RetryableKubeError,
    Unhealthy,
)
from clipmill_operator.kube_client import POD, KubeClient, ObjectList
from clipmill_operator.settings import Settings
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import ClusterCache, KindCache
from clipmill_operator.watching.observed import ObservedCompilation
from clipmill_operator.watching.observed_pod import ObservedPod
from clipmill_operator.watching.pollers import ObjectLists

A, B = ("ns", "a"), ("ns", "b")


# --- cache ------------------------------------------------------------------------------------


def body(name: str, version: int, uid: str = "u") -> dict[str, Any]:
    """Return a Compilation."""
    metadata = {"namespace": "ns", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"title": f"v{version}"}}


def test_the_newest_version_is_kept() -> None:
    """A late watch event does not undo a write; a deletion applies to one uid only."""
    cache = KindCache(ObservedCompilation.from_body)
    stored = [cache.store(body("a", version)) for version in (5, 4, 5)]
    assert stored == [True, False, False]
    removed = [cache.remove(A, uid) for uid in ("another", "u", "u")]
    assert removed == [False, True, False]


def test_a_resync_returns_what_was_missed() -> None:
    """Changed, new and deleted objects; an object newer than the list is kept."""
    cache = KindCache(ObservedCompilation.from_body)
    for existing in (body("same", 1), body("old", 2), body("gone", 3), body("fresh", 20)):
        cache.store(existing)
    listed = ObjectList([body("same", 1), body("old", 9), body("new", 8)], resource_version=10)
    assert sorted(missed.name for missed in cache.resync(listed)) == ["gone", "new", "old"]
    assert sorted(kept.name for kept in cache.all()) == ["fresh", "new", "old", "same"]


def test_a_deletion_during_a_resync() -> None:
    """A watch reports that a listed object is deleted while the list is being stored."""
    cache = KindCache(ObservedCompilation.from_body)

    class Deleted(dict[str, Any]):
        """An object that a watch reports as deleted whenever it is read."""

        def __getitem__(self, field: str) -> Any:
            watch = Thread(target=cache.remove, args=(A, "u"), daemon=True)
            watch.start()
            watch.join(0.02)  # not forever: it waits for the lock while the cache holds it
            return super().__getitem__(field)

    cache.resync(ObjectList([Deleted(body("a", 1)), body("b", 1)], resource_version=1))
    assert cache.get(B) is not None


def job(name: str, version: int, compilation: str) -> dict[str, Any]:
    """Return a Job of a Compilation."""
    observed = body(name, version)
    observed["metadata"]["labels"] = {COMPILATION_UID: compilation}
    return observed


def test_the_children_of_a_compilation() -> None:
    """Jobs are found by their Compilation: new, changed, deleted and listed ones."""
    cache = ClusterCache()
    for name, owner in (("a", "one"), ("b", "one"), ("c", "two")):
        cache.jobs.store(job(name, 1, owner))
    names = lambda uid: sorted(each.name for each in cache.children(uid).jobs)  # noqa: E731
    assert (names("one"), names("two"), names("three")) == (["a", "b"], ["c"], [])
    cache.jobs.store(job("b", 2, "two"))
    assert (names("one"), names("two")) == (["a"], ["b", "c"])
    cache.jobs.remove(A, "u")
    cache.jobs.resync(ObjectList([job("c", 1, "two"), job("d", 5, "one")], resource_version=9))
    assert (names("one"), names("two")) == (["d"], ["c"])


def test_the_message_of_a_pod() -> None:
    """The last line of the container, else the node's reason: out of memory, evicted."""

    def message(state: dict[str, Any], **status: Any) -> str:
        observed = {
            "metadata": {"namespace": "ns", "name": "p", "labels": {}},
            "status": {"containerStatuses": [{"state": state}], **status},
        }
        return ObservedPod.from_body(observed).message

    lines = {"terminated": {"exitCode": 1, "message": "a\nno space left\n"}}
    assert message(lines) == "no space left"
    assert message({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}) == "OOMKilled"
    assert message({}, reason="Evicted", message="low on disk") == "low on disk"
    assert message({"terminated": {"exitCode": 0, "reason": "Completed"}}) == ""


# --- health and client ------------------------------------------------------------------------


def test_a_dead_watch_and_a_stuck_loop_are_unhealthy() -> None:
    """Three lists in a row hold unreported changes, or five resyncs are overdue."""
    now = [0.0]
    health = Health(30, lambda: now[0])
    for _ in range(2):
        health.record_lists({"jobs": 1, "pods": 0})
    health.record_event("jobs")
    for _ in range(2):
        health.record_lists({"jobs": 1})
    health.check()
    health.record_lists({"jobs": 2})
    with pytest.raises(Unhealthy, match="jobs"):
        health.check()
    health.record_event("jobs")
    now[0] = 151
    with pytest.raises(Unhealthy, match="151"):
        health.check()


class FakeResponse:
    """A response of the API server."""

    def __init__(self, status: int, content: bytes = b'{"message": "from the server"}') -> None:
        self.status, self._content = status, content

    def read(self) -> bytes:
        """Return a Status object, or what was given."""
        return self._content


class FakeApiServer(client.ApiClient):
    """An API server that answers every request with one status."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(client.Configuration(host="https://kubernetes.example"))
        self.status = status

    def call_api(self, *_: Any, **__: Any) -> Any:
        """Return the response."""
        return FakeResponse(self.status)


class ListingApiServer(FakeApiServer):
    """An API server with Compilations, and with nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.compilations: list[dict[str, Any]] = []
        self.lists = 0

    def call_api(self, _: str, url: str, *__: Any, **___: Any) -> Any:
        """Return a list."""
        self.lists += 1
        items = self.compilations if "/compilations?" in url else []
        listed = {"metadata": {"resourceVersion": "100"}, "items": items}
        return FakeResponse(200, json.dumps(listed).encode())


def test_complete_lists_are_rare() -> None:
    """At rest nothing is listed for five minutes; after a missed change the next call lists."""
    server, now, cache = ListingApiServer(), [0.0], ClusterCache()
    settings = Settings.model_construct(watch_namespaces=(), list_s=300)
    health = Health(30, lambda: now[0])
    lists = ObjectLists(KubeClient(server), cache, settings, health, lambda: now[0])

    def sent(at: float) -> int:
        now[0], before = at, server.lists
        lists()
        return server.lists - before

    assert [sent(at) for at in (0, 30, 299, 300, 330)] == [4, 0, 0, 4, 0]
    server.compilations = [body("a", 1)]
    assert [sent(at) for at in (599, 600, 630, 660)] == [0, 4, 4, 0]
    assert cache.compilations.get(A) is not None


def test_every_request_of_every_thread_is_counted() -> None:
    """The workers share one client."""

    def total() -> float:
        return REGISTRY.get_sample_value("clipmill_operator_kubernetes_requests_total") or 0.0

    before, kube = total(), KubeClient(FakeApiServer())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: kube.get(POD, "ns", "p"), range(400)))
    assert total() - before == 400


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, RetryableKubeError),
        (409, RetryableKubeError),
        (429, RetryableKubeError),
        (500, RetryableKubeError),
        (403, PermanentKubeError),
        (422, PermanentKubeError),
    ],
)
def test_errors_are_retryable_or_permanent(status: int, error: type[KubeError]) -> None:
    """By the status of the response; the message has the server's."""
    with pytest.raises(error, match=f"{status} from the server"):
        KubeClient(FakeApiServer(status)).get(POD, "ns", "p")
