"""Create Compilations on the cluster, wait for them, and read what cluster and database hold."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipmill_api.media.sample_clips import SAMPLES, encode_sample
from cluster import world
from cluster.kubectl import Object, apply, find, get, kubectl, until
from cluster.release import VIDEOS, sql

SMALL = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
UID = "clipmill.dev/compilation-uid"
STAGE = "clipmill.dev/stage"
# Longest wait for the end of a render: the machine may have two cores and other work.
RENDERS_S = 400


def serve_samples(folder: Path) -> None:
    """Write the sample clips, of 3 s each, into the folder that `world` serves."""
    for name in SAMPLES:
        (folder / f"{name}.mp4").write_bytes(encode_sample(name))


def url(name: str = "bars", *, hold: str = "") -> str:
    """Return a URL that no other compilation has, so that nothing is reused.

    `hold` names a file without which the server does not respond.
    """
    return f"http://{world.PUBLIC}/{uuid.uuid4().hex[:8]}/{hold or 'free'}/{name}.mp4"


def source(folder: Path, *, hold: str = "") -> str:
    """Write a file with unique bytes and return its URL: none of its segments exists yet."""
    name = f"bars-{uuid.uuid4().hex[:8]}"
    (folder / f"{name}.mp4").write_bytes(encode_sample("bars") + unique_box())
    return url(name, hold=hold)


def unique_box(size: int = 24) -> bytes:
    """Return a box of MP4 with unique bytes, of at least 24 in all, which players skip."""
    return struct.pack(">I4s16s", size, b"free", uuid.uuid4().bytes) + bytes(size - 24)


def trimmed_clips(count: int, source: str) -> list[Object]:
    """Return clips of one source, each of 15 other frames."""
    ranges = [(200 * i, 200 * i + 500) for i in range(count)]
    return [
        {"name": f"clip-{i}", "url": source, "start": f"{start}ms", "end": f"{end}ms"}
        for i, (start, end) in enumerate(ranges)
    ]


class Video:
    """One Compilation."""

    def __init__(
        self, name: str, namespace: str = VIDEOS, labels: dict[str, str] | None = None
    ) -> None:
        self.name, self.namespace = f"{name}-{uuid.uuid4().hex[:5]}", namespace
        self.labels = labels or {}
        self.uid = ""

    def apply(self, clips: list[Object], **spec: Any) -> Video:
        """Apply the resource with these clips."""
        apply(
            {
                "apiVersion": "clipmill.dev/v1alpha1",
                "kind": "Compilation",
                "metadata": {
                    "name": self.name,
                    "namespace": self.namespace,
                    "labels": self.labels,
                },
                "spec": {"clips": clips, "outputs": [SMALL], **spec},
            }
        )
        self.uid = self.get()["metadata"]["uid"]
        return self

    def get(self) -> Object:
        """Return the resource."""
        resource: Object = get(f"compilation/{self.name}", self.namespace)
        return resource

    def status(self) -> Object:
        """Return the status."""
        status: Object = self.get().get("status") or {}
        return status

    def condition(self, kind: str) -> Object:
        """Return a condition of the newest generation, or {}."""
        resource = self.get()
        newest = resource["metadata"]["generation"]
        for condition in (resource.get("status") or {}).get("conditions") or []:
            if (condition["type"], condition["observedGeneration"]) == (kind, newest):
                return dict(condition)
        return {}

    def ended(self, *, limit_s: float = RENDERS_S) -> str:
        """Wait for Complete or Failed of the newest generation. Return type and reason."""

        def end() -> str:
            for kind in ("Complete", "Failed"):
                condition = self.condition(kind)
                if condition.get("status") == "True":
                    return f"{kind}: {condition['reason']}"
            return ""

        try:
            return until(f"the end of {self.name}", end, limit_s=limit_s)
        except AssertionError as error:
            description = kubectl("describe", "compilation", self.name, "-n", self.namespace)
            pods = kubectl("get", "pods,jobs", "-n", self.namespace, "-l", f"{UID}={self.uid}")
            raise AssertionError(f"{error}\n{description}\n{pods}") from None

    def pods(self, stage: str) -> list[Object]:
        """Return the pods of a stage."""
        labels = f"{UID}={self.uid},{STAGE}={stage}"
        pods: list[Object] = get("pods", self.namespace, "-l", labels)
        return pods

    def running(self, stage: str) -> Object:
        """Wait for a running pod of a stage."""

        def running_pod() -> Object | None:
            pods = self.pods(stage)
            return next((pod for pod in pods if pod["status"].get("phase") == "Running"), None)

        return until(f"a {stage} pod of {self.name}", running_pod, limit_s=RENDERS_S)

    def children(self) -> list[str]:
        """Return its Jobs, pods and Secrets."""
        children = get("jobs,pods,secrets", self.namespace, "-l", f"{UID}={self.uid}")
        return [f"{child['kind']}/{child['metadata']['name']}" for child in children]

    def unfinished(self) -> list[str]:
        """Return its Jobs that have not ended."""
        jobs = get("jobs", self.namespace, "-l", f"{UID}={self.uid}")
        return [job["metadata"]["name"] for job in jobs if not finished(job)]

    def delete(self) -> None:
        """Delete it if it exists. It has no finalizer, so this returns at once."""
        quick = ("--ignore-not-found", "--timeout=30s")
        kubectl("delete", "compilation", self.name, "-n", self.namespace, *quick)

    # --- the database -------------------------------------------------------------------------

    def rows(self, query: str) -> list[list[str]]:
        """Query the database; `%s` in the query stands for the id of its compilation."""
        mine = f"(SELECT id FROM compilations WHERE uid = '{self.uid}')"
        return sql(query.replace("%s", mine))

    def frames(self) -> int:
        """Return the number of frames of its first output, as the API counted them."""
        newest = "WHERE compilation_id = %s ORDER BY generation DESC LIMIT 1"
        (last,) = self.rows(f"SELECT outputs FROM revisions {newest}")
        return int(json.loads(last[0])[0]["frames"])

    def files(self) -> int:
        """Return the number of its finished videos in the library: one for each output."""
        mine = "WHERE compilation_id = %s AND kind = 'compilation'"
        return len(self.rows(f"SELECT id FROM media {mine}"))

    def states(self) -> list[str]:
        """Return the states of its generations, oldest first."""
        rows = self.rows(
            "SELECT state FROM revisions WHERE compilation_id = %s ORDER BY generation"
        )
        return [state for (state,) in rows]

    def settled(self) -> None:
        """Check that each succeeded generation has a usage row, and `over`."""
        usage = self.rows("SELECT generation FROM render_usage WHERE compilation_id = %s")
        assert len(usage) == self.states().count("Succeeded")
        self.over()

    def over(self) -> None:
        """Check that it holds no reservation, and wait until no Job of it runs."""
        held = "SELECT state FROM reservations WHERE compilation_id = %s AND state = 'open'"
        assert self.rows(held) == []
        until(f"no running Job of {self.name}", lambda: not self.unfinished())


def finished(job: Object) -> bool:
    """Return whether a Job has ended."""
    ends = {"Complete", "Failed"}
    return any(condition["type"] in ends for condition in job["status"].get("conditions") or [])


def gone(video: Video) -> Callable[[], bool]:
    """Return a condition: nothing of a deleted Compilation is left in the cluster."""
    return lambda: find("compilation", video.namespace, video.name) is None and not video.children()


@contextmanager
def stopped(deployment: str, namespace: str) -> Any:
    """Scale a Deployment to 0 within the block, and back to 1 after it."""
    scale = ("scale", f"deployment/{deployment}", "-n", namespace)
    selector = f"app.kubernetes.io/component={deployment.rpartition('-')[2]}"
    # The isolation test's probes have the same labels; they have ended.
    live = ("-l", selector, "--field-selector=status.phase!=Succeeded")
    try:
        kubectl(*scale, "--replicas=0")
        until("no pod of it", lambda: not get("pods", namespace, *live))
        yield
    finally:
        kubectl(*scale, "--replicas=1")
        kubectl("rollout", "status", f"deployment/{deployment}", "-n", namespace, "--timeout=300s")
