"""Figures of the operator: processor time, memory and requests; and the API that it calls."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from clipmill_api.http.authentication import new_key  # noqa: E402
from harness import Harness, running  # noqa: E402  from the folder of the tests
from operating import Cluster  # noqa: E402

LIMITS = {"CLIPMILL_MAX_ACTIVE": "100000", "CLIPMILL_MAX_ACTIVE_PER_OWNER": "100000"}
USUAL = {
    "CLIPMILL_POLL_SECONDS": "3",
    "CLIPMILL_RESYNC_SECONDS": "30",
    "CLIPMILL_LIST_SECONDS": "300",
}


@contextmanager
def served(folder: Path) -> Iterator[Harness]:
    """Run an API with one unlimited owner in this process."""
    more = {"default_owner": "default", "default_owner_key": new_key("user")}
    with running(folder / "state", allow_any_host=True, **more) as api:
        yield api


def memory_mib(pid: int) -> float:
    """Return the peak memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    peak = re.search(r"VmHWM:\s+(\d+) kB", text)
    assert peak
    return int(peak[1]) / 1024


def cpu_s(pid: int) -> float:
    """Return the processor time of a process in seconds, its start included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_requests(cluster: Cluster) -> float:
    """Return the operator's own count of its requests, without those of its watches."""
    return cluster.metric("clipmill_operator_kubernetes_requests_total")


def at_rest(cluster: Cluster, pid: int, seconds: float) -> dict[str, Any]:
    """Return what a period costs in which nothing is due."""
    before, api_before, sent = cpu_s(pid), cpu_s(os.getpid()), own_requests(cluster)
    started = time.monotonic()
    time.sleep(seconds)
    took_s = time.monotonic() - started
    # The API runs in this process, which does nothing else meanwhile.
    return {
        "rest_s": round(took_s),
        "operator_percent": round(100 * (cpu_s(pid) - before) / took_s, 2),
        "api_percent": round(100 * (cpu_s(os.getpid()) - api_before) / took_s, 2),
        "kubernetes_requests_per_minute": round(60 * (own_requests(cluster) - sent) / took_s, 1),
        "operator_peak_mib": round(memory_mib(pid)),
    }
