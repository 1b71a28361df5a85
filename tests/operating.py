"""Run the operator as a process, with a real API server and a real Clipmill API.

There is no kubelet: the test plays the node. It reads a pod's Secret as a kubelet would, does the
pod's work by the typed client, and writes the pod's status.
"""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from clipmill_client.client import Client
from controlplane import ControlPlane, free_ports
from faulty_network import shut_down
from harness import Harness
from manifests import manifest

WAIT_S = 30.0
T = TypeVar("T")
Object = dict[str, Any]


def until(what: str, condition: Callable[[], T], wait_s: float = WAIT_S) -> T:
    """Wait until `condition` returns a true value, and return it."""
    end = time.monotonic() + wait_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {wait_s:g}s: {what}")
        time.sleep(0.05)
    return value


def pod_status(phase: str, state: Object) -> Object:
    """Return the status of a pod whose container is in this state."""
    container = {
        "name": "job",
        "image": "test",
        "imageID": "test",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
    return {"phase": phase, "containerStatuses": [container]}


def ended_status(exit_code: int, message: str = "") -> Object:
    """Return the status of a pod whose process has ended."""
    times = {"startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z"}
    terminated = {"exitCode": exit_code, "message": message, **times}
    return pod_status("Failed" if exit_code else "Succeeded", {"terminated": terminated})


class ApiProxy:
    """A proxy of an API. While it is closed, connections end and new ones are refused."""

    def __init__(self, url: str) -> None:
        self._to = int(url.rsplit(":", 1)[1])
        (self._port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self._port}"
        self._open: list[socket.socket] = []
        self.open()

    def open(self) -> None:
        """Accept and forward connections."""
        listening = socket.create_server(("127.0.0.1", self._port))
        self._open.append(listening)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def close(self) -> None:
        """End all connections and refuse new ones."""
        for connection in self._open:
            shut_down(connection)
            connection.close()
        self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listening.accept()
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        shut_down(target)


@dataclass
class Cluster:
    """One namespace of the control plane, and the operator that watches it."""

    plane: ControlPlane
    api: Harness
    namespace: str
    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=lambda: free_ports(2))

    # --- the operator ---------------------------------------------------------------------

    def environ(self) -> dict[str, str]:
        """Return the operator's environment, as the chart sets it."""
        return {
            "PATH": os.environ["PATH"],
            "KUBECONFIG": str(self.plane.operator_kubeconfig),
            "CLIPMILL_API_URL": self.api.url,
            "CLIPMILL_OPERATOR_KEY": self.api.settings.operator_key,
            "CLIPMILL_JOB_IMAGE": "clipmill-job:test",
            "CLIPMILL_NAMESPACE": self.namespace,
            "CLIPMILL_API_POD_LABELS": "app.kubernetes.io/component=api",
            "CLIPMILL_WATCH_NAMESPACES": self.namespace,
            "CLIPMILL_POLL_SECONDS": "1",
            "CLIPMILL_RESYNC_SECONDS": "5",
            "CLIPMILL_LIST_SECONDS": "5",
            "CLIPMILL_HEALTH_PORT": str(self.ports[0]),
            "CLIPMILL_METRICS_PORT": str(self.ports[1]),
            "PYTHONWARNINGS": "ignore",
            **self.more,
        }

    @contextmanager
    def operator(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run an operator and kill it at the end, which it must survive."""
        with (self.folder / "operator.log").open("ab") as log:
            command = (sys.executable, "-m", "clipmill_operator")
            process = subprocess.Popen(command, env=self.environ(), stdout=log, stderr=log)
            try:
                yield process
            finally:
                process.kill()
                process.wait()

    def serves(self) -> bool:
        """Return whether the operator's health endpoint responds."""
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.ports[0]}/healthz").close()
        except OSError:
            return False
        return True

    def metric(self, name: str) -> float:
        """Return a metric of the operator without labels, or 0 if it is absent."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.ports[1]}/metrics").read().decode()
        match = re.search(rf"^{name} ([0-9.e+]+)$", text, re.M)
        return float(match[1]) if match else 0.0

    # --- objects --------------------------------------------------------------------------

    def objects(self, kind: str, *words: str) -> list[Object]:
        """Return all objects of a kind in the namespace."""
        text = self.plane.kubectl("get", kind, "-n", self.namespace, "-o", "json", *words)
        return list(json.loads(text)["items"])

    def submit(self, spec: Object, name: str = "demo") -> None:
        """Apply a resource by kubectl."""
        self.plane.kubectl("apply", "-n", self.namespace, "-f", "-", given=self._text(spec, name))

    def _text(self, spec: Object, name: str) -> str:
        return json.dumps(manifest(spec, name))

    def resource(self, name: str = "demo") -> Object:
        """Return the resource, or {} if there is none."""
        named = [comp for comp in self.objects("comp") if comp["metadata"]["name"] == name]
        return named[0] if named else {}

    def condition(self, kind: str, name: str = "demo") -> Object:
        """Return a condition of the resource, or {}."""
        conditions = self.resource(name).get("status", {}).get("conditions", [])
        of_type = [condition for condition in conditions if condition["type"] == kind]
        return of_type[0] if of_type else {}

    def is_true(self, kind: str, name: str = "demo") -> Object:
        """Wait for a condition to be true."""

        def holds() -> Object:
            condition = self.condition(kind, name)
            return condition if condition.get("status") == "True" else {}

        return until(f"{kind} of {name}: {self.resource(name).get('status')}", holds)

    def jobs(self, stage: str = "", name: str = "demo") -> list[Object]:
        """Return the Jobs of a resource."""
        of_stage = f",clipmill.dev/stage={stage}" if stage else ""
        return self.objects("jobs", "-l", f"clipmill.dev/compilation={name}{of_stage}")

    def generations(self, name: str = "demo") -> list[str]:
        """Return the generations that have Jobs."""
        jobs = self.jobs(name=name)
        return sorted({job["metadata"]["labels"]["clipmill.dev/generation"] for job in jobs})

    def pods(self, stage: str, name: str = "demo") -> list[Object]:
        """Return the pods of a stage that have not ended."""
        selector = f"clipmill.dev/compilation={name},clipmill.dev/stage={stage}"
        pods = self.objects("pods", "-l", selector)
        return [pod for pod in pods if pod["status"].get("phase") in (None, "Pending", "Running")]

    def pod(self, stage: str, index: int = 0, name: str = "demo") -> Object:
        """Wait for the pod of a task and return it."""
        label = "batch.kubernetes.io/job-completion-index"

        def mine() -> list[Object]:
            pods = self.pods(stage, name)
            return [pod for pod in pods if pod["metadata"]["labels"][label] == str(index)]

        return until(f"a pod of {stage} {index}", mine)[0]

    # --- the node -------------------------------------------------------------------------

    def secret_of(self, pod: Object) -> Object:
        """Return the decoded Secret of a pod's container."""
        name = pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]

        def named() -> list[Object]:
            secrets = self.objects("secrets")
            return [secret for secret in secrets if secret["metadata"]["name"] == name]

        data = until(f"Secret {name}", named)[0]["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def job_client(self, pod: Object) -> Client:
        """Return a client with the URL and key of the pod's Secret."""
        environ = self.secret_of(pod)
        return self.api.client(environ["CLIPMILL_API_KEY"], url=environ["CLIPMILL_API_URL"])

    def status(self, pod: Object, phase: str, state: Object) -> None:
        """Write a pod's status, as a kubelet does."""
        self._patch(pod, pod_status(phase, state))

    def _patch(self, pod: Object, status: Object) -> None:
        name = pod["metadata"]["name"]
        words = ("patch", "pod", name, "-n", self.namespace, "--subresource=status")
        self.plane.kubectl(*words, "--type=merge", "-p", json.dumps({"status": status}))

    def end(self, pod: Object, exit_code: int, message: str = "") -> None:
        """Write that the pod's process has ended."""
        self._patch(pod, ended_status(exit_code, message))
