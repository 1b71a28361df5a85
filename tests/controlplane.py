"""Run a Kubernetes API server with its controllers: Jobs create pods, and the test plays the node.

It needs `etcd` and `kubebox` (every Kubernetes component in one file, chosen by its name) in the
folder CLIPMILL_KUBE_BIN, by default where `./run cluster` builds them. All ports are on loopback.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.dynamic import DynamicClient

TOKEN = "the-admin-token-of-a-test"
OPERATOR = "clipmill-operator"
OPERATOR_TOKEN = "the-operator-token-of-a-test"
START_S = 90


def binaries() -> Path | None:
    """Return the folder of the programs, or None."""
    default = Path.home() / ".cache" / "clipmill-kind" / "bin"
    folder = Path(os.environ.get("CLIPMILL_KUBE_BIN") or default)
    return folder if all((folder / name).exists() for name in ("etcd", "kubebox")) else None


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The URL of the API server, and the folder of its credentials."""

    url: str
    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """Return the administrator's kubeconfig."""
        return self.folder / "kubeconfig"

    @property
    def operator_kubeconfig(self) -> Path:
        """Return the kubeconfig of the operator's user, which has no rights yet."""
        return self.folder / "operator-kubeconfig"

    def api(self, token: str = TOKEN) -> client.ApiClient:
        """Return a client that authenticates by this token."""
        configuration = client.Configuration(host=self.url)
        configuration.verify_ssl = False
        configuration.api_key = {"authorization": f"Bearer {token}"}
        return client.ApiClient(configuration)

    def dynamic(self) -> DynamicClient:
        """Return the administrator's client for objects of any kind."""
        return DynamicClient(config.new_client_from_config(str(self.kubeconfig)))

    def kubectl(self, *words: str, given: str = "", check: bool = True) -> str:
        """Run kubectl and return its stdout, with its stderr too if `check` is false."""
        command = (str(self.folder / "kubectl"), "--kubeconfig", str(self.kubeconfig), *words)
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if check and done.returncode:
            raise AssertionError(f"{' '.join(words)}: {done.stderr}")
        return done.stdout + ("" if check else done.stderr)

    def apply(self, *objects: dict[str, Any]) -> None:
        """Apply objects by kubectl."""
        self.kubectl("apply", "-f", "-", given=yaml.safe_dump_all(objects))


def free_ports(count: int) -> list[int]:
    """Return free ports of the loopback."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _kubeconfig(url: str, token: str) -> dict[str, Any]:
    cluster = {"server": url, "insecure-skip-tls-verify": True}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }


def _lay_out(folder: Path, binaries: Path, url: str) -> None:
    for name in ("kube-apiserver", "kube-controller-manager", "kubectl"):
        (folder / name).symlink_to(binaries / "kubebox")
    users = f"{TOKEN},admin,admin,system:masters\n{OPERATOR_TOKEN},{OPERATOR},{OPERATOR}\n"
    (folder / "tokens.csv").write_text(users)
    (folder / "kubeconfig").write_text(yaml.safe_dump(_kubeconfig(url, TOKEN)))
    (folder / "operator-kubeconfig").write_text(yaml.safe_dump(_kubeconfig(url, OPERATOR_TOKEN)))
    key = folder / "sa.key"
    subprocess.run(("openssl", "genrsa", "-out", str(key), "2048"), check=True, capture_output=True)


def _etcd(binaries: Path, folder: Path, clients: int, peers: int) -> tuple[str, ...]:
    return (
        str(binaries / "etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{clients}",
        f"--advertise-client-urls=http://127.0.0.1:{clients}",
        f"--listen-peer-urls=http://127.0.0.1:{peers}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peers}",
        f"--initial-cluster=default=http://127.0.0.1:{peers}",
        "--unsafe-no-fsync",
        "--log-level=error",
    )


def _api_server(folder: Path, etcd: int, port: int) -> tuple[str, ...]:
    return (
        str(folder / "kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        f"--service-account-key-file={folder / 'sa.key'}",
        f"--service-account-signing-key-file={folder / 'sa.key'}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--token-auth-file={folder / 'tokens.csv'}",
        "--authorization-mode=RBAC",
    )


def _controllers(folder: Path) -> tuple[str, ...]:
    return (
        str(folder / "kube-controller-manager"),
        f"--kubeconfig={folder / 'kubeconfig'}",
        "--secure-port=0",
        "--leader-elect=false",
        "--controllers=job-controller,garbage-collector-controller,namespace-controller,"
        "serviceaccount-controller,ttl-after-finished-controller",
        f"--service-account-private-key-file={folder / 'sa.key'}",
    )


@contextmanager
def _running(command: tuple[str, ...], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(plane: ControlPlane) -> None:
    until = time.monotonic() + START_S
    while "ok" not in plane.kubectl("get", "--raw", "/readyz", check=False).splitlines()[:1]:
        if time.monotonic() > until:
            raise AssertionError((plane.folder / "api.log").read_text()[-2000:])
        time.sleep(0.2)


@contextmanager
def control_plane(folder: Path, binaries: Path, crd: Path) -> Iterator[ControlPlane]:
    """Run a control plane with the CRD applied, and stop it at the end.

    The controllers start last: the garbage collector looks for new kinds only every 30 s.
    """
    clients, peers, port = free_ports(3)
    plane = ControlPlane(f"https://127.0.0.1:{port}", folder)
    _lay_out(folder, binaries, plane.url)
    with ExitStack() as stack:
        stack.enter_context(_running(_etcd(binaries, folder, clients, peers), folder / "etcd.log"))
        stack.enter_context(_running(_api_server(folder, clients, port), folder / "api.log"))
        _wait_ready(plane)
        plane.kubectl("apply", "--server-side", "-f", str(crd))
        plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(crd))
        stack.enter_context(_running(_controllers(folder), folder / "controllers.log"))
        yield plane
