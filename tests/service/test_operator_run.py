"""The operator's walk: a real API server and Job controller, a real Clipmill API, no kubelet.

Each test asks the database and the cluster for the end state, not a log.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.spec import Manifest
from clipmill_api.http.authentication import new_key
from controlplane import ControlPlane
from harness import SMALL, Harness, library_clip, running
from operating import Cluster, ApiProxy, until
from pods import assemble, fetch, url
from rights import grant

OWNER = "default"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API with the owner of a single-tenant install."""
    more = {"default_owner": OWNER, "default_owner_key": new_key("user")}
    with running(tmp_path_factory.mktemp("state"), allow_any_host=True, **more) as api:
        yield api


@pytest.fixture
def cluster(plane: ControlPlane, served: Harness, tmp_path: Path) -> Cluster:
    """A namespace of its own: Pod Security is restricted, the operator has the page's rights."""
    name = f"n{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": name, "labels": labels}
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    grant(plane, name)
    return Cluster(plane, served, name, tmp_path)


def spec(*urls: str, **more: Any) -> dict[str, Any]:
    """Clips by address."""
    return {"clips": [{"url": one} for one in urls], "outputs": [SMALL], **more}


def usage(cluster: Cluster, name: str = "demo") -> list[dict[str, Any]]:
    """The usage rows of a resource."""
    found = cluster.resource(name)["status"]["compilationId"]
    sql = "SELECT generation, seconds FROM render_usage WHERE compilation_id = :c ORDER BY 1"
    return cluster.api.rows(sql, c=found)


def reservations(cluster: Cluster, compilation_id: str) -> list[str]:
    """What became of its reservations, by generation."""
    sql = "SELECT state FROM reservations WHERE compilation_id = :c ORDER BY generation"
    return [row["state"] for row in cluster.api.rows(sql, c=compilation_id)]


def fetched(cluster: Cluster, path: Path, index: int = 0) -> None:
    """Play a fetch pod to its good end."""
    pod = cluster.pod("fetch", index)
    fetch(cluster.job_client(pod), index, path)
    cluster.end(pod, 0)


def assembled(cluster: Cluster, path: Path, name: str = "demo") -> None:
    """Play the assemble pod to its good end."""
    pod = cluster.pod("assemble", name=name)
    assemble(cluster.job_client(pod), path)
    cluster.end(pod, 0)


def test_from_apply_to_complete(cluster: Cluster, two_seconds: Path) -> None:
    """Two keys in the Secret, policies first, the story told once, one usage row, nothing kept."""
    with cluster.operator():
        cluster.submit(spec(url()))
        pod = cluster.pod("fetch")
        assert len(cluster.objects("netpol")) == 3
        given = cluster.secret_of(pod)
        assert set(given) == {"CLIPMILL_API_URL", "CLIPMILL_API_KEY"}
        assert given["CLIPMILL_API_URL"] == cluster.api.url
        fetched(cluster, two_seconds)
        assembled(cluster, two_seconds)
        cluster.is_true("Complete")
    resource = cluster.resource()
    assert resource["status"]["phase"] == "Succeeded"
    assert resource["status"]["segments"] == {"total": 1, "reused": 0, "rendered": 1}
    assert "finalizers" not in resource["metadata"]
    assert set(resource["metadata"]["annotations"]) == {
        "kubectl.kubernetes.io/last-applied-configuration"
    }
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]
    told = [e["reason"] for e in cluster.objects("events") if e["involvedObject"]["name"] == "demo"]
    assert sorted(told) == ["Accepted", "AssembleStarted", "FetchStarted", "Fetched", "Succeeded"]
    columns = cluster.plane.kubectl("get", "comp", "-n", cluster.namespace).splitlines()[1].split()
    assert columns[:6] == ["demo", OWNER, "Succeeded", "100%", "1/1", "0"]


def test_killed_in_each_stage_it_changes_nothing(cluster: Cluster, two_seconds: Path) -> None:
    """A new operator after each step: one Job a stage, one usage row, the same status."""
    cluster.submit(spec(url()))
    with cluster.operator():
        pod = cluster.pod("fetch")
        key = cluster.secret_of(pod)
    with cluster.operator():
        until("a look", lambda: cluster.resource()["status"])
        assert cluster.secret_of(pod) == key
        fetched(cluster, two_seconds)
        cluster.pod("assemble")
    with cluster.operator():
        assembled(cluster, two_seconds)
        cluster.is_true("Complete")
    before = cluster.resource()
    with cluster.operator():
        cluster.submit(spec(url()), "another")
        cluster.pod("fetch", name="another")
    after = cluster.resource()
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert [len(cluster.jobs(stage)) for stage in ("fetch", "assemble")] == [1, 1]
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]


def test_delete_waits_for_nobody(cluster: Cluster) -> None:
    """With no operator: Jobs, pods and Secrets go; the API hears of it at the next start."""
    cluster.submit(spec(url()))
    with cluster.operator():
        pod = cluster.pod("fetch")
        client = cluster.job_client(pod)
        found = cluster.resource()["status"]["compilationId"]
    cluster.plane.kubectl("delete", "comp", "demo", "-n", cluster.namespace, "--timeout=10s")
    for kind in ("jobs", "pods", "secrets"):
        until(f"no {kind}", lambda kind=kind: not cluster.objects(kind))
    assert reservations(cluster, found) == ["open"]
    with cluster.operator():
        until("released", lambda: reservations(cluster, found) == ["released"])
    assert client.wire._http.post("/api/worker/claim", json={"holder": "p"}).status_code == 409


def test_a_secret_that_was_deleted_comes_back(cluster: Cluster, two_seconds: Path) -> None:
    """A pod that cannot start for want of it gets another, with a key that opens."""
    with cluster.operator():
        cluster.submit(spec(url()))
        pod = cluster.pod("fetch")
        before = cluster.secret_of(pod)
        cluster.plane.kubectl("delete", "secret", "--all", "-n", cluster.namespace)
        cluster.status(pod, "Pending", {"waiting": {"reason": "CreateContainerConfigError"}})
        after = cluster.secret_of(pod)
        assert after["CLIPMILL_API_KEY"] != before["CLIPMILL_API_KEY"]
        fetched(cluster, two_seconds)
        cluster.pod("assemble")


def test_a_wiped_status_comes_back(cluster: Cluster) -> None:
    """The same but for the times; and no Job is made anew."""

    def timeless(status: dict[str, Any]) -> dict[str, Any]:
        for condition in status["conditions"]:
            condition["lastTransitionTime"] = ""
        return status

    with cluster.operator():
        cluster.submit(spec(url(), url()))
        cluster.pod("fetch", 1)
        before = until("a status", lambda: cluster.resource().get("status"))
        words = ("patch", "comp", "demo", "-n", cluster.namespace, "--subresource=status")
        cluster.plane.kubectl(*words, "--type=json", "-p", '[{"op":"remove","path":"/status"}]')
        after = until("a status", lambda: cluster.resource().get("status"))
    assert timeless(after) == timeless(before)
    assert len(cluster.jobs()) == 1


def test_an_edit_starts_over(cluster: Cluster, two_seconds: Path) -> None:
    """The older generation's Jobs and Secrets go; its reservation is free; one usage row."""
    with cluster.operator():
        cluster.submit(spec(url()))
        old = cluster.job_client(cluster.pod("fetch"))
        cluster.submit(spec(url(), url()))
        until("the old Job is gone", lambda: cluster.generations() == ["2"])
        for index in (0, 1):
            fetched(cluster, two_seconds, index)
        cluster.pod("assemble")
    reply = old.wire._http.post("/api/worker/claim", json={"holder": "p"})
    assert reply.json()["code"] == "Ended"
    assert until("one Secret each", lambda: len(cluster.objects("secrets")) == 2)
    found = cluster.resource()["status"]
    assert found["observedGeneration"] == 2
    assert reservations(cluster, found["compilationId"]) == ["released", "open"]


def test_a_clip_that_is_gone_is_named(cluster: Cluster, two_seconds: Path) -> None:
    """Its pod gives up without a word to the API: Degraded, with the pod's last line."""
    with cluster.operator():
        cluster.submit(spec(url(), url()))
        fetched(cluster, two_seconds, 0)
        cluster.end(cluster.pod("fetch", 1), 70, "it is a picture, not a video")
        told = cluster.is_true("Degraded")
        assembled(cluster, two_seconds)
        cluster.is_true("Complete")
    said = "clip-2: FetchFailed (its pod ended with exit 70: it is a picture, not a video)"
    assert told["message"] == said
    assert usage(cluster) == [{"generation": 1, "seconds": 2}]


def test_all_clips_gone_is_a_failure(cluster: Cluster) -> None:
    """Failed, no usage row, and the reservation is free."""
    with cluster.operator():
        cluster.submit(spec(url()))
        cluster.end(cluster.pod("fetch"), 64)
        failed = cluster.is_true("Failed")
    assert failed["reason"] == "TooFewClips"
    assert usage(cluster) == []
    assert reservations(cluster, cluster.resource()["status"]["compilationId"]) == ["released"]


def test_pods_that_are_not_cut_off_end_it(cluster: Cluster) -> None:
    """Exit 66: the compilation fails and says so; no clip is blamed."""
    with cluster.operator():
        cluster.submit(spec(url()))
        cluster.end(cluster.pod("fetch"), 66, "the canary answered")
        failed = cluster.is_true("Failed")
    assert failed["reason"] == "NotIsolated"
    assert "the canary answered" in failed["message"]


def test_over_quota_is_refused_with_numbers(cluster: Cluster) -> None:
    """Accepted is False, no Job and no pod; after an edit that fits, it starts."""
    owner, _ = cluster.api.user(render_limit_seconds=100)
    label = f"clipmill.dev/owner={owner}"
    cluster.plane.kubectl("label", "ns", cluster.namespace, label)
    with cluster.operator():
        cluster.submit(spec(url(), url()))
        refused = until("a word", lambda: cluster.condition("Accepted"))
        assert (refused["status"], refused["reason"]) == ("False", "QuotaExceeded")
        assert all(number in refused["message"] for number in ("120s", "100s"))
        assert cluster.objects("jobs") == []
        cluster.submit(spec(url()))
        cluster.pod("fetch")
    assert cluster.resource()["status"]["owner"] == owner


@pytest.mark.parametrize(
    ("label", "named", "reason"),
    [("ada", "eve", "UnknownOwner"), ("", "eve", "UnknownOwner"), ("nobody", None, "UnknownOwner")],
)
def test_a_resource_is_only_its_own_owners(
    cluster: Cluster, label: str, named: str | None, reason: str
) -> None:
    """A namespace's owner cannot be passed over, nor the default one; nor one that there is not."""
    if label:
        cluster.plane.kubectl("label", "ns", cluster.namespace, f"clipmill.dev/owner={label}")
    with cluster.operator():
        cluster.submit(spec(url(), **({"owner": named} if named else {})))
        refused = until("a word", lambda: cluster.condition("Accepted"))
    assert (refused["status"], refused["reason"]) == ("False", reason)
    assert cluster.objects("jobs") == []


def test_no_more_than_allowed_at_once(cluster: Cluster, two_seconds: Path) -> None:
    """The third waits, says so, and starts when one has ended; also under a new operator."""
    cluster.more = {"CLIPMILL_MAX_ACTIVE": "2"}
    names = ("one", "two", "three")
    media = library_clip(cluster.api.client(cluster.api.settings.default_owner_key), two_seconds)
    with cluster.operator():
        for name in names:
            library = {"clips": [{"mediaId": media.id}], "outputs": [SMALL]}
            cluster.submit(library, name)
            until(f"{name} is seen", lambda name=name: cluster.resource(name).get("status"))
        assert cluster.resource("three")["status"]["reason"] == "Queued"
    with cluster.operator():
        until("a look", lambda: len(cluster.objects("pods")) == 2)
        assembled(cluster, two_seconds, "one")
        cluster.is_true("Complete", "one")
        cluster.pod("assemble", name="three")
    assert len(cluster.objects("jobs")) == 3


def manifest(media: str, name: str = "asked") -> Manifest:
    """What a user sends to the API."""
    return Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": name},
            "spec": {"clips": [{"mediaId": media}], "outputs": [SMALL]},
        }
    )


def test_what_the_api_is_asked_becomes_a_resource(cluster: Cluster, two_seconds: Path) -> None:
    """Made, edited and deleted by the API; one compilation, one reservation, all along."""
    owner, user = cluster.api.user()
    media = library_clip(user, two_seconds).id
    with cluster.operator():
        view = user.create(manifest(media))
        pod = cluster.pod("assemble", name="asked")
        resource = cluster.resource("asked")
        assert resource["spec"]["owner"] == owner
        assert resource["status"]["compilationId"] == view.id
        user.edit(view.id, manifest(media).spec.model_copy(update={"title": "Two"}))
        until("the edit", lambda: cluster.resource("asked")["metadata"]["generation"] == 2)
        until("the old pod is gone", lambda: pod not in cluster.objects("pods"))
        assert cluster.generations("asked") == ["2"]
        user.cancel(view.id)
        until("it is gone", lambda: not cluster.resource("asked"))
        until("its pods are gone", lambda: not cluster.objects("pods"))
    assert cluster.api.operator.submissions() == []
    assert reservations(cluster, view.id) == ["released", "released"]


def test_names_do_not_collide(cluster: Cluster, two_seconds: Path) -> None:
    """Two users' submissions of one name, and a resource that was there before: three resources."""
    with cluster.operator():
        cluster.submit(spec(url()), "asked")
        for _ in range(2):
            _, user = cluster.api.user()
            user.create(manifest(library_clip(user, two_seconds).id))
        until("three", lambda: len(cluster.objects("comp")) == 3)
        assembling = ("-l", "clipmill.dev/stage=assemble")
        until("two assemble", lambda: len(cluster.objects("pods", *assembling)) == 2)
    assert cluster.resource("asked")["spec"]["clips"][0].get("url")


def test_another_owners_namespace_takes_no_submission(cluster: Cluster, two_seconds: Path) -> None:
    """It fails at the API and says why; nothing is made."""
    _, user = cluster.api.user()
    asked = manifest(library_clip(user, two_seconds).id)
    elsewhere = asked.metadata.model_copy(update={"namespace": "kube-system"})
    asked = asked.model_copy(update={"metadata": elsewhere})
    with cluster.operator():
        view = user.create(asked)
        until("an end", lambda: user.compilation(view.id).reason == "NamespaceNotAllowed")
    assert cluster.plane.kubectl("get", "comp", "-n", "kube-system", "-o", "name") == ""


def test_a_policy_that_was_deleted_comes_back(cluster: Cluster) -> None:
    """Pods are never without."""
    with cluster.operator():
        cluster.submit(spec(url()))
        cluster.pod("fetch")
        cluster.plane.kubectl("delete", "netpol", "clipmill-jobs-deny", "-n", cluster.namespace)
        until("it is back", lambda: len(cluster.objects("netpol")) == 3)


def test_what_the_cluster_refuses_is_said(cluster: Cluster) -> None:
    """A quota of no Jobs: the status has the API server's own words; without it, it goes on."""
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
        cluster.submit(spec(url()))

        def said() -> str:
            status = cluster.resource().get("status", {})
            return str(status.get("message", "")) if status.get("reason") == "NotApplied" else ""

        assert "quota" in until("a word", said)
        cluster.plane.kubectl("delete", "resourcequota", "none", "-n", cluster.namespace)
        cluster.pod("fetch")
        until("the word is gone", lambda: cluster.resource()["status"]["reason"] == "Fetching")


def test_a_resource_on_its_way_out_gets_no_more_jobs(cluster: Cluster) -> None:
    """Deleted in the foreground: children first, and none is made again."""
    with cluster.operator():
        cluster.submit(spec(url()))
        cluster.pod("fetch")
        words = ("delete", "comp", "demo", "-n", cluster.namespace)
        cluster.plane.kubectl(*words, "--cascade=foreground", "--timeout=20s")
        assert cluster.objects("jobs") == []


def test_an_api_that_is_away_in_each_stage(cluster: Cluster, two_seconds: Path) -> None:
    """At the start, during the fetch and the assembly, and at a deletion: it ends as without."""
    proxy = ApiProxy(cluster.api.url)
    cluster.more = {"CLIPMILL_API_URL": proxy.url, "CLIPMILL_JOB_API_URL": cluster.api.url}
    with cluster.operator():
        until("it runs", cluster.serves)
        proxy.close()
        cluster.submit(spec(url()))
        until("it tries", lambda: "look failed" in cluster.log())
        assert cluster.objects("jobs") == []
        proxy.open()
        pod = cluster.pod("fetch")
        fetched_by = cluster.job_client(pod)
        proxy.close()
        fetch(fetched_by, 0, two_seconds)
        cluster.end(pod, 0)
        proxy.open()
        pod = cluster.pod("assemble")
        assembled_by = cluster.job_client(pod)
        proxy.close()
        assemble(assembled_by, two_seconds)
        cluster.end(pod, 0)
        proxy.open()
        cluster.is_true("Complete")
        assert usage(cluster) == [{"generation": 1, "seconds": 2}]
        cluster.submit(spec(url()), "other")
        cluster.pod("fetch", name="other")
        found = cluster.resource("other")["status"]["compilationId"]
        proxy.close()
        cluster.plane.kubectl("delete", "comp", "other", "-n", cluster.namespace)
        proxy.open()
        until("released", lambda: reservations(cluster, found) == ["released"])
    proxy.close()
    assert len(cluster.jobs()) == 2


def test_an_edit_of_what_was_deleted_makes_it_again(cluster: Cluster, two_seconds: Path) -> None:
    """By the API, after `kubectl delete`: another resource, the same compilation."""
    _, user = cluster.api.user()
    asked = manifest(library_clip(user, two_seconds).id)
    with cluster.operator():
        view = user.create(asked)
        cluster.pod("assemble", name="asked")
        cluster.plane.kubectl("delete", "comp", "asked", "-n", cluster.namespace)
        until("the API knows", lambda: user.compilation(view.id).state == "Cancelled")
        user.edit(view.id, asked.spec.model_copy(update={"title": "again"}))
        until("it is back", lambda: cluster.resource("asked").get("status"))
        until("its Job is of the edit", lambda: cluster.generations("asked") == ["2"])
        assembled(cluster, two_seconds, "asked")
        cluster.is_true("Complete", "asked")
    assert cluster.resource("asked")["status"]["compilationId"] == view.id


def test_it_leaves_when_told(cluster: Cluster) -> None:
    """SIGTERM ends it well and within the grace that the chart gives it."""
    with cluster.operator() as process:
        until("it runs", cluster.serves)
        cluster.submit(spec(url()))
        cluster.pod("fetch")
        process.terminate()
        assert process.wait(25) == 0
