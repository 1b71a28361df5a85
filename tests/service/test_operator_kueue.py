"""The operator with Jobs in a queue of Kueue; the test plays Kueue.

`tests/cluster/test_kueue.py` runs the real one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import Stage
from clipmill_api.queries import quota_ledger
from harness import SMALL, Harness, library_clip
from operating import Cluster, Object, until
from operator_runs import play_assemble, play_fetch, url_spec, usage
from pods import assemble, url
from rights import RBAC

QUEUE = {"kueue.x-k8s.io/queue-name": "team", "kueue.x-k8s.io/priority-class": "high"}
JOB_UID = "kueue.x-k8s.io/job-uid"
VERSION = "kueue.x-k8s.io/v1beta2"
# Of the CRD of Kueue, what a Workload needs here.
WORKLOADS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "workloads.kueue.x-k8s.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, for tests"},
    },
    "spec": {
        "group": "kueue.x-k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "Workload", "plural": "workloads", "singular": "workload"},
        "versions": [
            {
                "name": "v1beta2",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "x-kubernetes-preserve-unknown-fields": True,
                    }
                },
            }
        ],
    },
}
PENDING = {
    "type": "QuotaReserved",
    "status": "False",
    "reason": "Pending",
    "message": "insufficient unused quota for cpu",
}
PREEMPTED = {
    "type": "Evicted",
    "status": "True",
    "reason": "Preempted",
    "message": "Preempted to accommodate a workload",
}


@pytest.fixture
def queued(cluster: Cluster) -> Iterator[Cluster]:
    """A namespace whose operator uses Kueue and has one slot."""
    plane = cluster.plane
    plane.apply(WORKLOADS)
    plane.kubectl("wait", "--for=condition=Established", "crd/workloads.kueue.x-k8s.io")
    role = {"name": "workloads", "namespace": cluster.namespace}
    rule = {"apiGroups": ["kueue.x-k8s.io"], "resources": ["workloads"], "verbs": ["list"]}
    ref = {"kind": "Role", "name": "workloads", "apiGroup": RBAC}
    subject = {"kind": "User", "name": "clipmill-operator", "apiGroup": RBAC}
    version = f"{RBAC}/v1"
    binding = {"metadata": role, "roleRef": ref, "subjects": [subject]}
    plane.apply(
        {"apiVersion": version, "kind": "Role", "metadata": role, "rules": [rule]},
        {"apiVersion": version, "kind": "RoleBinding", **binding},
    )
    cluster.more = {
        "CLIPMILL_KUEUE": "true",
        "CLIPMILL_KUEUE_QUEUE": "team",
        "CLIPMILL_KUEUE_PRIORITY_CLASS": "high",
        "CLIPMILL_MAX_ACTIVE": "1",
    }
    yield cluster
    plane.kubectl("delete", "crd", "workloads.kueue.x-k8s.io")


def suspend(cluster: Cluster, stage: str, *, is_suspended: bool) -> Object:
    """Suspend or resume the Job of a stage, as Kueue does, and return it."""
    job = until(f"a {stage} Job", lambda: cluster.jobs(stage))[0]
    patch = json.dumps({"spec": {"suspend": is_suspended}})
    words = ("patch", "job", job["metadata"]["name"], "-n", cluster.namespace)
    cluster.plane.kubectl(*words, "--type=merge", "-p", patch)
    return job


def explain(cluster: Cluster, job: Object, *conditions: dict[str, str]) -> None:
    """Write the Workload of a Job with these conditions."""
    metadata = {
        "name": f"job-{job['metadata']['name']}",
        "namespace": cluster.namespace,
        "labels": {JOB_UID: job["metadata"]["uid"]},
    }
    status = {"conditions": list(conditions)}
    cluster.plane.apply(
        {"apiVersion": VERSION, "kind": "Workload", "metadata": metadata, "status": status}
    )


def waits(cluster: Cluster, reason: str) -> Object:
    """Wait until the Compilation is queued for this reason, and return its status."""

    def status() -> Object:
        current: Object = cluster.resource().get("status", {})
        is_queued = current.get("phase") == "Queued" and current.get("reason") == reason
        return current if is_queued else {}

    return until(f"Queued with {reason}", status)


def test_admission_preemption_and_resumption(queued: Cluster, two_seconds: Path) -> None:
    """Kueue's reasons are in the status, no slot is held, and nothing is lost or counted."""
    queued.submit(url_spec(url()))
    with queued.operator():
        status = waits(queued, "JobSuspended")
        assert status["queue"] == {"name": "team"}
        (job,) = queued.jobs("fetch")
        assert QUEUE.items() <= job["metadata"]["labels"].items()
        assert not QUEUE.keys() & job["spec"]["template"]["metadata"]["labels"].keys()
        assert queued.pods("fetch") == []
        explain(queued, job, PENDING)
        assert PENDING["message"] in waits(queued, "Pending")["message"]
        until("no slot", lambda: queued.metric("clipmill_operator_running") == 0)
        suspend(queued, "fetch", is_suspended=False)
        pod = queued.pod("fetch")
        until("Fetching", lambda: queued.resource()["status"]["phase"] == "Fetching")
        queued.status(pod, "Running", {"running": {}})
        suspend(queued, "fetch", is_suspended=True)
        explain(queued, job, PENDING, PREEMPTED)
        assert PREEMPTED["message"] in waits(queued, "Preempted")["message"]
        queued.plane.kubectl(
            *("delete", "pod", pod["metadata"]["name"], "-n", queued.namespace),
            *("--force", "--grace-period=0", "--ignore-not-found"),
        )
        # Another Compilation gets the one slot.
        queued.submit(url_spec(url()), "another")
        until("its Job", lambda: queued.jobs("fetch", "another"))
        suspend(queued, "fetch", is_suspended=False)
        play_fetch(queued, two_seconds)
        suspend(queued, "assemble", is_suspended=False)
        play_assemble(queued, two_seconds)
        queued.is_true("Complete")
        assert queued.condition("Queued") == {}
    assert usage(queued) == [{"generation": 1, "seconds": 2}]
    for job in queued.jobs():
        assert job["status"].get("failed", 0) == 0
        assert job["status"].get("failedIndexes", "") == ""


def test_without_kueue_labels_are_ignored(cluster: Cluster) -> None:
    """The Job starts at once, with no label of Kueue and without a request to it."""
    with cluster.operator():
        resource: dict[str, Any] = {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "demo", "namespace": cluster.namespace, "labels": QUEUE},
            "spec": url_spec(url()),
        }
        cluster.plane.apply(resource)
        cluster.pod("fetch")
        (job,) = cluster.jobs("fetch")
    assert not QUEUE.keys() & job["metadata"]["labels"].keys()
    assert not job["spec"].get("suspend")


def test_usage_of_owners(api: Harness, two_seconds: Path) -> None:
    """The API adds up what was charged in the last 24 hours, by owner."""
    name, user = api.user()
    clip = {"mediaId": library_clip(user, two_seconds).id}
    for _ in range(2):
        uid, _ = api.register(name, {"clips": [clip], "outputs": [SMALL]})
        assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    assert api.operator.recent_usage([name, "nobody"]) == {name: 4, "nobody": 0}
    with api.ctx.db.read() as session:
        assert quota_ledger.usage_since(session, [name], api.ctx.later(60)) == {}
