"""The chart as Helm renders it, and ways to look at what came out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
import yaml

from generate import BUILT, CHART, KUBERNETES, helm

Object = dict[str, Any]
MODES: dict[str, tuple[str, ...]] = {
    "sqlite": (),
    "bundled": ("database.mode=bundled",),
    "existing": ("database.mode=existing", "database.existingSecret=app"),
}
NEAR = "affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]"
OPTIONS: dict[str, tuple[str, ...]] = {
    **MODES,
    "scaled": (
        *MODES["existing"],
        "api.replicas=3",
        "api.autoscaling.enabled=true",
        "api.storage.accessModes={ReadWriteMany}",
        "api.objectStore.url=s3://bucket/clips",
        "api.objectStore.existingSecret=s3",
    ),
    "watched": ("watchNamespaces={blue,green}", "jobs.submitNamespace=blue"),
    "own secrets": (
        "database.mode=bundled",
        "keys.existingSecret=mine",
        "database.bundled.existingSecret=my-password",
        "api.storage.existingClaim=my-volume",
    ),
    "marked": (
        "rendering.encoder=nvenc",
        "rendering.watermark.existingConfigMap=mark",
        "rendering.watermark.position=TopLeft",
    ),
    "in front and watched over": (
        "api.ingress.enabled=true",
        "api.ingress.className=nginx",
        "api.ingress.tlsSecret=tls",
        "monitoring.serviceMonitor.enabled=true",
        "monitoring.serviceMonitor.labels.release=prometheus",
    ),
    "open": (
        "networkPolicy.enabled=false",
        "samples=false",
        "defaultOwner=",
        "crds.install=false",
        "api.podDisruptionBudget.enabled=false",
    ),
    "placed": (
        "database.mode=bundled",
        "image.registry=registry.example.com:5000/clipmill",
        "image.tag=v9",
        "database.bundled.image.tag=18",
        f"api.image.digest=sha256:{'0' * 64}",
        "imagePullSecrets={pull}",
        "commonLabels.team=video",
        "rendering.watermark.existingConfigMap=logo",
        "fullnameOverride=cm",
        "sources.allowedHosts={clips.example.com}",
        "sources.allowPrivate={media.example:9000}",
        *(
            f"{part}.{setting}"
            for part in ("api", "operator", "database.bundled")
            for setting in (
                "nodeSelector.disk=fast",
                "tolerations[0].operator=Exists",
                f"{NEAR}.weight=1",
                f"{NEAR}.podAffinityTerm.topologyKey=zone",
                f"{NEAR}.podAffinityTerm.labelSelector.matchLabels.disk=fast",
                "priorityClassName=high",
            )
        ),
    ),
}


def run_helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the helm that can be had, or skip."""
    binary = helm(os.environ)
    if binary is None:
        pytest.skip(
            f"no helm: set HELM, put one on the PATH, or let `./run cluster up` make ~/{BUILT}"
        )
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def set_options(settings: tuple[str, ...]) -> list[str]:
    """`--set` for each."""
    return [word for setting in settings for word in ("--set", setting)]


def template(*settings: str) -> subprocess.CompletedProcess[str]:
    """Render the chart as a release `clipmill` in the namespace `clipmill`."""
    where = ("clipmill", str(CHART), "-n", "clipmill", "--kube-version", KUBERNETES)
    return run_helm("template", *where, *set_options(settings))


@lru_cache
def _text(settings: tuple[str, ...]) -> str:
    done = template(*settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(option: str) -> list[Object]:
    """What the chart makes of one of OPTIONS."""
    return [made for made in yaml.safe_load_all(_text(OPTIONS[option])) if made]


def of_kind(option: str, *kinds: str) -> list[Object]:
    """Those of these kinds."""
    return [made for made in objects(option) if made["kind"] in kinds]


def named(option: str, kind: str, name: str) -> Object:
    """The one of this kind and name."""
    (found,) = [made for made in of_kind(option, kind) if made["metadata"]["name"] == name]
    return found


def pods(option: str) -> Iterator[tuple[str, Object]]:
    """Each pod to be: its component and its spec."""
    for made in objects(option):
        spec = made["spec"] if made["kind"] == "Pod" else made.get("spec", {}).get("template", {})
        spec = spec if made["kind"] == "Pod" else spec.get("spec")
        if spec:
            yield made["metadata"]["labels"]["app.kubernetes.io/component"], spec


def containers(pod: Object) -> list[Object]:
    """All containers of a pod, those of the start included."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def secrets_of(pod: Object) -> set[tuple[str, str]]:
    """(Secret, entry) of each that a pod takes; `*` for the whole."""
    found = set()
    for container in containers(pod):
        for variable in container.get("env", []):
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            if ref:
                found.add((ref["name"], ref["key"]))
        found |= {(one["secretRef"]["name"], "*") for one in container.get("envFrom", [])}
    for volume in pod.get("volumes", []):
        if "secret" in volume:
            found.add((volume["secret"]["secretName"], "*"))
    return found
