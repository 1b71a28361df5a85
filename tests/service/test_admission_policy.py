"""The chart's ValidatingAdmissionPolicies, on a real API server."""

from __future__ import annotations

import copy
import uuid
from typing import Any

import pytest
import yaml

from chart_objects import OPTIONS, named, of_kind, run_helm, set_options
from clipmill_operator.settings import PodSettings
from controlplane import ControlPlane
from generate import CHART
from hostile_objects import HOSTILE, alien_secret, disguised_secret, hostile, own_objects, settings

OPERATOR = "system:serviceaccount:clipmill:clipmill-operator"
AS_OPERATOR = (f"--as={OPERATOR}", "--as-group=system:masters")
IMAGE = "clipmill-job:0.1.0"
POLICIES = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
DRY = "--dry-run=server"
OBJECTS = own_objects("guarded", settings(IMAGE))


@pytest.fixture(scope="module")
def guarded(plane: ControlPlane) -> ControlPlane:
    """A control plane with the policies in force."""
    namespaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        for name in ("guarded", "clipmill")
    ]
    plane.apply(*namespaces, *of_kind("bundled", *POLICIES))
    plane.apply(alien_secret("guarded"), disguised_secret("guarded"))
    probe = {**OBJECTS["clipmill-jobs-deny"], "metadata": {"name": "x", "namespace": "guarded"}}
    for _ in range(200):
        if "is one of" in created(plane, probe):
            return plane
    raise AssertionError("the policies are not in force")


def created(plane: ControlPlane, item: dict[str, Any], *who: str) -> str:
    """Return what the API server says about an object that the operator creates."""
    words = ("create", DRY, "-f", "-", *(who or AS_OPERATOR))
    return plane.kubectl(*words, given=yaml.safe_dump(item), check=False)


@pytest.mark.parametrize("name", OBJECTS)
def test_own_objects_are_accepted(guarded: ControlPlane, name: str) -> None:
    """Jobs, Secrets and NetworkPolicies as the operator builds them."""
    assert "created (server dry run)" in created(guarded, OBJECTS[name])


@pytest.mark.parametrize("name", HOSTILE)
def test_other_objects_are_refused(guarded: ControlPlane, name: str) -> None:
    """By the policy, with the rule in the message; somebody else is not restricted."""
    item, message = hostile(name, OBJECTS)
    output = created(guarded, item)
    assert "ValidatingAdmissionPolicy" in output
    assert "denied request" in output
    assert message in output
    assert "ValidatingAdmissionPolicy" not in created(guarded, item, "--as=admin")


@pytest.mark.parametrize("name", ["database", "friday-0123ab-g1-render"])
def test_secrets_of_others_are_not_deleted(guarded: ControlPlane, name: str) -> None:
    """The name alone does not suffice: the label decides."""
    words = ("delete", "secret", name, "-n", "guarded", DRY, "--wait=false", *AS_OPERATOR)
    assert "denied request" in guarded.kubectl(*words, check=False)


def test_own_objects_are_deleted(guarded: ControlPlane) -> None:
    """Jobs and Secrets with the operator's labels."""
    unique = f"own-{uuid.uuid4().hex[:6]}"
    guarded.kubectl("create", "namespace", unique)
    for name, item in own_objects(unique, settings(IMAGE)).items():
        if not name.startswith("render "):
            continue
        # The garbage collector deletes what belongs to a Compilation that does not exist.
        metadata = {**item["metadata"], "ownerReferences": []}
        guarded.apply({**item, "metadata": metadata})
        place = (item["kind"], item["metadata"]["name"], "-n", unique)
        words = ("delete", *place, DRY, "--wait=false", *AS_OPERATOR)
        assert "deleted" in guarded.kubectl(*words)


def test_generated_secrets_are_created_and_never_deleted(guarded: ControlPlane) -> None:
    """Those of the chart, in the namespace of the release only."""
    label = {"app.kubernetes.io/part-of": "clipmill"}
    for name in ("clipmill-keys", "clipmill-database", "clipmill-credentials"):
        metadata = {"name": name, "namespace": "clipmill", "labels": label}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {}}
        assert "created" in created(guarded, secret)
        elsewhere = {**secret, "metadata": {**metadata, "namespace": "guarded"}}
        assert "denied request" in created(guarded, elsewhere)
        guarded.apply(secret)
        words = ("delete", "secret", name, "-n", "clipmill", DRY, "--wait=false", *AS_OPERATOR)
        assert "denied request" in guarded.kubectl(*words, check=False)


def test_the_api_server_finds_no_type_error(guarded: ControlPlane) -> None:
    """It type-checks the expressions, and writes warnings to the status."""
    listed = yaml.safe_load(guarded.kubectl("get", "validatingadmissionpolicies", "-o", "yaml"))[
        "items"
    ]
    assert len(listed) == 4
    warnings = [o.get("status", {}).get("typeChecking", {}) for o in listed]
    assert [w for w in warnings if w.get("expressionWarnings")] == []


def test_labels_and_scheduler_of_the_settings(guarded: ControlPlane) -> None:
    """With Kueue a Job may have a queue and a priority class, and no other label of it."""
    words = ("template", "clipmill", str(CHART), "-n", "queued", "--kube-version", "1.34.0")
    shown = ("--show-only", "templates/admission.yaml", *set_options(OPTIONS["queued"]))
    guarded.kubectl("create", "namespace", "queued")
    guarded.apply(*yaml.safe_load_all(run_helm(*words, *shown).stdout))
    who = ("--as=system:serviceaccount:queued:clipmill-operator", "--as-group=system:masters")
    pods = PodSettings(scheduler_name="bin-packing")
    configured = settings(IMAGE, "queued").model_copy(update={"pods": pods})
    job = own_objects("queued", configured)["render Job"]
    labels = job["metadata"]["labels"]
    labels |= {"kueue.x-k8s.io/queue-name": "team", "kueue.x-k8s.io/priority-class": "high"}
    job["spec"]["suspend"] = True
    alien = copy.deepcopy(job)
    alien["metadata"]["labels"]["kueue.x-k8s.io/prebuilt-workload-name"] = "mine"
    elsewhere = copy.deepcopy(job)
    elsewhere["spec"]["template"]["spec"]["schedulerName"] = "mine"
    for refused in (alien, elsewhere):
        for _ in range(200):
            if "denied request" in created(guarded, refused, *who):
                break
        assert "denied request" in created(guarded, refused, *who)
    assert "created (server dry run)" in created(guarded, job, *who)


def test_values_of_job_pods_reach_the_policy() -> None:
    """Images, labels and placement that the settings name are allowed, and no others."""
    jobs = named("placed", POLICIES[0], "clipmill-cm-operator-jobs")
    rules = {rule["message"]: rule["expression"] for rule in jobs["spec"]["validations"]}
    image = "registry.example.com:5000/clipmill/clipmill-job:v9"
    assert f'in ["{image}"]' in next(text for text in rules.values() if "container.image" in text)
    assert jobs["spec"]["matchConditions"][0]["expression"] == (
        'request.userInfo.username == "system:serviceaccount:clipmill:cm-operator"'
    )


def test_policies_can_be_switched_off() -> None:
    """The objects are absent; an API server without them, before 1.30, is refused as a whole."""
    assert of_kind("open", *POLICIES) == []
    old = run_helm("template", "clipmill", str(CHART), "--kube-version", "1.29.0")
    assert old.returncode != 0
    assert "requires kubeVersion: >=1.30" in old.stderr
