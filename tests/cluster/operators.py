"""More than one release on one cluster: whose operator acts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.kubectl import get, kubectl, until

OPERATORS = "app.kubernetes.io/name=clipmill,app.kubernetes.io/component=operator"


@contextmanager
def only_operator_of(namespace: str) -> Iterator[None]:
    """The operators of all other namespaces have no pod for as long as this lasts."""
    found = [one["metadata"] for one in get("deployments", "", "-A", "-l", OPERATORS)]
    others = [(o["name"], o["namespace"]) for o in found if o["namespace"] != namespace]

    def scale(replicas: int) -> None:
        for name, where in others:
            kubectl("scale", "deployment", name, "-n", where, f"--replicas={replicas}")

    try:
        scale(0)
        until("no other operator", lambda: not _elsewhere(namespace))
        yield
    finally:
        scale(1)
        for name, where in others:
            kubectl("rollout", "status", f"deployment/{name}", "-n", where, "--timeout=300s")


def _elsewhere(namespace: str) -> list[str]:
    # The isolation test's probes carry the same labels; they have ended, and act on nothing.
    live = ("-l", OPERATORS, "--field-selector=status.phase!=Succeeded")
    found = [pod["metadata"] for pod in get("pods", "", "-A", *live)]
    return [pod["name"] for pod in found if pod["namespace"] != namespace]
