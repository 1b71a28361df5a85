"""Steps of the operator's service tests: specs, pods that are played, and rows of the database."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

from clipmill.spec import Manifest
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from controlplane import ControlPlane
from harness import SMALL, Harness
from manifests import manifest
from operating import Cluster, Object
from operator_steps import misses_its_secret
from pods import assemble, fetch
from rights import grant

# A created Job gets its Secret within this time, unless its operator has ended.
SECRET_WITHIN_S = 8.0


def watched_namespace(plane: ControlPlane, api: Harness, folder: Path) -> Cluster:
    """Create a namespace with Pod Security `restricted` and the operator's documented rights."""
    name = f"n{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    grant(plane, name)
    return Cluster(plane, api, name, folder)


def url_spec(*urls: str, **fields: Any) -> dict[str, Any]:
    """Return a spec with clips by URL."""
    return {"clips": [{"url": url} for url in urls], "outputs": [SMALL], **fields}


def library_manifest(media_id: str, name: str = "submitted") -> Manifest:
    """Return a manifest that a user submits to the API."""
    spec = {"clips": [{"mediaId": media_id}], "outputs": [SMALL]}
    return Manifest.model_validate(manifest(spec, name))


def usage(cluster: Cluster, name: str = "demo") -> list[dict[str, Any]]:
    """Return the usage rows of a Compilation."""
    compilation_id = cluster.resource(name)["status"]["compilationId"]
    sql = "SELECT generation, seconds FROM render_usage WHERE compilation_id = :c ORDER BY 1"
    return cluster.api.rows(sql, c=compilation_id)


def reservations(cluster: Cluster, compilation_id: str) -> list[str]:
    """Return the states of its quota reservations by generation."""
    sql = "SELECT state FROM reservations WHERE compilation_id = :c ORDER BY generation"
    return [row["state"] for row in cluster.api.rows(sql, c=compilation_id)]


def _started_pod(cluster: Cluster, stage: str, index: int = 0, name: str = "demo") -> Object:
    """Return the pod of a task once its Secret exists.

    Its absence is reported as by a kubelet, since the operator learns of it by that alone.
    """
    pod = cluster.pod(stage, index, name)
    secret = pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
    until_s = time.monotonic() + SECRET_WITHIN_S
    while secret not in [item["metadata"]["name"] for item in cluster.objects("secrets")]:
        if time.monotonic() > until_s:
            misses_its_secret(cluster, pod)
            break
    return pod


def play_fetch(cluster: Cluster, path: Path, index: int = 0) -> None:
    """Let a fetch pod succeed with this file."""
    pod = _started_pod(cluster, "fetch", index)
    fetch(cluster.job_client(pod), index, path)
    cluster.end(pod, 0)


def play_assemble(cluster: Cluster, path: Path, name: str = "demo") -> None:
    """Let the assemble pod succeed with this file."""
    pod = _started_pod(cluster, "assemble", name=name)
    assemble(cluster.job_client(pod), path)
    cluster.end(pod, 0)


def claim_error(client: Client) -> tuple[int, str]:
    """Return status and code of the error with which the API refuses to assign a task."""
    try:
        client.claim(0, "p")
    except PermanentError as error:
        return error.status, error.code
    return 200, ""
