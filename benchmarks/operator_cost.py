"""Measure the operator against bare Jobs.

Run `python -m benchmarks.operator_cost [COMPILATIONS] [RUNS]`. A real API server and Job controller
and a real Clipmill API run on this machine, without kubelet. First COMPILATIONS resources at once,
until each has its first Job, beside as many bare Jobs created by kubectl, and beside the same
writes without any decision. Then RUNS resources to their end, with simulated pods, for the number
of requests that each takes. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import urllib3

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from clipmaker import clip  # noqa: E402  from the folder of the tests
from clipmill.protocol import Stage  # noqa: E402
from clipmill_api.http.authentication import new_key  # noqa: E402
from clipmill_operator.building.job_objects import job_object, secret_object  # noqa: E402
from clipmill_operator.building.labels import RevisionRef  # noqa: E402
from clipmill_operator.kube_client import KubeClient  # noqa: E402
from clipmill_operator.settings import Settings  # noqa: E402
from controlplane import TOKEN, ControlPlane, binaries, control_plane  # noqa: E402
from harness import SMALL, Harness, library_clip, running  # noqa: E402
from manifests import manifest  # noqa: E402
from operating import Cluster, until  # noqa: E402
from pods import assemble, fetch, url  # noqa: E402
from rights import grant  # noqa: E402

LIMITS = {"CLIPMILL_MAX_ACTIVE": "100000", "CLIPMILL_MAX_ACTIVE_PER_OWNER": "100000"}
SHORT = {"phase": "Rendering", "observedGeneration": 1, "conditions": []}
USUAL = {
    "CLIPMILL_POLL_SECONDS": "3",
    "CLIPMILL_RESYNC_SECONDS": "30",
    "CLIPMILL_LIST_SECONDS": "300",
}


def bare_job(name: str) -> dict[str, Any]:
    """Return a minimal Job."""
    container = {"name": "job", "image": "none"}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def created(plane: ControlPlane, objects: list[dict[str, Any]], label: str) -> float:
    """Return the seconds from kubectl's start until as many Jobs with this label exist."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl = Thread(target=plane.kubectl, args=("create", "-f", "-"), kwargs={"given": text})
    with job_events(plane, label) as lines:
        started = time.monotonic()
        kubectl.start()
        for _ in range(len(objects)):
            while b'"type":"ADDED"' not in next(lines):
                pass
        took_s = time.monotonic() - started
    kubectl.join()
    return took_s


@contextmanager
def job_events(plane: ControlPlane, label: str) -> Iterator[Iterator[bytes]]:
    """Yield the lines of a watch on the metadata of Jobs, which costs less than polling."""
    query = urllib.parse.urlencode({"watch": "true", "labelSelector": label})
    where = f"{plane.url}/apis/batch/v1/namespaces/default/jobs?{query}"
    accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    request = urllib.request.Request(
        where, headers={"Accept": accept, "Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, context=ssl._create_unverified_context()) as reply:
        yield iter(reply)


def by_hand(plane: ControlPlane, cluster: Cluster, resources: list[dict[str, Any]]) -> float:
    """Return the seconds of the same writes without decisions: resource, Job, Secret, status."""
    settings = Settings.from_environ(cluster.environ())
    kube = KubeClient(plane.api())

    def write(resource: dict[str, Any]) -> None:
        resource["metadata"]["namespace"] = "default"
        created = kube.create(resource)
        assert created is not None
        metadata = created["metadata"]
        revision = RevisionRef("default", metadata["name"], metadata["uid"], 1, "default")
        job = kube.create(job_object(revision, Stage.ASSEMBLE, 1, settings))
        assert job is not None
        uid = job["metadata"]["uid"]
        kube.create(secret_object(revision, Stage.ASSEMBLE, uid, url="u", key="k"))
        named = {key: created[key] for key in ("apiVersion", "kind")} | {
            "metadata": of_name(metadata)
        }
        kube.apply(named | {"status": SHORT}, subresource="status")

    started = time.monotonic()
    with ThreadPoolExecutor(settings.workers) as pool:
        list(pool.map(write, resources))
    return time.monotonic() - started


def of_name(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the identifying part of an object's metadata."""
    return {key: metadata[key] for key in ("name", "namespace", "uid")}


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


@contextmanager
def served(folder: Path) -> Iterator[Harness]:
    """Run an API with one unlimited owner."""
    more = {"default_owner": "default", "default_owner_key": new_key("user")}
    with running(folder / "state", allow_any_host=True, **more) as api:
        yield api


def own_requests(cluster: Cluster) -> float:
    """Return the operator's own count of its requests, without its four watches."""
    return cluster.metric("clipmill_operator_kubernetes_requests_total")


def many(plane: ControlPlane, api: Harness, folder: Path, count: int, media: str) -> dict[str, Any]:
    """Create all at once and wait until each has its first Job."""
    spec = {"clips": [{"mediaId": media}], "outputs": [SMALL]}
    grant(plane, "default")
    cluster = Cluster(plane, api, "default", folder, more=LIMITS | USUAL)
    resources = [manifest(spec, f"c{i}") for i in range(count)]
    bare = [bare_job(f"b{i}") for i in range(count)]
    for job in bare:
        job["metadata"]["labels"] = {"bare": "yes"}
    bare_s = created(plane, bare, "bare=yes")
    plane.kubectl("delete", "jobs", "-l", "bare=yes", "-n", "default", "--wait=false")
    until("the bare Jobs are gone", lambda: not cluster.objects("pods"), 600)
    hand_s = by_hand(plane, cluster, [manifest(spec, f"h{i}") for i in range(count)])
    plane.kubectl("delete", "comp", "--all", "-n", "default", "--wait=false")
    until("the Jobs created by hand are gone", lambda: not cluster.objects("pods"), 600)
    with cluster.operator() as process:
        until("it serves", cluster.serves)
        ours_s = created(plane, resources, "clipmill.dev/stage=assemble")
        most, spent_s = memory_mib(process.pid), cpu_s(process.pid)
    return {
        "compilations": count,
        "first_jobs_s": round(ours_s, 1),
        "bare_jobs_s": round(bare_s, 1),
        "by_hand_s": round(hand_s, 1),
        "times": round(ours_s / bare_s, 2),
        "memory_mib": round(most),
        "cpu_ms_each": round(spent_s * 1000 / count),
    }


def complete_runs(
    plane: ControlPlane, api: Harness, folder: Path, count: int, path: Path
) -> dict[str, Any]:
    """Run Compilations to their end, one after the other, with a fetch and an assembly each."""
    plane.kubectl("create", "namespace", "walks")
    grant(plane, "walks")
    cluster = Cluster(plane, api, "walks", folder, more=LIMITS | USUAL)
    with cluster.operator():
        until("it serves", cluster.serves)
        until("a first count", lambda: own_requests(cluster) > 0)
        names = [f"w{i}" for i in range(count)]
        for name in names:
            cluster.submit({"clips": [{"url": url()}], "outputs": [SMALL]}, name)
        for name in names:
            pod = cluster.pod("fetch", name=name)
            fetch(cluster.job_client(pod), 0, path)
            cluster.end(pod, 0)
        for name in names:
            pod = cluster.pod("assemble", name=name)
            assemble(cluster.job_client(pod), path)
            cluster.end(pod, 0)
            cluster.is_true("Complete", name)
        sent = until("a last count", lambda: own_requests(cluster))
    return {"runs": count, "requests_each": round(sent / count, 1)}


def main() -> None:
    """Run both and print the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    few = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    # The control plane of a measurement has a certificate of its own.
    urllib3.disable_warnings()
    programs = binaries()
    if programs is None:
        sys.exit("no etcd and kubebox: `./run cluster up` builds them (CLIPMILL_KUBE_BIN)")
    folder = Path(tempfile.mkdtemp(prefix="clipmill-benchmark-"))
    crd = ROOT / "manifests/crd.yaml"
    with control_plane(folder, programs, crd) as plane, served(folder) as api:
        path = clip(folder / "two.mp4")
        media = library_clip(api.client(api.settings.default_owner_key), path).id
        figures = complete_runs(plane, api, folder, few, path) | many(
            plane, api, folder, count, media
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
