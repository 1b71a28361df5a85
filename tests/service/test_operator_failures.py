"""The operator when clips, pods, quotas, owners or the API fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from operating import ApiProxy, Cluster, until
from operator_runs import play_assemble, play_fetch, reservations, url_spec, usage
from pods import assemble, fetch, url


def test_a_clip_that_cannot_be_fetched_is_skipped(cluster: Cluster, two_seconds: Path) -> None:
    """Its pod reports nothing to the API: Degraded has clip, exit code and last line."""
    with cluster.operator():
        cluster.submit(url_spec(url(), url()))
        play_fetch(cluster, two_seconds, 0)
        cluster.end(cluster.pod("fetch", 1), 70, "it is a picture")
        degraded = cluster.is_true("Degraded")
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    assert degraded["reason"] == "ClipsSkipped"
    for content in ("clip-2", "FetchFailed", "70", "it is a picture"):
        assert content in degraded["message"]
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]


def test_no_clip_can_be_fetched(cluster: Cluster) -> None:
    """It fails without usage, and its reservation is released."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        cluster.end(cluster.pod("fetch"), 64)
        failed = cluster.is_true("Failed")
    assert failed["reason"] == "TooFewClips"
    assert usage(cluster) == []
    assert reservations(cluster, cluster.resource()["status"]["compilationId"]) == ["released"]


def test_pods_that_are_not_isolated(cluster: Cluster) -> None:
    """Exit code 66 fails the Compilation with the pod's message; no clip is skipped."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        cluster.end(cluster.pod("fetch"), 66, "10.0.0.9:5432 can be reached")
        failed = cluster.is_true("Failed")
    assert failed["reason"] == "NotIsolated"
    assert "10.0.0.9:5432" in failed["message"]


def test_an_exceeded_quota(cluster: Cluster) -> None:
    """The spec is refused with the numbers and without a Job; an edit that fits starts."""
    owner, _ = cluster.api.user(render_limit_seconds=100)
    label = f"clipmill.dev/owner={owner}"
    cluster.plane.kubectl("label", "ns", cluster.namespace, label)
    with cluster.operator():
        cluster.submit(url_spec(url(), url()))
        accepted = until("a condition", lambda: cluster.condition("Accepted"))
        assert (accepted["status"], accepted["reason"]) == ("False", "QuotaExceeded")
        assert all(number in accepted["message"] for number in ("120", "100"))
        assert cluster.resource()["status"]["phase"] == "Refused"
        assert cluster.objects("jobs") == []
        cluster.submit(url_spec(url()))
        cluster.pod("fetch")
    assert cluster.resource()["status"]["owner"] == owner


@pytest.mark.parametrize(("label", "owner"), [("ada", "eve"), ("", "eve"), ("nobody", None)])
def test_an_owner_that_is_not_allowed(cluster: Cluster, label: str, owner: str | None) -> None:
    """Neither past the namespace's label, nor without one, nor one that does not exist."""
    if label:
        cluster.plane.kubectl("label", "ns", cluster.namespace, f"clipmill.dev/owner={label}")
    with cluster.operator():
        cluster.submit(url_spec(url(), **({"owner": owner} if owner else {})))
        accepted = until("a condition", lambda: cluster.condition("Accepted"))
    assert (accepted["status"], accepted["reason"]) == ("False", "UnknownOwner")
    assert cluster.objects("jobs") == []


def test_outages_of_the_api_in_each_stage(cluster: Cluster, two_seconds: Path) -> None:
    """At the start, during fetch and assembly, and at a deletion: the end is the same."""
    proxy = ApiProxy(cluster.api.url)
    cluster.more = {"CLIPMILL_API_URL": proxy.url, "CLIPMILL_JOB_API_URL": cluster.api.url}
    with cluster.operator():
        until("it serves", cluster.serves)
        proxy.close()
        cluster.submit(url_spec(url()))
        errors = "clipmill_operator_api_errors_total"
        until("a failed request", lambda: cluster.metric(errors) > 0)
        assert cluster.objects("jobs") == []
        proxy.open()
        pod = cluster.pod("fetch")
        client = cluster.job_client(pod)
        proxy.close()
        fetch(client, 0, two_seconds)
        cluster.end(pod, 0)
        proxy.open()
        pod = cluster.pod("assemble")
        client = cluster.job_client(pod)
        proxy.close()
        assemble(client, two_seconds)
        cluster.end(pod, 0)
        proxy.open()
        cluster.is_true("Complete")
        assert usage(cluster) == [{"generation": 1, "seconds": 2}]
        cluster.submit(url_spec(url()), "other")
        cluster.pod("fetch", name="other")
        compilation_id = cluster.resource("other")["status"]["compilationId"]
        proxy.close()
        cluster.plane.kubectl("delete", "comp", "other", "-n", cluster.namespace)
        proxy.open()
        until("released", lambda: reservations(cluster, compilation_id) == ["released"])
    proxy.close()
    assert len(cluster.jobs()) == 2
