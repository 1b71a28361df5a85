"""The isolation check on the real cluster: a pod notices that no policy is enforced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipmill.protocol import NOT_ISOLATED
from cluster.compilations import Video, serve_samples, url
from cluster.kubectl import apply, get, kubectl
from cluster.release import VIDEOS

pytestmark = pytest.mark.usefixtures("installed")
HOLE = "hole-in-the-wall"


@pytest.fixture
def hole(outside: Path) -> Iterator[None]:
    """A policy that lets job pods reach everything, as if the network enforced none."""
    serve_samples(outside)
    jobs = {"matchExpressions": [{"key": "clipmill.dev/stage", "operator": "Exists"}]}
    apply(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": HOLE, "namespace": VIDEOS},
            "spec": {"podSelector": jobs, "policyTypes": ["Egress"], "egress": [{}]},
        }
    )
    yield
    kubectl("delete", "networkpolicy", HOLE, "-n", VIDEOS)


def test_a_pod_that_reaches_a_canary_opens_nothing(hole: None) -> None:
    """It waits, then fails the Compilation, which says why; no clip was fetched or blamed."""
    video = Video("escaped").apply([{"url": url()}])
    assert video.ended() == f"Failed: {NOT_ISOLATED}"
    failed = video.condition("Failed")
    assert "this pod can reach kubernetes.default.svc:443" in failed["message"]
    assert [clip.get("reason") for clip in video.status()["clips"]] == [None]
    had = "SELECT count(*) FROM clips WHERE compilation_id = %s AND media_id IS NOT NULL"
    assert video.rows(had) == [["0"]]
    video.settled()


def test_with_the_policies_it_holds_up_nobody(outside: Path) -> None:
    """The same once the hole is closed: the API server is tried, and not reached."""
    assert not [p for p in get("networkpolicies", VIDEOS) if p["metadata"]["name"] == HOLE]
    video = Video("held").apply([{"url": url(), "end": "1s"}])
    assert video.ended() == "Complete: Succeeded"
    video.settled()
