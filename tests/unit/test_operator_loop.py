"""The control loop runs as many reconciles at once as the setting says."""

from __future__ import annotations

import asyncio
from threading import Barrier
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clipmill_operator.building.labels import COMPILATION_NAME, COMPILATION_UID
from clipmill_operator.reconciling.reconciler import ReconcileResult
from clipmill_operator.watching.control_loop import ControlLoop
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Key

# More than the threads of asyncio's own pool on any machine, which has at most 32.
WORKERS = 40


class Reconciler:
    """Every reconcile waits until all workers are reconciling."""

    def __init__(self) -> None:
        self.barrier = Barrier(WORKERS)
        self.reconciled: list[Key] = []
        self.network_policies = SimpleNamespace(ensure=lambda _: None)
        self.admissions = SimpleNamespace(admissible_keys=list, counts=lambda: (0, 0))

    def restore_admissions(self) -> None:
        """Restore nothing."""

    def reconcile(self, key: Key) -> ReconcileResult:
        """Return when every worker has come here."""
        self.barrier.wait(timeout=10)
        self.reconciled.append(key)
        return ReconcileResult.DONE


class Resync:
    """Lists as many Compilations as there are workers."""

    def __call__(self) -> list[Key]:
        return [("default", f"c{i}") for i in range(WORKERS)]

    def cancel_orphans(self) -> None:
        """Find none."""


async def _run_until_reconciled(loop: ControlLoop, reconciler: Reconciler) -> None:
    running = asyncio.create_task(loop.run())
    while len(reconciler.reconciled) < WORKERS and not reconciler.barrier.broken:
        await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def control_loop(reconciler: Reconciler) -> ControlLoop:
    """Return a loop that has an empty cache, and reconciles by this reconciler."""
    settings = SimpleNamespace(
        workers=WORKERS,
        resync_s=3600,
        poll_s=3600,
        show_poll_s=3600,
        first_namespaces=frozenset({"clipmill"}),
    )
    unused = cast(Any, SimpleNamespace())
    return ControlLoop(
        cache=ClusterCache(),
        reconciler=cast(Any, reconciler),
        poller=unused,
        resync=cast(Any, Resync()),
        submissions=unused,
        queues=unused,
        shows=unused,
        settings=cast(Any, settings),
        health=cast(Any, SimpleNamespace(record_event=lambda _: None)),
    )


def test_all_workers_reconcile_at_once() -> None:
    """CLIPMILL_WORKERS is not limited by the number of processors."""
    reconciler = Reconciler()
    loop = control_loop(reconciler)
    asyncio.run(_run_until_reconciled(loop, reconciler))
    assert len(reconciler.reconciled) == WORKERS


def job(version: int, **status: Any) -> dict[str, Any]:
    """Return a Job of a Compilation."""
    labels = {COMPILATION_NAME: "demo", COMPILATION_UID: "u"}
    metadata = {"namespace": "ns", "name": "j", "uid": "j", "labels": labels}
    suspend = {"suspend": status.pop("suspend", False)}
    return {
        "metadata": {**metadata, "resourceVersion": str(version)},
        "spec": suspend,
        "status": status,
    }


COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}]}


@pytest.mark.parametrize(
    ("change", "body", "is_reconciled"),
    [
        ("ADDED", job(2), False),
        ("MODIFIED", job(2, active=1), False),
        ("MODIFIED", job(2, **COMPLETE), True),
        ("MODIFIED", job(2, suspend=True), True),
        ("DELETED", job(2), True),
    ],
    ids=["created", "pods started", "complete", "suspended", "deleted"],
)
def test_which_events_of_a_job_lead_to_a_reconcile(
    change: str, body: dict[str, Any], *, is_reconciled: bool
) -> None:
    """The operator knows of a Job that it has created, also before the response to its request."""
    loop = control_loop(Reconciler())
    if change != "ADDED":
        loop.cache.jobs.store(job(1))
    loop.on_event("jobs", change, body)
    assert len(loop.queue) == is_reconciled


def test_a_resumed_job_leads_to_a_reconcile() -> None:
    """Kueue has admitted it: the status says that it waits."""
    loop = control_loop(Reconciler())
    loop.cache.jobs.store(job(1, suspend=True))
    loop.on_event("jobs", "MODIFIED", job(2))
    assert len(loop.queue) == 1
