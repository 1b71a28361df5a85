"""Compilations on the cluster: made, waited for, and what cluster and database say in the end."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clipmill_api.media.sample_clips import SAMPLES, drawn
from cluster import world
from cluster.kubectl import Object, apply, find, get, kubectl, until
from cluster.release import VIDEOS, sql

SMALL = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
UID = "clipmill.dev/compilation-uid"
STAGE = "clipmill.dev/stage"
RENDERS_S = 400
"""Longest that a test waits for an end: the machine may have two cores and other work."""


def serve_samples(folder: Path) -> None:
    """Put the made clips, of 3 s each, where the world serves them."""
    for name in SAMPLES:
        (folder / f"{name}.mp4").write_bytes(drawn(name))


def url(name: str = "bars", *, gate: str = "") -> str:
    """A source that no other compilation has: nothing is reused by chance."""
    return f"http://{world.PUBLIC}/{uuid.uuid4().hex[:8]}/{gate or 'free'}/{name}.mp4"


def source(folder: Path, *, gate: str = "") -> str:
    """The URL of a file whose bytes no other has, so that no segment of it exists yet.

    A box that players skip makes the difference.
    """
    name = f"bars-{uuid.uuid4().hex[:8]}"
    box = struct.pack(">I4s16s", 24, b"free", uuid.uuid4().bytes)
    (folder / f"{name}.mp4").write_bytes(drawn("bars") + box)
    return url(name, gate=gate)


def shots(count: int, source: str) -> list[Object]:
    """So many cuts of one source, each of its own 15 frames."""
    cuts = [(200 * i, 200 * i + 500) for i in range(count)]
    return [
        {"name": f"shot-{i}", "url": source, "start": f"{start}ms", "end": f"{end}ms"}
        for i, (start, end) in enumerate(cuts)
    ]


class Video:
    """One Compilation."""

    def __init__(self, name: str, namespace: str = VIDEOS) -> None:
        self.name, self.namespace = f"{name}-{uuid.uuid4().hex[:5]}", namespace
        self.uid = ""

    def apply(self, clips: list[Object], **spec: Any) -> Video:
        """Ask for it, or for something else."""
        apply(
            {
                "apiVersion": "clipmill.dev/v1alpha1",
                "kind": "Compilation",
                "metadata": {"name": self.name, "namespace": self.namespace},
                "spec": {"clips": clips, "outputs": [SMALL], **spec},
            }
        )
        self.uid = self.get()["metadata"]["uid"]
        return self

    def get(self) -> Object:
        """As it is now."""
        found: Object = get(f"compilation/{self.name}", self.namespace)
        return found

    def status(self) -> Object:
        """What the operator wrote."""
        found: Object = self.get().get("status") or {}
        return found

    def condition(self, kind: str) -> Object:
        """One condition of the newest generation; empty while there is none."""
        now = self.get()
        newest = now["metadata"]["generation"]
        for found in (now.get("status") or {}).get("conditions") or []:
            if (found["type"], found["observedGeneration"]) == (kind, newest):
                return dict(found)
        return {}

    def ended(self, *, limit_s: float = RENDERS_S) -> str:
        """Wait for Complete or Failed of the newest generation; the reason."""

        def look() -> str:
            for kind in ("Complete", "Failed"):
                found = self.condition(kind)
                if found.get("status") == "True":
                    return f"{kind}: {found['reason']}"
            return ""

        try:
            return until(f"the end of {self.name}", look, limit_s=limit_s)
        except AssertionError as error:
            told = kubectl("describe", "compilation", self.name, "-n", self.namespace)
            pods = kubectl("get", "pods,jobs", "-n", self.namespace, "-l", f"{UID}={self.uid}")
            raise AssertionError(f"{error}\n{told}\n{pods}") from None

    def pods(self, stage: str) -> list[Object]:
        """The pods of a stage."""
        labels = f"{UID}={self.uid},{STAGE}={stage}"
        found: list[Object] = get("pods", self.namespace, "-l", labels)
        return found

    def running(self, stage: str) -> Object:
        """Wait for a running pod of a stage."""

        def look() -> Object | None:
            pods = self.pods(stage)
            return next((pod for pod in pods if pod["status"].get("phase") == "Running"), None)

        return until(f"a {stage} pod of {self.name}", look, limit_s=RENDERS_S)

    def children(self) -> list[str]:
        """Jobs, pods and Secrets of it that are there."""
        found = get("jobs,pods,secrets", self.namespace, "-l", f"{UID}={self.uid}")
        return [f"{one['kind']}/{one['metadata']['name']}" for one in found]

    def unfinished(self) -> list[str]:
        """Its Jobs that have not ended."""
        jobs = get("jobs", self.namespace, "-l", f"{UID}={self.uid}")
        return [job["metadata"]["name"] for job in jobs if not finished(job)]

    def delete(self) -> None:
        """Delete it, if it is there; it has no finalizer, so this is at once."""
        quick = ("--ignore-not-found", "--timeout=30s")
        kubectl("delete", "compilation", self.name, "-n", self.namespace, *quick)

    # --- what the database says ---------------------------------------------------------------

    def rows(self, query: str) -> list[list[str]]:
        """Ask the database; `%s` in the query is its compilation's id."""
        mine = f"(SELECT id FROM compilations WHERE uid = '{self.uid}')"
        return sql(query.replace("%s", mine))

    def frames(self) -> int:
        """The frames of its first output, as the API counted them."""
        newest = "WHERE compilation_id = %s ORDER BY generation DESC LIMIT 1"
        (last,) = self.rows(f"SELECT outputs FROM revisions {newest}")
        return int(json.loads(last[0])[0]["frames"])

    def files(self) -> int:
        """Finished videos of it that the API keeps: one for each output, if none came twice."""
        mine = "WHERE compilation_id = %s AND kind = 'compilation'"
        return len(self.rows(f"SELECT id FROM media {mine}"))

    def states(self) -> list[str]:
        """The states of its generations, oldest first."""
        rows = self.rows(
            "SELECT state FROM revisions WHERE compilation_id = %s ORDER BY generation"
        )
        return [state for (state,) in rows]

    def settled(self) -> None:
        """A usage row for each generation that succeeded; nothing reserved, no Job going on."""
        usage = self.rows("SELECT generation FROM render_usage WHERE compilation_id = %s")
        assert len(usage) == self.states().count("Succeeded")
        self.over()

    def over(self) -> None:
        """Nothing of it is reserved or going on."""
        held = "SELECT state FROM reservations WHERE compilation_id = %s AND state = 'open'"
        assert self.rows(held) == []
        until(f"no Job of {self.name} going on", lambda: not self.unfinished())


def finished(job: Object) -> bool:
    """Whether a Job has ended."""
    ends = {"Complete", "Failed"}
    return any(found["type"] in ends for found in job["status"].get("conditions") or [])


def gone(video: Video) -> Callable[[], bool]:
    """Whether nothing of a deleted one is left in the cluster."""
    return lambda: find("compilation", video.namespace, video.name) is None and not video.children()


@contextmanager
def stopped(deployment: str, namespace: str) -> Any:
    """A Deployment without pods, for as long as this lasts."""
    scale = ("scale", f"deployment/{deployment}", "-n", namespace)
    selector = f"app.kubernetes.io/component={deployment.rpartition('-')[2]}"
    # The isolation test's probes carry the same labels; they have ended, and hold nothing.
    live = ("-l", selector, "--field-selector=status.phase!=Succeeded")
    try:
        kubectl(*scale, "--replicas=0")
        until("no pod of it", lambda: not get("pods", namespace, *live))
        yield
    finally:
        kubectl(*scale, "--replicas=1")
        kubectl("rollout", "status", f"deployment/{deployment}", "-n", namespace, "--timeout=300s")
