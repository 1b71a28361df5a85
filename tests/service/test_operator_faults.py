"""kill -9 of the operator at each step, two operators at once, and watch connections that are cut.

Cluster and database are asked afterwards: one Job and one Secret per stage, one usage row, no open
reservation.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

import pytest
import yaml

from clipmill.fault_points import OPERATOR_STEPS
from controlplane import ControlPlane, free_ports
from harness import library_clip
from operating import WAIT_S, ApiProxy, Cluster, until
from operator_runs import (
    library_manifest,
    play_assemble,
    play_fetch,
    reservations,
    url_spec,
    usage,
)
from operator_steps import faulty, misses_its_secret, restarted
from pods import url

# A step of submissions, which the others do without.
SUBMITTED = "submission.created"
# A step of the replacement of a Secret that the pods wait for.
REPLACED = "secret.deleted"
STEPS = [
    step
    for step in OPERATOR_STEPS
    if step not in (SUBMITTED, REPLACED) and not step.startswith("show")
]


def assert_right_end(cluster: Cluster, stages: list[str], name: str = "demo") -> None:
    """Check that nothing was done twice, and that nothing is left open."""
    jobs = cluster.jobs(name=name)
    made = sorted(job["metadata"]["labels"]["clipmill.dev/stage"] for job in jobs)
    assert made == sorted(stages)
    secrets = {secret["metadata"]["name"]: secret for secret in cluster.objects("secrets")}
    for job in jobs:
        owner = secrets[job["metadata"]["name"]]["metadata"]["ownerReferences"][0]
        assert owner["uid"] == job["metadata"]["uid"]
    assert len(cluster.objects("netpol")) == 3
    assert usage(cluster, name) == [{"generation": 1, "seconds": 2}]
    compilation_id = cluster.resource(name)["status"]["compilationId"]
    assert reservations(cluster, compilation_id) == ["settled"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_after_a_step(cluster: Cluster, two_seconds: Path, step: str) -> None:
    """The next operator goes on; the key in the Secret is valid."""
    cluster.submit(url_spec(url()))
    with restarted(faulty(cluster, step)) as ended:
        play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
        assert ended == [-SIGKILL]
    assert_right_end(cluster, ["fetch", "assemble"])


@pytest.mark.parametrize(("stage", "nth"), [("fetch", 1), ("assemble", 2)])
def test_killed_between_a_job_and_its_secret(
    cluster: Cluster, two_seconds: Path, stage: str, nth: int
) -> None:
    """No operator runs when the kubelet finds no Secret; the next one creates it at its start."""
    cluster.submit(url_spec(url()))
    with faulty(cluster, "job.created", nth).operator() as operator:
        if stage == "assemble":
            play_fetch(cluster, two_seconds)
        assert operator.wait(WAIT_S) == -SIGKILL
    pod = cluster.pod(stage)
    name = cluster.jobs(stage)[0]["metadata"]["name"]
    assert name not in [secret["metadata"]["name"] for secret in cluster.objects("secrets")]
    misses_its_secret(cluster, pod)
    with cluster.operator():
        if stage == "fetch":
            play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    assert_right_end(cluster, ["fetch", "assemble"])


def test_killed_after_a_submission_became_a_resource(cluster: Cluster, two_seconds: Path) -> None:
    """There is one resource, and the submission belongs to it."""
    _, user = cluster.api.user()
    view = user.create(library_manifest(library_clip(user, two_seconds).id))
    with restarted(faulty(cluster, SUBMITTED)) as ended:
        play_assemble(cluster, two_seconds, "submitted")
        cluster.is_true("Complete", "submitted")
        assert ended == [-SIGKILL]
    assert [r["metadata"]["name"] for r in cluster.objects("comp")] == ["submitted"]
    assert cluster.resource("submitted")["status"]["compilationId"] == view.id
    assert_right_end(cluster, ["assemble"], "submitted")


def test_two_operators_at_once(cluster: Cluster, two_seconds: Path) -> None:
    """Names follow from uid, generation and stage: the second finds what the first has created."""
    other = replace(cluster, ports=free_ports(2))
    with cluster.operator() as first, other.operator() as second:
        until("both serve", lambda: cluster.serves() and other.serves())
        for name in ("demo", "more", "third"):
            cluster.submit(url_spec(url()), name)
        for name in ("demo", "more", "third"):
            pod = cluster.pod("fetch", name=name)
            job = cluster.job_client(pod)
            assert job.claim(0, "pod-of-the-test").fetch is not None
        assert first.poll() is None
        assert second.poll() is None
    assert len(cluster.objects("jobs")) == len(cluster.objects("secrets")) == 3


def test_two_operators_reach_the_end(cluster: Cluster, two_seconds: Path) -> None:
    """One usage row, one Job per stage."""
    other = replace(cluster, ports=free_ports(2))
    with cluster.operator(), other.operator():
        cluster.submit(url_spec(url()))
        play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    assert_right_end(cluster, ["fetch", "assemble"])


def _through(plane: ControlPlane, proxy: ApiProxy, folder: Path) -> str:
    """Return the path of the operator's kubeconfig with the address of a proxy."""
    config = yaml.safe_load(plane.operator_kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = proxy.url.replace("http:", "https:")
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return str(path)


def test_watch_connections_are_cut(cluster: Cluster, two_seconds: Path) -> None:
    """At each stage, all connections to the Kubernetes API server at once; nothing is missed."""
    proxy = ApiProxy(cluster.plane.url)
    path = _through(cluster.plane, proxy, cluster.folder)
    behind = replace(cluster, more={**cluster.more, "KUBECONFIG": path})

    def cut(seconds: float) -> None:
        proxy.close()
        time.sleep(seconds)
        proxy.open()

    with behind.operator() as process:
        until("it serves", behind.serves)
        cut(0.5)
        cluster.submit(url_spec(url()))
        cluster.pod("fetch")
        cut(3.0)
        play_fetch(cluster, two_seconds)
        cut(0.5)
        play_assemble(cluster, two_seconds)
        cut(3.0)
        cluster.is_true("Complete")
        assert process.poll() is None
        until("it is healthy", behind.serves)
    proxy.close()
    assert_right_end(cluster, ["fetch", "assemble"])


def test_killed_while_it_replaces_a_secret(cluster: Cluster, two_seconds: Path) -> None:
    """The Secret was deleted, and the next one not created yet."""
    cluster.submit(url_spec(url()))
    with cluster.operator():
        pod = cluster.pod("fetch")
        first = cluster.secret_of(pod)
    misses_its_secret(cluster, pod)
    with restarted(faulty(cluster, REPLACED)) as ended:
        until("it is killed", lambda: ended == [-SIGKILL])
        until("another key", lambda: cluster.secret_of(pod) != first)
        cluster.status(pod, "Running", {"running": {}})
        play_fetch(cluster, two_seconds)
        play_assemble(cluster, two_seconds)
        cluster.is_true("Complete")
    assert_right_end(cluster, ["fetch", "assemble"])
