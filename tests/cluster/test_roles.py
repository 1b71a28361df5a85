"""What the cluster's own roles may do with Compilations and Shows: `docs/roles.md`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from cluster.kubectl import apply, kubectl, until
from cluster.release import VIDEOS

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete", "deletecollection")
RESOURCES = ("compilations.clipmill.dev", "shows.clipmill.dev")
ROLES = {"view": READ, "edit": READ + WRITE, "admin": READ + WRITE, "nothing": ()}
CASES = list(itertools.product(ROLES, READ + WRITE, RESOURCES))


def _can_i(role: str, verb: str, resource: str, namespace: str = VIDEOS, *more: str) -> bool:
    """Ask the API server, for a user that is bound to this role in the namespace of videos."""
    words = ("auth", "can-i", verb, resource, "-n", namespace, "--as", f"{role}-user", *more)
    return kubectl(*words, check=False).strip() == "yes"


@pytest.fixture(scope="module")
def users(installed: None) -> Iterator[None]:
    """One user for each role."""
    names = [role for role in ROLES if role != "nothing"]
    for role in names:
        apply(
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "RoleBinding",
                "metadata": {"name": f"test-{role}", "namespace": VIDEOS},
                "roleRef": {
                    "apiGroup": "rbac.authorization.k8s.io",
                    "kind": "ClusterRole",
                    "name": role,
                },
                "subjects": [
                    {
                        "apiGroup": "rbac.authorization.k8s.io",
                        "kind": "User",
                        "name": f"{role}-user",
                    }
                ],
            }
        )
    # The controller that adds rules to the cluster's roles works beside the installation.
    until("aggregation", lambda: _can_i("edit", "create", RESOURCES[0]))
    yield
    for role in names:
        kubectl("delete", "rolebinding", f"test-{role}", "-n", VIDEOS)


@pytest.mark.parametrize(("role", "verb", "resource"), CASES)
def test_a_role_may_what_the_page_says(users: None, role: str, verb: str, resource: str) -> None:
    """In the namespace of its binding, and in no other."""
    assert _can_i(role, verb, resource) == (verb in ROLES[role])
    assert not _can_i(role, verb, resource, "default")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("resource", RESOURCES)
def test_nobody_writes_a_status(users: None, role: str, resource: str) -> None:
    """But the operator."""
    assert not _can_i(role, "patch", resource, VIDEOS, "--subresource", "status")


@pytest.mark.parametrize(("role", "allowed"), [("view", False), ("edit", True), ("admin", True)])
def test_who_reads_secrets_reads_job_keys(users: None, role: str, allowed: bool) -> None:
    """Which is Kubernetes' rule, and why the page names it."""
    assert _can_i(role, "get", "secrets") == allowed
