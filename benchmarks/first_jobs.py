"""Many Compilations at once until each has its first Job, beside as many bare Jobs."""

from __future__ import annotations

import json
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

# First: it makes the folder of the tests importable.
from benchmarks.operator_figures import LIMITS, USUAL, cpu_s, memory_mib
from clipmill.protocol import Stage
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import RevisionRef
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.settings import Settings
from controlplane import TOKEN, ControlPlane
from harness import SMALL, Harness
from manifests import manifest
from operating import Cluster, until
from rights import grant

SHORT = {"phase": "Rendering", "observedGeneration": 1, "conditions": []}


def first_jobs(
    plane: ControlPlane, api: Harness, folder: Path, count: int, media: str
) -> dict[str, Any]:
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


def bare_job(name: str) -> dict[str, Any]:
    """Return a minimal Job."""
    container = {"name": "job", "image": "none"}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}
