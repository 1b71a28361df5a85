"""`helm test` of a release without a database on the network: the isolation is proven too."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from chart_objects import set_options
from cluster import names
from cluster.kubectl import apply, find, kubectl, namespace
from generate import CHART

HERE, RELEASE = "chart-sqlite", "lite"
OPEN = (f"{RELEASE}-test-target.{HERE}.svc:8080", "kubernetes.default.svc:443")


def helm(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run helm in the namespace."""
    command = ("helm", *argv, "-n", HERE)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


@pytest.fixture
def lite() -> Iterator[None]:
    """The chart with its default database, in one watched namespace."""
    apply(namespace(HERE))
    brings = find("crd", "", "compilations.clipmill.dev") is None
    settings = (
        f"crds.install={str(brings).lower()}",
        "crds.keep=false",
        "api.storage.size=1Gi",
        f"watchNamespaces={{{HERE}}}",
        f"image.registry={names.prefix()}",
    )
    tag = ("--set-string", f"image.tag={names.tag()}")
    chart = ("install", RELEASE, str(CHART), "--wait", "--timeout=6m")
    try:
        done = helm(*chart, *set_options(settings), *tag)
        assert done.returncode == 0, done.stderr + kubectl("get", "pods", "-n", HERE)
        yield
    finally:
        helm("uninstall", RELEASE, "--ignore-not-found")
        kubectl("delete", "namespace", HERE)


def test_helm_test_proves_the_isolation_without_a_database(lite: None) -> None:
    """Each stage reaches the API; neither another pod, nor the API server, nor the internet."""
    done = helm("test", RELEASE, "--timeout=6m")
    roles = ("control", "discover", "fetch", "render", "assemble")
    said = {
        role: kubectl("logs", "-n", HERE, f"{RELEASE}-isolation-{role}", check=False).splitlines()
        for role in roles
    }
    assert done.returncode == 0, said
    reached = [f"ok: {RELEASE}-api.{HERE}.svc:80 can be reached"]
    closed = [f"ok: {address} cannot be reached" for address in OPEN]
    public = ["ok: 1.1.1.1:443 cannot be reached"]
    assert said == {
        "control": [f"ok: {address} can be reached" for address in OPEN],
        "discover": reached + closed,
        "fetch": reached + closed,
        "render": reached + closed + public,
        "assemble": reached + closed + public,
    }
    assert find("deployment", HERE, f"{RELEASE}-test-target") is None
