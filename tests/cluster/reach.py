"""Probes of the isolation: roles, targets, and what each role may reach."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from cluster import names, world
from cluster.kubectl import Object, get
from cluster.release import HERE, VIDEOS

ELSEWHERE = "elsewhere"
# Seconds after the start of the container's process.
MOMENTS = (0, 1, 5, 30)
JOBS = ("discover", "fetch", "render", "assemble")
# A stranger is a pod without a policy: it shows that the targets can be reached.
ROLES = (*JOBS, "api", "operator", "database", "stranger")
OPEN = {"dns", "other", "kubernetes", "metadata", "private", "public"}
MAY = {
    "discover": {"api", "dns", "public"},
    "fetch": {"api", "dns", "public"},
    "render": {"api", "dns"},
    "assemble": {"api", "dns"},
    "api": {"database", "dns"},
    "operator": {"api", "dns", "kubernetes"},
    "database": set[str](),
    "stranger": OPEN,
}


class Target(NamedTuple):
    """An address to probe. `way`: pod IP, service IP, service name or address."""

    what: str
    way: str
    host: str
    port: int

    @property
    def name(self) -> str:
        """Return the name by which a probe reports it."""
        return f"{self.what}/{self.way}"


def targets() -> list[Target]:
    """Return all targets of this cluster."""
    found = [
        *_served("database", HERE, f"{HERE}-database", 5432, f"{HERE}-database-0"),
        *_served("api", HERE, f"{HERE}-api", 8000, _pod(HERE, "component=api")),
        *_served("dns", "kube-system", "kube-dns", 53, _pod("kube-system", "kube-dns")),
        *_served("other", ELSEWHERE, "other", 8000, "other"),
        *_kubernetes(),
    ]
    addresses = {
        "metadata": world.METADATA,
        "private": world.PRIVATE,
        "public": world.PUBLIC,
    }
    return found + [Target(what, "address", host, world.PORT) for what, host in addresses.items()]


def _pod(namespace: str, component: str) -> str:
    selector = f"app.kubernetes.io/{component}" if "=" in component else f"k8s-app={component}"
    ready = [
        pod["metadata"]["name"]
        for pod in get("pods", namespace, "-l", selector)
        if any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"]["conditions"])
    ]
    return str(ready[0])


def _served(what: str, namespace: str, service: str, pod_port: int, pod: str) -> list[Target]:
    spec = get(f"service/{service}", namespace)["spec"]
    port = next(p["port"] for p in spec["ports"] if p.get("protocol", "TCP") == "TCP")
    host = f"{service}.{namespace}.svc.cluster.local."
    return [
        Target(what, "pod IP", get(f"pod/{pod}", namespace)["status"]["podIP"], pod_port),
        Target(what, "service IP", spec["clusterIP"], port),
        Target(what, "service name", host, port),
    ]


def _kubernetes() -> list[Target]:
    spec = get("service/kubernetes", "default")["spec"]
    slices = get("endpointslices", "default", "-l", "kubernetes.io/service-name=kubernetes")
    behind, port = slices[0]["endpoints"][0]["addresses"][0], slices[0]["ports"][0]["port"]
    return [
        Target("kubernetes", "pod IP", behind, port),
        Target("kubernetes", "service IP", spec["clusterIP"], 443),
        Target("kubernetes", "service name", "kubernetes.default.svc.cluster.local.", 443),
    ]


def where(role: str) -> str:
    """Return the namespace of a role's pods."""
    return VIDEOS if role in JOBS else ELSEWHERE if role == "stranger" else HERE


def labels(role: str) -> dict[str, str]:
    """Return the labels by which policies select a role's pods."""
    if role in JOBS:
        return {"clipmill.dev/stage": role}
    if role == "stranger":
        return {}
    release = {"app.kubernetes.io/name": "clipmill", "app.kubernetes.io/instance": HERE}
    return {**release, "app.kubernetes.io/component": role}


def pod(name: str, role: str, command: list[str]) -> Object:
    """Return a pod of the job image that is never ready, so that no Service routes to it."""
    never = {"exec": {"command": ["false"]}, "periodSeconds": 60}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": where(role), "labels": labels(role)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "dnsConfig": {"options": [{"name": k, "value": "1"} for k in ("timeout", "attempts")]},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "probe",
                    "image": names.image("job"),
                    "imagePullPolicy": "IfNotPresent",
                    "command": command,
                    "workingDir": "/",
                    "readinessProbe": never,
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }


def probe(
    name: str, role: str, asked: Iterable[Target], moments: Sequence[float] = MOMENTS
) -> Object:
    """Return a pod that probes the targets at each moment, and ends."""
    code = (Path(__file__).parent / "probe.py").read_text()
    listed = json.dumps([(target.name, target.host, target.port) for target in asked])
    return pod(name, role, ["python", "-c", code, listed, json.dumps(moments)])
