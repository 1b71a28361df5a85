"""Submissions of the API: the operator creates, edits and deletes their resources."""

from __future__ import annotations

from pathlib import Path

from harness import library_clip
from operating import Cluster, until
from operator_runs import library_manifest, play_assemble, reservations, url_spec
from pods import url


def test_a_submission_becomes_a_resource(cluster: Cluster, two_seconds: Path) -> None:
    """Created, edited and deleted through the API: one compilation with its reservations."""
    owner, user = cluster.api.user()
    manifest = library_manifest(library_clip(user, two_seconds).id)
    with cluster.operator():
        view = user.create(manifest)
        pod = cluster.pod("assemble", name="submitted")
        resource = cluster.resource("submitted")
        assert resource["spec"]["owner"] == owner
        assert resource["status"]["compilationId"] == view.id
        user.edit(view.id, manifest.spec.model_copy(update={"title": "Two"}))
        until("the edit", lambda: cluster.resource("submitted")["metadata"]["generation"] == 2)
        until("the old pod is deleted", lambda: pod not in cluster.objects("pods"))
        assert cluster.generations("submitted") == ["2"]
        user.cancel(view.id)
        until("the resource is deleted", lambda: not cluster.resource("submitted"))
        until("its pods are deleted", lambda: not cluster.objects("pods"))
    assert cluster.api.operator.submissions() == []
    assert reservations(cluster, view.id) == ["released", "released"]


def test_a_name_in_use(cluster: Cluster, two_seconds: Path) -> None:
    """Two users' submissions with the name of an existing resource become two more resources."""
    with cluster.operator():
        cluster.submit(url_spec(url()), "submitted")
        for _ in range(2):
            _, user = cluster.api.user()
            user.create(library_manifest(library_clip(user, two_seconds).id))
        until("three resources", lambda: len(cluster.objects("comp")) == 3)
        selector = ("-l", "clipmill.dev/stage=assemble")
        until("two assemble pods", lambda: len(cluster.objects("pods", *selector)) == 2)
    assert cluster.resource("submitted")["spec"]["clips"][0].get("url")


def test_a_namespace_of_another_owner(cluster: Cluster, two_seconds: Path) -> None:
    """The submission fails, and no resource is created."""
    _, user = cluster.api.user()
    manifest = library_manifest(library_clip(user, two_seconds).id)
    metadata = manifest.metadata.model_copy(update={"namespace": "kube-system"})
    with cluster.operator():
        view = user.create(manifest.model_copy(update={"metadata": metadata}))
        until("refused", lambda: user.compilation(view.id).reason == "NamespaceNotAllowed")
    assert cluster.plane.kubectl("get", "comp", "-n", "kube-system", "-o", "name") == ""


def test_an_edit_after_the_resource_was_deleted(cluster: Cluster, two_seconds: Path) -> None:
    """Creates another resource of the same compilation."""
    _, user = cluster.api.user()
    manifest = library_manifest(library_clip(user, two_seconds).id)
    with cluster.operator():
        view = user.create(manifest)
        cluster.pod("assemble", name="submitted")
        cluster.plane.kubectl("delete", "comp", "submitted", "-n", cluster.namespace)
        until("cancelled", lambda: user.compilation(view.id).state == "Cancelled")
        user.edit(view.id, manifest.spec.model_copy(update={"title": "again"}))
        until("a new resource", lambda: cluster.resource("submitted").get("status"))
        until("a Job of the edit", lambda: cluster.generations("submitted") == ["2"])
        play_assemble(cluster, two_seconds, "submitted")
        cluster.is_true("Complete", "submitted")
    assert cluster.resource("submitted")["status"]["compilationId"] == view.id


def test_a_copy_of_a_deleted_resource_is_refused(cluster: Cluster, two_seconds: Path) -> None:
    """Id, proof and spec of a submission's resource bind nothing after its deletion."""
    _, user = cluster.api.user()
    with cluster.operator():
        view = user.create(library_manifest(library_clip(user, two_seconds).id))
        cluster.pod("assemble", name="submitted")
        original = cluster.resource("submitted")
        metadata = {key: original["metadata"][key] for key in ("name", "namespace", "annotations")}
        cluster.plane.kubectl("delete", "comp", "submitted", "-n", cluster.namespace)
        until("cancelled", lambda: user.compilation(view.id).state == "Cancelled")
        cluster.plane.apply(
            {**{k: original[k] for k in ("apiVersion", "kind", "spec")}, "metadata": metadata}
        )
        until("refused", lambda: cluster.resource("submitted").get("status", {}).get("phase"))
        accepted = cluster.condition("Accepted", "submitted")
        assert (accepted["status"], accepted["reason"]) == ("False", "UnknownSubmission")
        until("its pods are deleted", lambda: not cluster.objects("pods"))
    assert reservations(cluster, view.id) == ["released"]
    assert user.account().render_reserved_seconds == 0
