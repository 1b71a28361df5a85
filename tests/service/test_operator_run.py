"""The operator with a real API server and Job controller and a real Clipmill API; no kubelet.

Each test asks the database and the cluster for the final state.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness import SMALL, library_clip
from operating import Cluster, until
from operator_runs import claim_error, play_assemble, play_fetch, reservations, url_spec, usage
from pods import url

KUBECTL_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def test_from_apply_to_complete(cluster: Cluster, two_seconds: Path) -> None:
    """Secret, policies, events, usage, printer columns; nothing is added to the resource."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        pod = cluster.pod("fetch")
        assert len(cluster.objects("netpol")) == 3
        secret = cluster.secret_of(pod)
        assert set(secret) == {"CLIPMILL_API_URL", "CLIPMILL_API_KEY"}
        assert secret["CLIPMILL_API_URL"] == cluster.api.url
        play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    resource = cluster.resource()
    assert resource["status"]["phase"] == "Succeeded"
    assert resource["status"]["segments"] == {"total": 1, "reused": 0, "rendered": 1}
    assert "finalizers" not in resource["metadata"]
    assert set(resource["metadata"]["annotations"]) == {KUBECTL_ANNOTATION}
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]
    events = [e for e in cluster.objects("events") if e["involvedObject"]["name"] == "demo"]
    reasons = sorted(event["reason"] for event in events)
    assert reasons == ["Accepted", "AssembleStarted", "FetchStarted", "Fetched", "Succeeded"]
    columns = cluster.plane.kubectl("get", "comp", "-n", cluster.namespace).splitlines()[1].split()
    assert columns[:6] == ["demo", "default", "Succeeded", "100%", "1/1", "0"]


def test_killed_in_each_stage(cluster: Cluster, two_seconds: Path) -> None:
    """A new operator after each step: one Job per stage, one usage row, the same status."""
    cluster.submit(url_spec(url()))
    with cluster.operator():
        pod = cluster.pod("fetch")
        secret = cluster.secret_of(pod)
    with cluster.operator():
        until("a reconcile", lambda: cluster.resource()["status"])
        assert cluster.secret_of(pod) == secret
        play_fetch(cluster, two_seconds)
        cluster.pod("assemble")
    with cluster.operator():
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    before = cluster.resource()
    with cluster.operator():
        cluster.submit(url_spec(url()), "another")
        cluster.pod("fetch", name="another")
    after = cluster.resource()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert [len(cluster.jobs(stage)) for stage in ("fetch", "assemble")] == [1, 1]
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]


def test_a_deletion_does_not_wait_for_the_operator(cluster: Cluster) -> None:
    """Jobs, pods and Secrets are deleted without one; the API learns of it at the next start."""
    cluster.submit(url_spec(url()))
    with cluster.operator():
        client = cluster.job_client(cluster.pod("fetch"))
        compilation_id = cluster.resource()["status"]["compilationId"]
    cluster.plane.kubectl("delete", "comp", "demo", "-n", cluster.namespace, "--timeout=10s")
    for kind in ("jobs", "pods", "secrets"):
        until(f"no {kind}", lambda kind=kind: not cluster.objects(kind))
    assert reservations(cluster, compilation_id) == ["open"]
    with cluster.operator():
        until("released", lambda: reservations(cluster, compilation_id) == ["released"])
    assert claim_error(client)[0] == 409


def test_a_resource_that_is_being_deleted_gets_no_jobs(cluster: Cluster) -> None:
    """A foreground deletion deletes the children first, and none is created again."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        cluster.pod("fetch")
        words = ("delete", "comp", "demo", "-n", cluster.namespace)
        cluster.plane.kubectl(*words, "--cascade=foreground", "--timeout=20s")
        assert cluster.objects("jobs") == []


def test_a_deleted_secret_is_replaced(cluster: Cluster, two_seconds: Path) -> None:
    """With a new, valid key, once a pod cannot start without it."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        pod = cluster.pod("fetch")
        before = cluster.secret_of(pod)
        cluster.plane.kubectl("delete", "secret", "--all", "-n", cluster.namespace)
        cluster.status(pod, "Pending", {"waiting": {"reason": "CreateContainerConfigError"}})
        after = cluster.secret_of(pod)
        assert after["CLIPMILL_API_KEY"] != before["CLIPMILL_API_KEY"]
        play_fetch(cluster, two_seconds)
        cluster.pod("assemble")


def test_a_wiped_status_is_written_again(cluster: Cluster) -> None:
    """The same except for times, and without another Job."""

    def without_times(status: dict[str, Any]) -> dict[str, Any]:
        for condition in status["conditions"]:
            condition["lastTransitionTime"] = ""
        return status

    with cluster.operator():
        cluster.submit(url_spec(url(), url()))
        cluster.pod("fetch", 1)
        before = until("a status", lambda: cluster.resource().get("status"))
        words = ("patch", "comp", "demo", "-n", cluster.namespace, "--subresource=status")
        cluster.plane.kubectl(*words, "--type=json", "-p", '[{"op":"remove","path":"/status"}]')
        after = until("a status", lambda: cluster.resource().get("status"))
    assert without_times(after) == without_times(before)
    assert len(cluster.jobs()) == 1


def test_an_edit_starts_a_new_generation(cluster: Cluster, two_seconds: Path) -> None:
    """Jobs and Secrets of the older one are deleted, its key and reservation end."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        old_client = cluster.job_client(cluster.pod("fetch"))
        cluster.submit(url_spec(url(), url()))
        until("the old Job is deleted", lambda: cluster.generations() == ["2"])
        for index in (0, 1):
            play_fetch(cluster, two_seconds, index)
        cluster.pod("assemble")
        # The Secret follows its Job: an operator that ended between the two would leave one.
        until("one Secret per Job", lambda: len(cluster.objects("secrets")) == 2)
    assert claim_error(old_client) == (409, "Ended")
    status = cluster.resource()["status"]
    assert status["observedGeneration"] == 2
    assert reservations(cluster, status["compilationId"]) == ["released", "open"]


def test_the_limit_of_active_compilations(cluster: Cluster, two_seconds: Path) -> None:
    """The third is queued and starts when one has ended, also after a restart."""
    cluster.more = {"CLIPMILL_MAX_ACTIVE": "2"}
    owner = cluster.api.client(cluster.api.settings.default_owner_key)
    media_id = library_clip(owner, two_seconds).id
    with cluster.operator():
        for name in ("one", "two", "three"):
            spec = {"clips": [{"mediaId": media_id}], "outputs": [SMALL]}
            cluster.submit(spec, name)
            until(f"a status of {name}", lambda name=name: cluster.resource(name).get("status"))
        assert cluster.resource("three")["status"]["reason"] == "Queued"
    with cluster.operator():
        until("two pods", lambda: len(cluster.objects("pods")) == 2)
        play_assemble(cluster, two_seconds, "one")
        cluster.is_true("Complete", "one")
        cluster.pod("assemble", name="three")
    assert len(cluster.objects("jobs")) == 3


def test_a_deleted_policy_is_applied_again(cluster: Cluster) -> None:
    """Job pods are never without their NetworkPolicies."""
    with cluster.operator():
        cluster.submit(url_spec(url()))
        cluster.pod("fetch")
        cluster.plane.kubectl("delete", "netpol", "clipmill-jobs-deny", "-n", cluster.namespace)
        until("it is applied", lambda: len(cluster.objects("netpol")) == 3)


def test_an_object_that_the_cluster_refuses(cluster: Cluster) -> None:
    """A quota of no Jobs: the status has the API server's message until the quota is deleted."""
    none = {"count/jobs.batch": "0"}
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": cluster.namespace},
        "spec": {"hard": none},
    }
    cluster.plane.apply(quota)
    counted = json.dumps({"status": {"hard": none, "used": none}})
    words = ("patch", "resourcequota", "none", "-n", cluster.namespace, "--subresource=status")
    cluster.plane.kubectl(*words, "--type=merge", "-p", counted)
    with cluster.operator():
        cluster.submit(url_spec(url()))

        def refusal() -> str:
            status = cluster.resource().get("status", {})
            return str(status.get("message", "")) if status.get("reason") == "NotApplied" else ""

        assert "quota" in until("NotApplied", refusal)
        cluster.plane.kubectl("delete", "resourcequota", "none", "-n", cluster.namespace)
        cluster.pod("fetch")
        until("Fetching", lambda: cluster.resource()["status"]["reason"] == "Fetching")


def test_sigterm(cluster: Cluster) -> None:
    """Ends the operator with exit code 0 within the chart's grace period."""
    with cluster.operator() as process:
        until("it serves", cluster.serves)
        cluster.submit(url_spec(url()))
        cluster.pod("fetch")
        process.terminate()
        assert process.wait(25) == 0
