"""A stolen token of the operator's service account: what the API server lets its holder do."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import names
from cluster.kubectl import Object, apply, kubectl, until
from cluster.release import HERE, VIDEOS
from hostile_objects import HOSTILE, alien_secret, disguised_secret, hostile, own_objects, settings

# Without a cluster these tests are collected too, and skipped.
IMAGE = names.image("job") if "CLIPMILL_IMAGE_TAG" in os.environ else "clipmill-job:1"
OBJECTS = own_objects(VIDEOS, settings(IMAGE, HERE, HERE))
DRY = "--dry-run=server"
DISGUISED = "friday-0123ab-g1-render"


@pytest.fixture(scope="module")
def thief(installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of somebody who has the token and nothing else."""
    config = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    token = kubectl("create", "token", f"{HERE}-operator", "-n", HERE).strip()
    config["users"][0]["user"] = {"token": token}
    path = tmp_path_factory.mktemp("thief") / "kubeconfig"
    path.write_text(json.dumps(config))
    apply(alien_secret(VIDEOS), disguised_secret(VIDEOS))
    yield path
    kubectl("delete", "secret", "-n", VIDEOS, "database", DISGUISED, "--ignore-not-found")


def tries(thief: Path, *words: str, text: str = "") -> str:
    """Return what kubectl prints with the stolen token."""
    command = ("kubectl", "--kubeconfig", str(thief), *words)
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def created(thief: Path, item: Object) -> str:
    """Return what the API server says about an object."""
    return tries(thief, "create", "--validate=false", DRY, "-f", "-", text=json.dumps(item))


@pytest.mark.parametrize("name", OBJECTS)
def test_the_operators_own_objects_are_accepted(thief: Path, name: str) -> None:
    """The shape that the operator makes."""
    output = created(thief, OBJECTS[name])
    assert "created (server dry run)" in output or "already exists" in output


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_objects_are_refused(thief: Path, name: str) -> None:
    """By the policy's message."""
    item, message = hostile(name, OBJECTS)
    output = created(thief, item)
    assert "denied request" in output
    assert message in output


@pytest.mark.parametrize("name", ["database", DISGUISED])
def test_secrets_of_others_stay(thief: Path, name: str) -> None:
    """They cannot be deleted, and not be read."""
    output = tries(thief, "delete", "secret", name, "-n", VIDEOS, "--wait=false")
    assert "denied request" in output
    assert "cannot get resource" in tries(thief, "get", "secret", name, "-n", VIDEOS)
    assert kubectl("get", "secret", name, "-n", VIDEOS, "-o", "name").strip() == f"secret/{name}"


def test_the_keys_of_the_release_stay(thief: Path) -> None:
    """The operator may create this Secret once, and not delete it."""
    output = tries(thief, "delete", "secret", f"{HERE}-keys", "-n", HERE, "--wait=false")
    assert "denied request" in output


@pytest.mark.parametrize(
    ("verb", "thing"),
    [
        ("create", "pods"),
        ("create", "pods/exec"),
        ("list", "secrets"),
        ("update", "jobs.batch"),
        ("patch", "secrets"),
        ("delete", "networkpolicies.networking.k8s.io"),
        ("create", "serviceaccounts/token"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("create", "deployments.apps"),
    ],
)
def test_other_ways_have_no_right(thief: Path, verb: str, thing: str) -> None:
    """What no rule of RBAC allows needs no policy."""
    assert tries(thief, "auth", "can-i", verb, thing, "-n", VIDEOS).split()[-1] == "no"


def test_the_policies_have_no_warning(thief: Path) -> None:
    """The API server type-checks the expressions."""

    def checked() -> list[Object]:
        listed = json.loads(kubectl("get", "validatingadmissionpolicies", "-o", "json"))["items"]
        mine = [o for o in listed if o["metadata"]["name"].startswith(f"{HERE}-{HERE}-operator")]
        return mine if all("typeChecking" in o.get("status", {}) for o in mine) else []

    policies = until("types are checked", checked)
    assert len(policies) == 4
    for policy in policies:
        assert policy["status"]["typeChecking"].get("expressionWarnings", []) == []
