"""Select the operator that acts when a cluster has several releases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cluster.kubectl import get, kubectl, until

OPERATORS = "app.kubernetes.io/name=clipmill,app.kubernetes.io/component=operator"


@contextmanager
def only_operator_of(namespace: str) -> Iterator[None]:
    """Scale the operators of all other namespaces to 0 within the block."""
    deployments = [each["metadata"] for each in get("deployments", "", "-A", "-l", OPERATORS)]
    others = [(o["name"], o["namespace"]) for o in deployments if o["namespace"] != namespace]

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
    # The isolation test's probes have the same labels; they have ended.
    live = ("-l", OPERATORS, "--field-selector=status.phase!=Succeeded")
    pods = [pod["metadata"] for pod in get("pods", "", "-A", *live)]
    return [pod["name"] for pod in pods if pod["namespace"] != namespace]
