"""The control loop runs as many reconciles at once as the setting says."""

from __future__ import annotations

import asyncio
from threading import Barrier
from types import SimpleNamespace
from typing import Any, cast

from clipmill_operator.reconciling.reconciler import ReconcileResult
from clipmill_operator.watching.control_loop import ControlLoop
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


def test_all_workers_reconcile_at_once() -> None:
    """CLIPMILL_WORKERS is not limited by the number of processors."""
    reconciler = Reconciler()
    settings = SimpleNamespace(
        workers=WORKERS,
        resync_s=3600,
        poll_s=3600,
        show_poll_s=3600,
        first_namespaces=frozenset({"clipmill"}),
    )
    unused = cast(Any, SimpleNamespace())
    loop = ControlLoop(
        cache=unused,
        reconciler=cast(Any, reconciler),
        poller=unused,
        resync=cast(Any, Resync()),
        submissions=unused,
        queues=unused,
        shows=unused,
        settings=cast(Any, settings),
        health=unused,
    )
    asyncio.run(_run_until_reconciled(loop, reconciler))
    assert len(reconciler.reconciled) == WORKERS
