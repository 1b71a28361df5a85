"""What the chart renders, judged by the API server; and the static manifest, applied."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
import yaml

from cluster import names
from cluster.kubectl import apply, find, kubectl, namespace
from generate import CHART, INSTALL, KUBERNETES
from rendered import OPTIONS, run_helm, set_options

HERE = "chart-plain"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
SERVER_SIDE = ("kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server")


@pytest.fixture(scope="module")
def plain() -> Iterator[None]:
    """A namespace where Pod Security `restricted` is enforced."""
    apply(namespace(HERE))
    yield
    kubectl("delete", "namespace", HERE)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_server_takes_every_object(option: str, plain: None) -> None:
    """Each way to render the chart: schemas, policies, Pod Security, and not one warning."""
    settings = [*OPTIONS[option], "monitoring.serviceMonitor.enabled=false"]
    settings += [f"watchNamespaces={{{HERE}}}"] if option == "watched" else []
    where = ("dry", str(CHART), "-n", HERE, "--kube-version", KUBERNETES, "--skip-tests")
    made = run_helm("template", *where, *set_options(tuple(settings)))
    assert made.returncode == 0, made.stderr
    done = subprocess.run(
        (*SERVER_SIDE, "-f", "-"), input=made.stdout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def manifest() -> str:
    """manifests/install.yaml for a namespace of its own, with the images that are here."""
    text = INSTALL.read_text().replace(".clipmill.svc", f".{HERE}.svc")
    text = text.replace("clipmill-clipmill-operator", f"{HERE}-clipmill-operator")
    text = text.replace("namespace: clipmill\n", f"namespace: {HERE}\n")
    text = text.replace("\n  name: clipmill\n", f"\n  name: {HERE}\n")
    for part in ("api", "operator", "job"):
        text = text.replace(f" clipmill-{part}:{VERSION}\n", f" {names.image(part)}\n")
    other = ("CustomResourceDefinition", "Namespace")
    return yaml.safe_dump_all(o for o in yaml.safe_load_all(text) if o["kind"] not in other)


@pytest.fixture
def applied(plain: None) -> Iterator[None]:
    """The manifest in the cluster, with the CRD if no release has brought it."""
    made = manifest()
    brings = find("crd", "", "compilations.clipmill.dev") is None
    if brings:
        kubectl("apply", "--server-side", "-f", str(INSTALL.parent / "crd.yaml"))
    kubectl("apply", "--server-side", "-f", "-", text=made)
    yield
    kubectl("delete", "--ignore-not-found", "-f", "-", text=made)
    if brings:
        kubectl("delete", "-f", str(INSTALL.parent / "crd.yaml"))


def test_the_static_manifest_starts_by_itself(applied: None) -> None:
    """One `kubectl apply`; its keys are drawn in the cluster, and both parts become available."""
    parts = ("deployment/clipmill-api", "deployment/clipmill-operator")
    kubectl("wait", "-n", HERE, "--for=condition=Available", "--timeout=5m", *parts)
    drawn = find("secret", HERE, "clipmill-keys")
    assert drawn is not None
    assert sorted(drawn["data"]) == ["admin-key", "operator-key", "owner-key"]
