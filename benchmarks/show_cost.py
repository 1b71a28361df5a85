"""Measure the operator with many shows at rest.

Run `python -m benchmarks.show_cost [SHOWS] [SECONDS]`. A real API server and a real Clipmill API
run on this machine. SHOWS resources are created at once, until each has a status; then nothing is
due for SECONDS. Prints one JSON object: the processor time of operator and API at rest, in percent
of one core, the operator's memory, and its requests to the API server.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

# First: it makes the folder of the tests importable.
from benchmarks.operator_figures import ROOT, USUAL, at_rest, memory_mib, served
from controlplane import ControlPlane, binaries, control_plane
from harness import SMALL, Harness
from operating import Cluster, Object, until
from rights import grant

NAMESPACE = "default"
CREATED_WITHIN_S = 900


def show(number: int) -> Object:
    """Return a Show that is due once a year."""
    spec = {
        "schedule": f"{number % 60} {number % 24} 1 1 *",
        "sources": [{"feed": {"url": f"https://example.org/{number}.xml"}}],
        "select": {"window": "7d", "most": 12, "perCreator": 2},
        "parameters": {"game": "Chess"},
        "template": {"title": "${game}: week ${week}", "outputs": [SMALL]},
    }
    metadata = {"name": f"s{number}", "namespace": NAMESPACE}
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Show",
        "metadata": metadata,
        "spec": spec,
    }


def with_status(cluster: Cluster) -> int:
    """Return the number of Shows that the operator has written a status for."""
    times = cluster.plane.kubectl(
        "get", "shows", "-n", NAMESPACE, "-o", "jsonpath={.items[*].status.nextScheduleTime}"
    )
    return len(times.split())


def measure(plane: ControlPlane, api: Harness, folder: Path, count: int, rest_s: float) -> Object:
    """Create all at once, wait for their statuses, and measure the rest."""
    grant(plane, NAMESPACE)
    cluster = Cluster(
        plane, api, NAMESPACE, folder, more={**USUAL, "CLIPMILL_SHOW_POLL_SECONDS": "5"}
    )
    with cluster.operator() as process:
        until("it serves", cluster.serves, CREATED_WITHIN_S)
        empty = memory_mib(process.pid)
        started = time.monotonic()
        shows = {"apiVersion": "v1", "kind": "List", "items": [show(i) for i in range(count)]}
        plane.kubectl("create", "-f", "-", given=json.dumps(shows))
        created_s = time.monotonic() - started
        until("all statuses", lambda: with_status(cluster) == count, CREATED_WITHIN_S)
        figures = {
            "shows": count,
            "created_by_kubectl_s": round(created_s, 1),
            "all_registered_s": round(time.monotonic() - started, 1),
            "operator_mib_without_shows": round(empty),
        }
        time.sleep(20)  # the last statuses come back by the watch, and changes are sent twice
        return figures | at_rest(cluster, process.pid, rest_s)


def main() -> None:
    """Measure and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rest_s = float(sys.argv[2]) if len(sys.argv) > 2 else 300
    programs = binaries()
    if programs is None:
        sys.exit("no etcd and kubebox: `./run cluster up` builds them (CLIPMILL_KUBE_BIN)")
    folder = Path(tempfile.mkdtemp(prefix="clipmill-benchmark-"))
    crd = ROOT / "manifests/crd.yaml"
    with control_plane(folder, programs, crd) as plane, served(folder) as api:
        print(json.dumps(measure(plane, api, folder, count, rest_s)))


if __name__ == "__main__":
    main()
