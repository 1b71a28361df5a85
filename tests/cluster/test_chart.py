"""The chart on a real cluster: install, upgrade, helm test, uninstall. In namespaces of its own."""

from __future__ import annotations

import base64
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import clipmaker
from chart_objects import set_options
from cluster import names
from cluster.kubectl import Object, apply, find, get, kubectl, namespace
from cluster.operators import only_operator_of
from generate import CHART

RELEASE, HERE, VIDEOS = "own", "chart-own", "chart-videos"
PUBLIC = "1.1.1.1:443"
CRD = "compilations.clipmill.dev"
OPERATOR = f"system:serviceaccount:{HERE}:{RELEASE}-operator"
OURS = f"app.kubernetes.io/instance={RELEASE}"
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


def run(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program; how it ended is for the caller to judge."""
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)


def helm(verb: str, *argv: str, settings: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run helm on the release."""
    tag = ("--set-string", f"image.tag={names.tag()}") if settings else ()
    return run("helm", verb, RELEASE, *argv, "-n", HERE, *set_options(settings), *tag)


def upgraded(*settings: str) -> None:
    """Another version of the release."""
    done = helm(
        "upgrade",
        str(CHART),
        "--wait",
        "--timeout=6m",
        "--reset-then-reuse-values",
        settings=settings,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def alone() -> Iterator[None]:
    """No operator of another release acts on what is made here."""
    with only_operator_of(HERE):
        yield


@pytest.fixture(scope="module")
def owns_crd() -> bool:
    """Whether this release brings the CRD; not where another one has brought it."""
    return find("crd", "", CRD) is None


@pytest.fixture(scope="module")
def release(owns_crd: bool) -> Iterator[None]:
    """The chart with a PostgreSQL of its own, where Pod Security `restricted` is enforced."""
    apply(namespace(HERE), namespace(VIDEOS))
    settings = (*SMALL, f"crds.install={str(owns_crd).lower()}")
    try:
        done = helm("install", str(CHART), "--wait", "--timeout=6m", settings=settings)
        assert done.returncode == 0, done.stderr + diagnosis()
        yield
    finally:
        helm("uninstall", "--ignore-not-found")
        kubectl("delete", "namespace", HERE, VIDEOS)
        if owns_crd:
            kubectl("delete", "crd", CRD, "--ignore-not-found")


def diagnosis() -> str:
    """Return pods and logs of an installation that is not ready."""
    logs = ("logs", "-n", HERE, "-l", OURS, "--all-containers", "--prefix", "--tail=20")
    return kubectl("get", "pods", "-n", HERE) + kubectl(*logs, check=False)


def keys() -> dict[str, str]:
    """Return the generated keys."""
    data = get(f"secret/{RELEASE}-keys", HERE)["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


@contextmanager
def forwarded(command: str) -> Iterator[int]:
    """The local port of a `kubectl port-forward`, while it runs."""
    with subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        yield int(forward.stdout.readline().split(" -> ")[0].rpartition(":")[2])
        forward.terminate()


def test_the_notes_lead_to_the_first_video(release: None, alone: None, tmp_path: Path) -> None:
    """Every command that Helm prints, as it stands; the file has the frames of its timeline."""
    notes = run("helm", "get", "notes", RELEASE, "-n", HERE).stdout
    sample = notes[notes.index("kubectl apply") : notes.index("\nEOF\n") + 5]
    lines = [line for line in notes.splitlines() if line.startswith("kubectl")]
    wait = next(line for line in lines if " wait" in line)
    forward = next(line for line in lines if " port-forward " in line)
    fetch = notes[notes.index("kubectl get secret") :].partition("\n\n")[0]
    shell = ("bash", "-euo", "pipefail", "-c")
    for step in (sample, wait):
        done = run(*shell, step)
        assert done.returncode == 0, done.stderr + kubectl("describe", "compilations", "-n", VIDEOS)
    with forwarded(forward) as port:
        assert port == 8000
        done = run(*shell, f"cd {tmp_path} && {fetch}")
    assert done.returncode == 0, done.stderr
    # bars 2 s; a fade of half a second into clock's 3 s; fractal from half a second on.
    assert len(clipmaker.frames(tmp_path / "demo.mp4")) == 60 + 90 - 15 + 75


@pytest.mark.parametrize(("entry", "status"), [("owner-key", 200), ("admin-key", 403), ("", 401)])
def test_generated_keys_open_their_endpoints(release: None, entry: str, status: int) -> None:
    """The owner's key is the owner `default`; no other opens a library."""
    header = {"Authorization": f"Bearer {keys().get(entry, 'cm_u_other')}"}
    with forwarded(f"kubectl port-forward -n {HERE} service/{RELEASE}-api :80") as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/quota", headers=header)
    assert answer.status_code == status
    assert status != 200 or answer.json()["owner"] == "default"


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
        ("get", f"namespaces/{VIDEOS}", VIDEOS, True),
        ("get", f"namespaces/{HERE}", HERE, False),
    ],
)
def test_the_operator_may(release: None, verb: str, thing: str, where: str, may: bool) -> None:
    """Its rights as the API server sees them, in a release that watches one namespace."""
    asked = run("kubectl", "auth", "can-i", verb, thing, "-n", where, f"--as={OPERATOR}")
    assert asked.stdout.strip() == ("yes" if may else "no"), asked.stderr


def test_an_upgrade_keeps_keys_and_volumes(release: None) -> None:
    """Generated Secrets and volumes stay; new pods use them."""
    secrets = get("secrets", HERE, "-l", "app.kubernetes.io/part-of=clipmill")
    claims = {o["metadata"]["name"]: o["spec"]["volumeName"] for o in get("pvc", HERE)}
    names = {o["metadata"]["name"] for o in secrets}
    assert names >= {f"{RELEASE}-{name}" for name in ("keys", "database", "credentials")}
    upgraded("commonLabels.upgraded=yes")
    assert get("secrets", HERE, "-l", "app.kubernetes.io/part-of=clipmill") == secrets
    assert {o["metadata"]["name"]: o["spec"]["volumeName"] for o in get("pvc", HERE)} == claims
    pods = get("pods", HERE, "-l", "upgraded=yes")
    parts = {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods}
    assert parts == {"api", "database", "operator"}


def test_helm_test_proves_the_isolation_and_can_fail(release: None) -> None:
    """It passes with the policies, and names what is open where they do not act."""
    done = helm("test", "--timeout=6m")
    assert done.returncode == 0, (
        done.stdout + done.stderr + printed_by("control") + printed_by("fetch")
    )
    private = [f"{RELEASE}-test-target.{HERE}.svc:8080", "kubernetes.default.svc:443"]
    private.append(f"{RELEASE}-database.{HERE}.svc:5432")
    assert printed_by("control") == "".join(f"ok: {each} can be reached\n" for each in private[:2])
    stages = {"discover": [], "fetch": [], "render": [PUBLIC], "assemble": [PUBLIC]}
    for stage, public in stages.items():
        lines = [f"ok: {RELEASE}-api.{HERE}.svc:80 can be reached"]
        lines += [f"ok: {each} cannot be reached" for each in private + public]
        assert printed_by(stage).splitlines() == lines
    # The policies of job pods stay in their namespace: this one opens them, as if none acted.
    apply(open_egress(VIDEOS))
    assert helm("test", "--timeout=6m").returncode != 0
    # Helm ends with the first test that fails.
    said = printed_by("discover")
    assert "does not enforce NetworkPolicy" in said
    assert "kubernetes.default.svc:443" in said
    kubectl("delete", "networkpolicy", "open-egress", "-n", VIDEOS)


def printed_by(role: str) -> str:
    """Return what a pod of `helm test` printed."""
    return kubectl("logs", "-n", VIDEOS, f"{RELEASE}-isolation-{role}", check=False)


def open_egress(where: str) -> Object:
    """Return a NetworkPolicy that lets job pods reach everything."""
    jobs = {"matchExpressions": [{"key": "clipmill.dev/stage", "operator": "Exists"}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "open-egress", "namespace": where},
        "spec": {"podSelector": jobs, "policyTypes": ["Egress"], "egress": [{}]},
    }


def test_uninstall_leaves_what_is_kept_and_hangs_on_nothing(release: None, alone: None) -> None:
    """With a Compilation: volumes, generated Secrets and the CRD stay, all else is deleted."""
    spec = {"clips": [{"url": "https://clips.twitch.tv/ExampleOpener"}]}
    resource = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation", "spec": spec}
    apply({**resource, "metadata": {"name": "left", "namespace": VIDEOS}})
    done = helm("uninstall", "--wait", "--timeout=5m")
    assert done.returncode == 0, done.stderr
    kinds = "deployments,statefulsets,services,serviceaccounts,roles,rolebindings,networkpolicies"
    assert get(kinds, HERE, "-l", OURS) == []
    volumes = {o["metadata"]["name"] for o in get("pvc", HERE, "-l", OURS)}
    assert volumes == {f"{RELEASE}-api", f"data-{RELEASE}-database-0"}
    assert keys()["owner-key"]
    assert find("crd", "", CRD) is not None
    kubectl("delete", "compilation", "left", "-n", VIDEOS, "--timeout=30s")
