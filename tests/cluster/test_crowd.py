"""Many at once, too much at once: limits hold, and nobody is forgotten."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from clipmill.protocol import TierView, UserView
from cluster.compilations import UID, Video, finished, serve_samples, url
from cluster.kubectl import apply, get, kubectl, namespace, until
from cluster.release import VALUES, VIDEOS, api, sql

pytestmark = pytest.mark.usefixtures("installed")
POOR = "poor-videos"
CROWD = 30
OPEN = (
    "SELECT uid FROM compilations c JOIN revisions r ON r.compilation_id = c.id "
    "WHERE r.state IN ('Pending', 'Fetching', 'Rendering')"
)


@pytest.fixture(scope="module", autouse=True)
def _clips(outside: Path) -> None:
    serve_samples(outside)


def test_over_quota_is_refused_with_numbers() -> None:
    """Accepted is False and says what is left of what; no Job, no pod, nothing reserved."""
    with api("admin-key") as client:
        client.admin.put_tier(TierView(name="poor", render_limit_seconds=5))
        client.admin.put_user(UserView(name="poor", tier="poor"))
    bound = namespace(POOR)
    bound["metadata"]["labels"]["clipmill.dev/owner"] = "poor"
    apply(bound)
    video = Video("too-much", POOR).apply([{"url": url()}])
    until("it is judged", lambda: video.condition("Accepted"))
    refused = video.condition("Accepted")
    assert (refused["status"], refused["reason"]) == ("False", "QuotaExceeded")
    assert "5" in refused["message"]
    assert "60" in refused["message"]
    assert video.children() == []
    assert video.rows("SELECT state FROM reservations WHERE compilation_id = %s") == []
    assert get("pods", POOR) == []
    kubectl("delete", "namespace", POOR, "--wait=false")


def test_thirty_at_once() -> None:
    """Never more than the limit have pods; all end, each with its one usage row."""
    source = url()
    videos = [Video(f"crowd-{i}") for i in range(CROWD)]
    for i, video in enumerate(videos):
        video.apply([{"url": source, "start": f"{i * 20}ms", "end": f"{i * 20 + 500}ms"}])
    most = 0

    def all_ended() -> bool:
        nonlocal most
        jobs = get("jobs", VIDEOS, "-l", UID)
        going = {job["metadata"]["labels"][UID] for job in jobs if not finished(job)}
        # Asked after the Jobs: a Job may still be ending when its compilation has ended.
        most = max(most, len(going & {uid for (uid,) in sql(OPEN)}))
        found = {c["metadata"]["name"]: c for c in get("compilations", VIDEOS)}
        phases = [found[v.name].get("status", {}).get("phase") for v in videos]
        return phases.count("Succeeded") == CROWD

    until("all have ended", all_ended, limit_s=600)
    assert 1 < most <= int(VALUES["jobs"]["maxActivePerOwner"])
    for video in videos:
        video.settled()


def test_a_drained_node(outside: Path) -> None:
    """Its pods are evicted; the parts are done on another one."""
    if len(get("nodes", "")) < 3:
        pytest.skip("a drain needs two workers: ./run cluster up 2")
    video = Video("drained").apply([{"url": url(hold="held-drain"), "end": "1s"}])
    node = video.running("fetch")["spec"]["nodeName"]
    drain = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s")
    only = f"--pod-selector={UID}={video.uid}"
    try:
        kubectl("drain", node, *drain, only)
        (outside / "held-drain").touch()
        assert video.ended() == "Complete: Succeeded"
    finally:
        kubectl("uncordon", node)
    video.settled()


def test_an_evicted_pod(outside: Path) -> None:
    """A disruption is no failure: the part is done again, and no clip is lost."""
    video = Video("evicted").apply([{"url": url(hold="held-evict"), "end": "1s"}])
    pod = video.running("fetch")["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": VIDEOS},
    }
    raw = f"/api/v1/namespaces/{VIDEOS}/pods/{pod}/eviction"
    subprocess.run(
        ("kubectl", "create", "--raw", raw, "-f", "-"),
        input=json.dumps(eviction),
        text=True,
        check=True,
        capture_output=True,
    )
    (outside / "held-evict").touch()
    assert video.ended() == "Complete: Succeeded"
    assert video.condition("Degraded") == {}
    video.settled()
