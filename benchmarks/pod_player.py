"""Play every pod of a namespace as soon as it appears: its work, and then its end.

Run by `benchmarks.operator_cost`, as a process of its own, so that it takes no processor time from
the threads of the API: `python -m benchmarks.pod_player URL NAMESPACE FILE [--threads N]`. Each pod
fetches or renders FILE.
"""

from __future__ import annotations

import argparse
import base64
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.object_watch import Object, administrator, watched
from clipmill_client.client import Client
from clipmill_client.errors import ClientError
from clipmill_operator.building.labels import SELECTOR, STAGE
from controlplane import ControlPlane
from operating import ended_status
from pods import assemble, fetch

THREADS = 8
INDEX = "batch.kubernetes.io/job-completion-index"


class PodPlayer:
    """Plays pods of one namespace, as their container and as their kubelet."""

    def __init__(self, kube: httpx.Client, namespace: str, file: Path) -> None:
        self._kube, self._file = kube, file
        self._namespace = f"/api/v1/namespaces/{namespace}"

    def play_all(self, threads: int) -> None:
        """Play pods until the watch ends."""
        played: set[str] = set()
        with ThreadPoolExecutor(threads) as pool:
            for _, pod in watched(self._kube, f"{self._namespace}/pods", labelSelector=SELECTOR):
                name = pod["metadata"]["name"]
                if name not in played and pod["status"].get("phase") == "Pending":
                    played.add(name)
                    pool.submit(self._play, pod)

    def _play(self, pod: Object) -> None:
        try:
            self._work(pod)
        except (ClientError, AssertionError, httpx.HTTPError) as error:
            sys.stderr.write(f"{pod['metadata']['name']}: {error!r}\n")
            self._end(pod, exit_code=1)
        else:
            self._end(pod, exit_code=0)

    def _work(self, pod: Object) -> None:
        labels = pod["metadata"]["labels"]
        environ = self._secret(pod["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"])
        # No TLS on the loopback: loading the certificates costs more than the calls.
        transport = httpx.HTTPTransport(verify=False)
        url, key = environ["CLIPMILL_API_URL"], environ["CLIPMILL_API_KEY"]
        with Client(url, key, transport=transport) as job:
            if labels[STAGE] == "fetch":
                fetch(job, int(labels[INDEX]), self._file)
            else:
                assemble(job, self._file)

    def _secret(self, name: str) -> dict[str, str]:
        """Return a decoded Secret. It is created a moment after the Job, for which pods wait."""
        while (reply := self._kube.get(f"{self._namespace}/secrets/{name}")).status_code == 404:
            time.sleep(0.05)
        data = reply.raise_for_status().json()["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def _end(self, pod: Object, exit_code: int) -> None:
        path = f"{self._namespace}/pods/{pod['metadata']['name']}/status"
        headers = {"Content-Type": "application/merge-patch+json"}
        patch = {"status": ended_status(exit_code)}
        self._kube.patch(path, json=patch, headers=headers).raise_for_status()


@contextmanager
def playing(plane: ControlPlane, namespace: str, file: Path) -> Iterator[None]:
    """Play the pods of a namespace in another process."""
    argv = (sys.executable, "-m", "benchmarks.pod_player", plane.url, namespace, str(file))
    player = subprocess.Popen(argv)
    try:
        yield
    finally:
        player.terminate()
        player.wait()


def main() -> None:
    """Play until a signal ends the process."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pod_player", description=__doc__)
    parser.add_argument("url", help="of the API server")
    parser.add_argument("namespace")
    parser.add_argument("file", type=Path, help="a clip, as which each pod has a result")
    parser.add_argument("--threads", type=int, default=THREADS, help="pods at the same time")
    options = parser.parse_args()
    with administrator(options.url) as kube:
        PodPlayer(kube, options.namespace, options.file).play_all(options.threads)


if __name__ == "__main__":
    main()
