"""Many Compilations at once, to their end: each with a fetch, an assembly and simulated pods."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.object_watch import await_condition, is_true
from benchmarks.operator_figures import LIMITS, USUAL, cpu_s, memory_mib, own_requests
from benchmarks.pod_player import playing
from controlplane import ControlPlane
from harness import SMALL, Harness
from manifests import manifest
from operating import Cluster, until
from pods import url
from rights import grant

NAMESPACE = "played"
WITHIN_S = 1500


def play(plane: ControlPlane, api: Harness, folder: Path, count: int, clip: Path) -> dict[str, Any]:
    """Create all at once, and play their pods as fast as it goes. Raises AssertionError."""
    plane.kubectl("create", "namespace", NAMESPACE)
    grant(plane, NAMESPACE)
    cluster = Cluster(plane, api, NAMESPACE, folder, more=LIMITS | USUAL)
    items = [
        manifest({"clips": [{"url": url()}], "outputs": [SMALL]}, f"p{i}") for i in range(count)
    ]
    resources = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    with cluster.operator() as process, playing(plane, NAMESPACE, clip):
        until("it serves", cluster.serves)
        sent = until("a first count", lambda: own_requests(cluster))
        spent_s, started = cpu_s(process.pid), time.monotonic()
        plane.kubectl("create", "-n", NAMESPACE, "-f", "-", given=resources)
        await_condition(plane.url, NAMESPACE, "Complete", count=count, within_s=WITHIN_S)
        took_s = time.monotonic() - started
        require_complete(cluster, count)
        return {
            "played": count,
            "played_s": round(took_s, 1),
            "played_per_minute": round(60 * count / took_s),
            "played_requests_each": round((own_requests(cluster) - sent) / count, 1),
            "played_cpu_ms_each": round(1000 * (cpu_s(process.pid) - spent_s) / count, 1),
            "played_memory_mib": round(memory_mib(process.pid)),
        }


def require_complete(cluster: Cluster, count: int) -> None:
    """Raise AssertionError with the conditions of those that are not complete."""
    resources = cluster.objects("comp")
    stuck = {
        resource["metadata"]["name"]: resource.get("status", {}).get("conditions")
        for resource in resources
        if not is_true(resource, "Complete")
    }
    assert not stuck, f"{len(stuck)} of {count} are not complete: {json.dumps(stuck)}"
    assert len(resources) == count
