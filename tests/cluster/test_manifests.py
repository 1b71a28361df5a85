"""What the chart renders, judged by the API server; and the static manifest, applied."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import clipmaker
from chart_objects import OPTIONS, run_helm, set_options
from cluster import names
from cluster.kubectl import apply, find, kubectl, namespace
from cluster.operators import only_operator_of
from examples import run
from generate import CHART, INSTALL, KUBERNETES_VERSION, ROOT

HERE = "chart-plain"
SAMPLE = "manifests/samples/first-video.yaml"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
FOREIGN = {"cert-manager.io", "gateway.networking.k8s.io", "monitoring.coreos.com"}
SERVER_SIDE = ("kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server")


@pytest.fixture(scope="module")
def plain() -> Iterator[None]:
    """A namespace where Pod Security `restricted` is enforced."""
    apply(namespace(HERE))
    yield
    kubectl("delete", "namespace", HERE)


def known_objects(text: str) -> str:
    """Return the rendered objects but those of CRDs that this cluster does not have."""
    rendered = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    groups = [each["apiVersion"].partition("/")[0] for each in rendered]
    known = [each for each, group in zip(rendered, groups, strict=True) if group not in FOREIGN]
    return yaml.dump_all(known, Dumper=yaml.CSafeDumper)


@pytest.mark.parametrize("option", OPTIONS)
def test_the_server_takes_every_object(option: str, plain: None) -> None:
    """Each way to render the chart: schemas, policies, Pod Security, and not one warning."""
    settings = [*OPTIONS[option]]
    settings += [f"watchNamespaces={{{HERE}}}"] if option == "watched" else []
    where = ("dry", str(CHART), "-n", HERE, "--kube-version", KUBERNETES_VERSION, "--skip-tests")
    made = run_helm("template", *where, *set_options(tuple(settings)))
    assert made.returncode == 0, made.stderr
    done = subprocess.run(
        (*SERVER_SIDE, "-f", "-"),
        input=known_objects(made.stdout),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def manifest() -> str:
    """manifests/install.yaml for a namespace of its own, with the images of this cluster."""
    text = INSTALL.read_text().replace(".clipmill.svc", f".{HERE}.svc")
    text = text.replace("clipmill-clipmill-", f"{HERE}-clipmill-")
    text = text.replace("namespace: clipmill\n", f"namespace: {HERE}\n")
    text = text.replace("\n  name: clipmill\n", f"\n  name: {HERE}\n")
    text = text.replace("serviceaccount:clipmill:", f"serviceaccount:{HERE}:")
    for field in ("request.namespace == ", '"kubernetes.io/metadata.name": '):
        text = text.replace(f'{field}"clipmill"', f'{field}"{HERE}"')
    for part in ("api", "operator", "job"):
        text = text.replace(f" clipmill-{part}:{VERSION}\n", f" {names.image(part)}\n")
        text = text.replace(f'"clipmill-{part}:{VERSION}"', f'"{names.image(part)}"')
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


def first_video() -> str:
    """The commands of docs/install.md, for the namespace that the manifest is in here."""
    page = (ROOT / "docs/install.md").read_text().partition("## Without Helm")[2]
    commands = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[1]
    return str(commands).replace("-n clipmill ", f"-n {HERE} ")


def test_the_static_manifest_leads_to_a_video(applied: None, tmp_path: Path) -> None:
    """One `kubectl apply` generates the keys; the commands of docs/install.md do the rest."""
    parts = ("deployment/clipmill-api", "deployment/clipmill-operator")
    kubectl("wait", "-n", HERE, "--for=condition=Available", "--timeout=5m", *parts)
    secret = find("secret", HERE, "clipmill-keys")
    assert secret is not None
    assert sorted(secret["data"]) == ["admin-key", "operator-key", "owner-key"]
    sample = tmp_path / SAMPLE
    sample.parent.mkdir(parents=True)
    sample.write_text((ROOT / SAMPLE).read_text().replace(".clipmill.svc", f".{HERE}.svc"))
    with only_operator_of(HERE):
        done = run(f"trap 'kill $(jobs -p)' EXIT; {first_video()}", tmp_path, dict(os.environ))
    assert done.code == 0, done.err + kubectl("describe", "compilations", "-n", HERE)
    # bars 2 s; a fade of half a second into clock's 3 s; fractal from half a second on.
    assert len(clipmaker.frames(tmp_path / "main.mp4")) == 60 + 90 - 15 + 75
