"""The work queue, the cache of observed objects, health, and counted requests."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

import pytest
from kubernetes import client
from prometheus_client import REGISTRY

from clipmill_operator.errors import (
    KubeError,
    PermanentKubeError,
    RetryableKubeError,
    Unhealthy,
)
from clipmill_operator.kube_client import POD, KubeClient, ObjectList
from clipmill_operator.watching.health import Health
from clipmill_operator.watching.object_cache import KindCache
from clipmill_operator.watching.observed import ObservedCompilation
from clipmill_operator.watching.observed_pod import ObservedPod
from clipmill_operator.watching.work_queue import WorkQueue, backoff_s

A, B = ("ns", "a"), ("ns", "b")


# --- work queue -------------------------------------------------------------------------------


def test_a_key_is_never_in_progress_twice() -> None:
    """Additions meanwhile become one entry, which is taken afterwards."""
    queue = WorkQueue()
    for _ in range(3):
        queue.add(A, 0)
    assert queue.take(0) == A
    queue.add(A, 1)
    queue.add(A, 2)
    assert (queue.take(5), queue.next_due()) == (None, None)
    queue.done(A)
    assert (queue.take(5), queue.take(5)) == (A, None)


def test_the_longest_due_key_is_next_and_failures_back_off() -> None:
    """An addition does not shorten a back-off; a success resets it."""
    queue = WorkQueue()
    queue.add(A, 2)
    queue.add(B, 1)
    assert (queue.take(0), queue.next_due()) == (None, 1)
    assert [queue.take(2), queue.take(2)] == [B, A]
    assert [queue.failed(A, 10), queue.take(10.9), queue.take(11)] == [1, None, A]
    assert queue.failed(A, 20) == 2
    queue.add(A, 20.5)
    assert [queue.take(21.9), queue.take(22)] == [None, A]
    queue.done(A)
    queue.add(A, 30)
    assert queue.take(30) == A
    assert queue.failed(A, 30) == 1
    assert [backoff_s(failures) for failures in (1, 4, 5, 50)] == [1, 8, 15, 15]


def test_a_yielding_key_lets_others_go_first() -> None:
    """For a limited time, and only if there are others; a usual addition ends it."""
    queue = WorkQueue()
    queue.add(A, 0, yield_s=10)
    assert queue.take(0) == A
    queue.done(A)
    queue.add(A, 0, yield_s=10)
    queue.add(B, 5)
    assert [queue.take(6), queue.take(6)] == [B, A]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 0, yield_s=10)
    queue.add(B, 11)
    assert [queue.take(11), queue.take(11)] == [A, B]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 12, yield_s=10)
    queue.add(A, 12)
    queue.add(B, 12.5)
    assert queue.take(13) == A


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
    """Three resyncs in a row found unreported changes, or five resyncs are overdue."""
    now = [0.0]
    health = Health(30, lambda: now[0])
    for _ in range(2):
        health.record_resync({"jobs": 1, "pods": 0})
    health.record_event("jobs")
    for _ in range(2):
        health.record_resync({"jobs": 1})
    health.check()
    health.record_resync({"jobs": 2})
    with pytest.raises(Unhealthy, match="jobs"):
        health.check()
    health.record_event("jobs")
    now[0] = 151
    with pytest.raises(Unhealthy, match="151"):
        health.check()


class FakeResponse:
    """A response of the API server."""

    def __init__(self, status: int) -> None:
        self.status = status

    def read(self) -> bytes:
        """Return a Status object."""
        return b'{"message": "from the server"}'


class FakeApiServer(client.ApiClient):
    """An API server that answers every request with one status."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(client.Configuration(host="https://kubernetes.example"))
        self.status = status

    def call_api(self, *_: Any, **__: Any) -> Any:
        """Return the response."""
        return FakeResponse(self.status)


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
