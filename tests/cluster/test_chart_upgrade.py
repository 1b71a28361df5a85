"""An upgrade from the chart of the last release, with data in it, and then to TLS."""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import clipmaker
from chart_objects import set_options
from clipmill.protocol import MediaKind
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.client import Client
from clipmill_client.errors import RetryableError
from clipmill_client.transfer import sha256_of
from cluster import names
from cluster.kubectl import Object, apply, find, get, kubectl, namespace, until
from cluster.operators import only_operator_of
from generate import CHART, ROOT

RELEASE, HERE = "before", "chart-from-release"
HOST = f"{RELEASE}-api.{HERE}.svc"
FIRST = ROOT / "tests/releases/0.1.0/chart.tgz"
CRD = "compilations.clipmill.dev"
PAGE = (ROOT / "docs/networking.md").read_text()
TO_TLS, SIGN_IN, NEW_CA = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
OURS = {
    "api.storage.size": "1Gi",
    "watchNamespaces": f"{{{HERE}}}",
    "image.registry": names.prefix(),
}


def helm(verb: str, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run helm on the release."""
    command = ("helm", verb, RELEASE, *argv, "-n", HERE)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def upgrade(*settings: str) -> None:
    """Upgrade to the chart of this tree, and wait until it is ready."""
    waiting = ("--wait", "--timeout=6m", "--reset-then-reuse-values")
    tag = ("--set-string", f"image.tag={names.tag()}")
    done = helm("upgrade", str(CHART), *waiting, *set_options(settings), *tag)
    assert done.returncode == 0, done.stderr + kubectl("get", "pods", "-n", HERE)


@pytest.fixture(scope="module")
def release() -> Iterator[bool]:
    """The chart of 0.1.0 with the images of this tree; whether it brings the CRD."""
    apply(namespace(HERE))
    brings = find("crd", "", CRD) is None
    settings = [f"{name}={value}" for name, value in OURS.items()]
    settings += [f"crds.install={str(brings).lower()}"]
    tag = ("--set-string", f"image.tag={names.tag()}")
    try:
        with only_operator_of(HERE):
            done = helm("install", str(FIRST), *set_options(tuple(settings)), *tag)
            assert done.returncode == 0, done.stderr
            kubectl("rollout", "status", f"deployment/{RELEASE}-api", "-n", HERE, "--timeout=5m")
            yield brings
    finally:
        helm("uninstall", "--ignore-not-found")
        kubectl("delete", "namespace", HERE, "--wait=false")
        if brings:
            kubectl("delete", "crd", CRD, "shows.clipmill.dev", "--ignore-not-found")


@contextmanager
def forwarded(port: int) -> Iterator[int]:
    """The local port of a `kubectl port-forward` to the API, while it runs."""
    command = shlex.split(f"kubectl port-forward -n {HERE} service/{RELEASE}-api :{port}")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forward:
        assert forward.stdout is not None
        yield int(forward.stdout.readline().split(" -> ")[0].rpartition(":")[2])
        forward.terminate()


def entry(secret: str, name: str) -> str:
    """Return an entry of a Secret."""
    return base64.b64decode(get(f"secret/{secret}", HERE)["data"][name]).decode()


def compilation(name: str, clip: Object) -> Object:
    """Return a Compilation of one clip."""
    output = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": name, "namespace": HERE},
        "spec": {"clips": [clip], "outputs": [output]},
    }


def duration_of(name: str) -> str:
    """Wait until a Compilation is complete, and return the duration of its output."""

    def output() -> Object | None:
        status = get(f"compilation/{name}", HERE).get("status", {})
        states = {c["type"]: c["status"] for c in status.get("conditions", [])}
        assert states.get("Failed") != "True", status
        return dict(status["outputs"][0]) if states.get("Complete") == "True" else None

    return str(until(f"{name} is complete", output, limit_s=300)["duration"])


def run_page(block: str, folder: Path) -> None:
    """Run a block of docs/networking.md, on the release and in the namespace of this test."""
    names_here = {"-n clipmill": f"-n {HERE}", "upgrade clipmill": f"upgrade {RELEASE}"}
    names_here |= {f"clipmill-{part}": f"{RELEASE}-{part}" for part in ("api", "operator", "ca")}
    for name, here in names_here.items():
        block = block.replace(name, here)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    # A command in the background is ready after its first line of output.
    waiting = block.replace(
        " &\n", " >forward.log &\nuntil [ -s forward.log ]; do sleep 0.1; done\n"
    )
    done = subprocess.run(
        ["bash", "-euc", f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{waiting}"],
        cwd=folder,
        env={**os.environ, "PATH": path, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"


def test_an_upgrade_keeps_data_and_then_turns_tls_on(release: bool, tmp_path: Path) -> None:
    """Library, keys and a waiting Compilation of 0.1.0; then jobs over TLS, and isolation."""
    clip = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    key = entry(f"{RELEASE}-keys", "owner-key")
    with forwarded(80) as port, Client(f"http://127.0.0.1:{port}", key) as user:
        media = user.upload_media(clip, MediaKind.CLIP)
    apply(compilation("waiting", {"mediaId": media.id}))
    volume = get("pvc", HERE)[0]["spec"]["volumeName"]
    upgrade(f"crds.install={str(release).lower()}")
    assert duration_of("waiting") == "1.000s"
    assert get("pvc", HERE)[0]["spec"]["volumeName"] == volume
    with forwarded(80) as port, Client(f"http://127.0.0.1:{port}", key) as user:
        user.download_media(media.id, tmp_path / "again.mp4")
    assert sha256_of(tmp_path / "again.mp4") == sha256_of(clip)

    (tmp_path / "charts").symlink_to(ROOT / "charts")
    run_page(TO_TLS, tmp_path)
    url = f"https://{HOST}:443/samples/bars.mp4"
    apply(compilation("encrypted", {"url": url, "end": "1s"}))
    assert duration_of("encrypted") == "1.000s"
    authority = entry(f"{RELEASE}-ca", "ca.crt")
    with forwarded(443) as port:
        url = f"https://localhost:{port}"
        with Client(url, key, trust=ApiTrust.of_text(authority)) as user:
            assert len(user.compilations().items) == 2
        with Client(url, key) as stranger, pytest.raises(RetryableError) as refused:
            stranger.account()
    assert refused.value.code == "UntrustedCertificate"
    (tmp_path / "key.txt").write_text(f"{key}\n")
    run_page(SIGN_IN, tmp_path)
    assert (tmp_path / "ca.crt").read_text() == authority
    run_page(NEW_CA, tmp_path)
    kubectl("rollout", "status", f"deployment/{RELEASE}-api", "-n", HERE, "--timeout=5m")
    assert entry(f"{RELEASE}-ca", "ca.crt") != authority
    done = helm("test", "--timeout=6m")
    assert done.returncode == 0, done.stdout + done.stderr
