"""Kill an operator after one of its steps, and start it again, as a Deployment does."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from manifests import ROOT
from operating import Cluster, Object


@contextmanager
def restarted(cluster: Cluster) -> Iterator[list[int | None]]:
    """Run an operator, and another one each time it ends, as a Deployment does.

    Yield the exit codes of those that have ended.
    """
    ended: list[int | None] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            with cluster.operator() as process:
                while process.poll() is None and not stop.wait(0.05):
                    pass
                if not stop.is_set():
                    ended.append(process.returncode)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join()


def faulty(cluster: Cluster, step: str, nth: int = 1) -> Cluster:
    """Return the cluster with an operator that is killed once, after the nth of this step."""
    fault = {
        "CLIPMILL_FAULT": f"operator.{step}:kill:{nth}",
        "CLIPMILL_FAULT_FOLDER": str(cluster.folder),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    return replace(cluster, more={**cluster.more, **fault})


def misses_its_secret(cluster: Cluster, pod: Object) -> None:
    """Report what a kubelet does while the Secret of a pod does not exist."""
    name = pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
    waiting = {"reason": "CreateContainerConfigError", "message": f'secret "{name}" not found'}
    cluster.status(pod, "Pending", {"waiting": waiting})
