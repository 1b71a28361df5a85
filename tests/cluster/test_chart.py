"""The chart on a real cluster: install, test, upgrade, open, uninstall. Namespaces of its own."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import clipmaker
from cluster import names
from generate import CHART, INSTALL
from rendered import OPTIONS, set_options

RELEASE, HERE, VIDEOS, PLAIN = "own", "chart-own", "chart-videos", "chart-plain"
VERSION = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
CRD = "compilations.clipmill.dev"
OPERATOR = f"system:serviceaccount:{HERE}:{RELEASE}-operator"
SMALL = (
    "database.mode=bundled",
    f"database.bundled.image.repository={names.POSTGRES}",
    "database.bundled.image.tag=1",
    "database.bundled.storage.size=1Gi",
    "api.storage.size=1Gi",
    f"watchNamespaces={{{VIDEOS}}}",
    f"jobs.submitNamespace={VIDEOS}",
    f"image.registry={names.prefix()}",
)


def run(*argv: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the cluster's."""
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)


def kubectl(*argv: str, stdin: str | None = None) -> str:
    """What kubectl prints."""
    done = run("kubectl", *argv, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(*argv: str) -> Any:
    """What kubectl gets, as JSON."""
    return json.loads(kubectl("get", *argv, "-o", "json"))


def is_there(*argv: str) -> bool:
    """Whether kubectl gets it."""
    return run("kubectl", "get", *argv).returncode == 0


def helm(verb: str, *argv: str, settings: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run helm on the release."""
    tag = ("--set-string", f"image.tag={names.tag()}") if settings else ()
    return run("helm", verb, RELEASE, *argv, "-n", HERE, *set_options(settings), *tag)


def upgraded(*settings: str) -> None:
    """Another version of the release."""
    done = helm(
        "upgrade", str(CHART), "--wait", "--timeout=5m", "--reuse-values", settings=settings
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def owns_crd() -> bool:
    """Whether this release brings the CRD; not where another one has brought it."""
    return not is_there("crd", CRD)


@pytest.fixture(scope="module")
def release(owns_crd: bool) -> Iterator[None]:
    """The chart with a PostgreSQL of its own, where Pod Security `restricted` is enforced."""
    for name in (HERE, VIDEOS):
        kubectl("create", "namespace", name)
        kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    settings = (*SMALL, f"crds.install={str(owns_crd).lower()}")
    done = helm("install", str(CHART), "--wait", "--timeout=5m", settings=settings)
    state = run("kubectl", "get", "pods,events", "-n", HERE).stdout
    try:
        assert done.returncode == 0, f"{done.stderr}\n{state}"
        yield
    finally:
        helm("uninstall", "--ignore-not-found")
        kubectl("delete", "namespace", HERE, VIDEOS)
        if owns_crd:
            kubectl("delete", "crd", CRD, "--ignore-not-found")


@pytest.fixture(scope="module", autouse=True)
def alone() -> Iterator[None]:
    """No operator of another release acts on what is made here."""
    label = "app.kubernetes.io/name=clipmill,app.kubernetes.io/component=operator"
    others = [
        (one["metadata"]["namespace"], one["metadata"]["name"])
        for one in told("deployments", "-A", "-l", label)["items"]
    ]
    for namespace, name in others:
        kubectl("scale", "deployment", name, "-n", namespace, "--replicas=0")
    yield
    for namespace, name in others:
        kubectl("scale", "deployment", name, "-n", namespace, "--replicas=1")


def keys() -> dict[str, str]:
    """The keys that the install has drawn."""
    data = told("secret", f"{RELEASE}-keys", "-n", HERE)["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


@pytest.mark.parametrize("option", OPTIONS)
def test_the_server_takes_every_object(option: str, release: None) -> None:
    """Each way to render the chart, judged by the API server, Pod Security and all."""
    settings = (*OPTIONS[option], "monitoring.serviceMonitor.enabled=false")
    if option == "watched":
        settings = (*settings, f"watchNamespaces={{{VIDEOS}}}")
    where = ("dry", str(CHART), "-n", HERE, "--kube-version", "1.34.0", "--skip-tests")
    made = run("helm", "template", *where, *set_options(settings))
    assert made.returncode == 0, made.stderr
    done = run(
        *("kubectl", "apply", "--server-side", "--force-conflicts", "--dry-run=server", "-f", "-"),
        stdin=made.stdout,
    )
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_owner_is_let_in_by_the_drawn_key(release: None) -> None:
    """The way of the notes: a forwarded port and the entry `owner-key`."""
    service = f"service/{RELEASE}-api"
    command = ("kubectl", "port-forward", "-n", HERE, service, ":80")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        port = int(forward.stdout.readline().split(" -> ")[0].rpartition(":")[2])
        for key, status in ((keys()["owner-key"], 200), ("cm_u_other", 401)):
            header = {"Authorization": f"Bearer {key}"}
            answer = httpx.get(f"http://127.0.0.1:{port}/api/quota", headers=header)
            assert answer.status_code == status
            assert status != 200 or answer.json()["owner"] == "default"
        forward.terminate()


@contextmanager
def forwarded(command: str) -> Iterator[None]:
    """While `kubectl port-forward` runs."""
    with subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        assert forward.stdout.readline().startswith("Forwarding from 127.0.0.1:8000")
        yield
        forward.terminate()


def test_the_notes_lead_to_the_first_video(release: None, tmp_path: Path) -> None:
    """Every command that Helm prints, as it stands; the file has the frames of its timeline."""
    notes = helm("get", "notes").stdout
    commands = [line for line in notes.splitlines() if line.startswith("kubectl")]
    sample = notes[notes.index("kubectl apply") : notes.index("\nEOF\n") + 5]
    forward = next(line for line in commands if " port-forward " in line)
    fetch = notes[notes.index("kubectl get secret") :].partition("\n\n")[0]
    shell = ("bash", "-euo", "pipefail", "-c")
    for step in (sample, *(line for line in commands if " wait " in line)):
        done = run(*shell, step)
        story = run("kubectl", "describe", "compilations", "-n", VIDEOS).stdout
        assert done.returncode == 0, f"{done.stderr}\n{story}"
    with forwarded(forward):
        done = run(*shell, f"cd {tmp_path} && {fetch}")
    assert done.returncode == 0, done.stderr
    # bars 2 s, a fade of half a second into clock's 3 s, fractal from half a second on.
    assert len(clipmaker.frames(tmp_path / "demo.mp4")) == 60 + 90 - 15 + 75


@pytest.mark.parametrize(
    ("verb", "thing", "where", "may"),
    [
        ("create", "secrets", HERE, True),
        ("get", "secrets", HERE, False),
        ("list", "secrets", VIDEOS, False),
        ("create", "jobs.batch", VIDEOS, True),
        ("create", "jobs.batch", HERE, False),
        ("patch", "compilations.clipmill.dev/status", VIDEOS, True),
        ("list", "compilations.clipmill.dev", "default", False),
        ("create", "pods", VIDEOS, False),
    ],
)
def test_the_operator_may(release: None, verb: str, thing: str, where: str, may: bool) -> None:
    """Its rights as the API server sees them, in a release that watches one namespace."""
    asked = run("kubectl", "auth", "can-i", verb, thing, "-n", where, f"--as={OPERATOR}")
    assert asked.stdout.strip() == ("yes" if may else "no")


def test_the_operator_reads_the_one_namespace_it_watches(release: None) -> None:
    """For the label that binds it to an owner: a Role is enough, and opens no other namespace."""
    kubectl("get", "namespace", VIDEOS, f"--as={OPERATOR}")
    assert "forbidden" in run("kubectl", "get", "namespace", HERE, f"--as={OPERATOR}").stderr


def test_an_upgrade_keeps_keys_and_volumes(release: None) -> None:
    """What was drawn once stays; new pods start with it."""
    before = told("secret,pvc", "-n", HERE, "-l", "app.kubernetes.io/part-of=clipmill")["items"]
    drawn, claims = keys(), told("pvc", "-n", HERE)["items"]
    upgraded("commonLabels.upgraded=yes")
    assert keys() == drawn
    after = told("secret,pvc", "-n", HERE, "-l", "app.kubernetes.io/part-of=clipmill")["items"]
    assert [o["metadata"]["uid"] for o in after] == [o["metadata"]["uid"] for o in before]
    volumes = [o["spec"]["volumeName"] for o in told("pvc", "-n", HERE)["items"]]
    assert volumes == [o["spec"]["volumeName"] for o in claims]
    pods = told("pods", "-n", HERE, "-l", "upgraded=yes")["items"]
    parts = sorted(pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods)
    assert parts == ["api", "database", "operator"]


def test_helm_test_proves_the_isolation_and_can_fail(release: None) -> None:
    """It passes with the policies, and says what is open without them."""
    logs = ("kubectl", "logs", "-n", HERE, f"{RELEASE}-isolation-test")
    done = helm("test", "--timeout=3m")
    assert done.returncode == 0, run(*logs).stdout
    assert "is not reached" in run(*logs).stdout
    upgraded("networkPolicy.enabled=false")
    assert helm("test", "--timeout=3m").returncode != 0
    assert "enforces no NetworkPolicy" in "".join(run(*logs))


def plain_manifest() -> str:
    """manifests/install.yaml for a namespace of its own, with the images that are here."""
    text = INSTALL.read_text().replace(".clipmill.svc", f".{PLAIN}.svc")
    text = text.replace("clipmill-clipmill-operator", f"{PLAIN}-clipmill-operator")
    text = text.replace("namespace: clipmill\n", f"namespace: {PLAIN}\n")
    text = text.replace("\n  name: clipmill\n", f"\n  name: {PLAIN}\n")
    for part in ("api", "operator", "job"):
        text = text.replace(f" clipmill-{part}:{VERSION}\n", f" {names.image(part)}\n")
    crd = "CustomResourceDefinition"
    return yaml.safe_dump_all(o for o in yaml.safe_load_all(text) if o["kind"] != crd)


def test_the_static_manifest_starts_by_itself(release: None) -> None:
    """One `kubectl apply`; the keys are drawn in the cluster, and both parts become available."""
    made = plain_manifest()
    try:
        kubectl("apply", "--server-side", "-f", "-", stdin=made)
        parts = ("deployment/clipmill-api", "deployment/clipmill-operator")
        kubectl("wait", "-n", PLAIN, "--for=condition=Available", "--timeout=5m", *parts)
        assert is_there("secret", "clipmill-keys", "-n", PLAIN)
    finally:
        kubectl("delete", "--ignore-not-found", "-f", "-", stdin=made)


def test_uninstall_leaves_what_is_kept_and_hangs_on_nothing(release: None, owns_crd: bool) -> None:
    """With a Compilation still there: volumes, drawn Secrets and the CRD stay, all else goes."""
    spec = {"clips": [{"url": "https://clips.twitch.tv/ExampleOpener"}]}
    wish = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    body = {**wish, "metadata": {"name": "left"}, "spec": spec}
    kubectl("apply", "-n", VIDEOS, "-f", "-", stdin=json.dumps(body))
    done = helm("uninstall", "--wait", "--timeout=2m")
    assert done.returncode == 0, done.stderr
    ours = f"app.kubernetes.io/instance={RELEASE}"
    kinds = "deployments,statefulsets,services,serviceaccounts,roles,rolebindings,networkpolicies"
    assert told(kinds, "-n", HERE, "-l", ours)["items"] == []
    assert {o["metadata"]["name"] for o in told("pvc", "-n", HERE)["items"]} == {
        f"{RELEASE}-api",
        f"data-{RELEASE}-database-0",
    }
    assert is_there("secret", f"{RELEASE}-keys", "-n", HERE)
    assert is_there("crd", CRD)
    kubectl("delete", "compilation", "left", "-n", VIDEOS, "--timeout=30s")
    assert owns_crd or told("crd", CRD)["metadata"]["annotations"]
