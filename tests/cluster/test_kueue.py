"""The real Kueue: queues of the page, a suspended Job, a preemption and what follows it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import names, release
from cluster.compilations import UID, Video, source
from cluster.kubectl import Object, apply, find, get, kubectl, until
from cluster.queueing_page import example

URGENT = {"kueue.x-k8s.io/queue-name": "render", "kueue.x-k8s.io/priority-class": "urgent"}
# The requests of one pod of the release of these tests.
ONE_POD = "60m"
BUILT = Path(os.environ.get("KIND_CACHE", Path.home() / ".cache/clipmill-kind")) / "bin/kueue"
# What CI needs for it: to build it, and to run this file.
BUILD_S, RUN_S = 20 * 60, 5 * 60


@pytest.fixture(scope="module")
def kueue() -> Iterator[None]:
    """Kueue with the queues of the page, and a release that uses it; both are removed."""
    if os.environ.get("CLIPMILL_IMAGE_PREFIX"):
        pytest.skip("builds Kueue for the cluster of ./run cluster up")
    left_s = float(os.environ.get("CLIPMILL_TESTS_UNTIL") or "inf") - time.time()
    if left_s < RUN_S + (0 if BUILT.exists() else BUILD_S):
        pytest.skip("CI has no time left for Kueue: ./run cluster test -k kueue")
    script = str(names.ROOT / "tests/cluster/cluster")
    subprocess.run((script, "kueue"), check=True)
    try:
        jobs = release.VALUES["jobs"] | example("values")[0]["jobs"]
        release.install(jobs=jobs | {"maxActive": 2})
        apply(*example("queues"))
        yield
    finally:
        for item in example("queues"):
            namespace = ("-n", item["metadata"].get("namespace", "default"))
            what = (item["kind"], item["metadata"]["name"], *namespace)
            kubectl("delete", *what, "--ignore-not-found", "--timeout=60s", check=False)
        subprocess.run((script, "kueue", "delete"), check=True)
        release.install()


def limit(cpu: str) -> None:
    """Change the quota of the ClusterQueue."""
    path = "/spec/resourceGroups/0/flavors/0/resources/0/nominalQuota"
    patch = json.dumps([{"op": "replace", "path": path, "value": cpu}])
    kubectl("patch", "clusterqueue", "video", "--type=json", "-p", patch)


def phase(video: Video, name: str, reason: str = "") -> Object:
    """Wait until a Compilation has this phase, and this reason if there is one."""

    def status() -> Object:
        current = video.status()
        is_reason = reason in ("", current.get("reason"))
        return current if current.get("phase") == name and is_reason else {}

    return until(f"{name} {reason} of {video.name}", status)


def jobs(video: Video) -> list[Object]:
    """Return the Jobs of a Compilation."""
    listed: list[Object] = get("jobs", video.namespace, "-l", f"{UID}={video.uid}")
    return listed


def test_queue_preemption_and_resumption(kueue: None, outside: Path) -> None:
    """A more urgent one takes the quota; the other continues, and nothing is lost or counted."""
    limit(ONE_POD)
    held = [{"name": "a", "url": source(outside, hold="held-kueue")}]
    first = Video("first").apply(held)
    first.running("fetch")
    (job,) = jobs(first)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "render"
    waiting = [
        Video(name).apply([{"name": "a", "url": source(outside)}]) for name in ("second", "third")
    ]
    for video in waiting:
        # Both have a Job, beside a running one, at a limit of two: suspended Jobs hold no slot.
        status = phase(video, "Queued", "Pending")
        assert "insufficient unused quota for cpu" in status["message"]
        assert status["queue"] == {"name": "render"}
        assert video.condition("Queued")["reason"] == "Pending"
        assert [job["spec"]["suspend"] for job in jobs(video)] == [True]
        assert video.pods("fetch") == []
    urgent = Video("urgent", labels=URGENT).apply([{"name": "a", "url": source(outside)}])
    preempted = phase(first, "Queued", "Preempted")
    assert "Preempted" in preempted["message"]
    assert urgent.ended() == "Complete: Succeeded"
    (outside / "held-kueue").touch()
    for video in (first, *waiting):
        assert video.ended() == "Complete: Succeeded"
        assert video.condition("Queued") == {}
        assert video.condition("Degraded") == {}
        for job in jobs(video):
            assert not job["status"].get("failed")
            assert not job["status"].get("failedIndexes")
        video.settled()


def test_a_queue_that_does_not_exist(kueue: None, outside: Path) -> None:
    """The status says so, and the deletion leaves nothing."""
    labels = {"kueue.x-k8s.io/queue-name": "missing"}
    video = Video("lost", labels=labels).apply([{"name": "a", "url": source(outside)}])
    status = phase(video, "Queued", "Inadmissible")
    assert "missing" in status["message"]
    video.delete()
    until("no child", lambda: not video.children() and not find("comp", *_key(video)))


def test_the_example_of_a_compilation(kueue: None) -> None:
    """The API server accepts the page's manifest."""
    text = json.dumps(example("compilation")[0])
    assert "created" in kubectl("create", "--dry-run=server", "-f", "-", text=text)


def _key(video: Video) -> tuple[str, str]:
    return video.namespace, video.name
