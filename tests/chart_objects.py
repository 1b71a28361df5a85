"""Render the chart by Helm, and select the rendered objects."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
import yaml

from generate import BUILT_HELM, CHART, KUBERNETES_VERSION, find_helm

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
        "api.objectStore.url=s3://bucket/clips",
        "api.objectStore.linkSeconds=60",
        "api.objectStore.jobLinks=true",
        "api.objectStore.jobCIDRs={203.0.113.0/24}",
        "api.objectStore.existingSecret=s3",
    ),
    "watched": ("watchNamespaces={blue,green}", "jobs.submitNamespace=blue"),
    "own secrets": (
        "database.mode=bundled",
        "keys.existingSecret=mine",
        "credentials.existingSecret=my-credentials",
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
        "networkPolicy.webhookPorts={443,587}",
        "networkPolicy.excludedCIDRs={203.0.113.0/24,2001:db8::/32}",
        "api.ingress.className=nginx",
        "api.ingress.tlsSecret=tls",
        "api.ingress.extraHosts={clips.example.com,www.example.com}",
        "api.httpRoute.enabled=true",
        "api.httpRoute.parentRefs[0].name=public",
        "api.httpRoute.hostnames={clips.example.org}",
        "monitoring.serviceMonitor.enabled=true",
        "monitoring.serviceMonitor.labels.release=prometheus",
        "logFormat=json",
        "tracing.endpoint=http://collector.monitoring:4318",
        "monitoring.rules.enabled=true",
        "monitoring.dashboard.enabled=true",
        "monitoring.dashboard.annotations.grafana_folder=Video",
        "monitoring.rules.labels.release=prometheus",
    ),
    "queued": (
        "jobs.kueue.enabled=true",
        "jobs.kueue.queueName=render",
        "jobs.maxActive=0",
        "jobs.maxActivePerOwner=0",
        "jobs.pods.schedulerName=bin-packing",
    ),
    "self-signed": (
        "tls.mode=selfSigned",
        "database.mode=bundled",
        "monitoring.serviceMonitor.enabled=true",
        "api.workerSourceRanges={10.0.0.0/8}",
        "api.trustedProxies={10.9.0.0/16}",
    ),
    "cert-manager": (
        "tls.mode=certManager",
        "tls.certManager.issuerRef.name=internal",
        "tls.certManager.issuerRef.kind=ClusterIssuer",
        "tls.caConfigMap=bundle",
        "api.httpRoute.enabled=true",
        "api.httpRoute.parentRefs[0].name=public",
        "monitoring.serviceMonitor.enabled=true",
        "api.service.port=8443",
    ),
    "open": (
        "networkPolicy.enabled=false",
        "admissionPolicy.enabled=false",
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
            for part in ("api", "operator")
            for setting in (
                "topologySpreadConstraints[0].maxSkew=1",
                "topologySpreadConstraints[0].topologyKey=zone",
                "topologySpreadConstraints[0].whenUnsatisfiable=ScheduleAnyway",
                "topologySpreadConstraints[0].labelSelector.matchLabels.disk=fast",
                "serviceAccount.annotations.role=media",
            )
        ),
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
    """Run helm, or skip the test if there is none."""
    binary = find_helm(os.environ)
    if binary is None:
        pytest.skip(
            f"no helm: set HELM, install it on the PATH, or run `./run cluster up` ({BUILT_HELM})"
        )
    return subprocess.run([binary, *arguments], capture_output=True, text=True, check=False)


def set_options(settings: tuple[str, ...]) -> list[str]:
    """Return the `--set` arguments of the settings."""
    return [word for setting in settings for word in ("--set", setting)]


def template(*settings: str) -> subprocess.CompletedProcess[str]:
    """Render the chart as a release `clipmill` in the namespace `clipmill`."""
    where = ("clipmill", str(CHART), "-n", "clipmill", "--kube-version", KUBERNETES_VERSION)
    return run_helm("template", *where, *set_options(settings))


@lru_cache
def _text(settings: tuple[str, ...]) -> str:
    done = template(*settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(option: str) -> list[Object]:
    """Return the objects of one of OPTIONS."""
    # libyaml parses the CRD ten times as fast as the loader in Python.
    parsed = yaml.load_all(_text(OPTIONS[option]), yaml.CSafeLoader)
    return [rendered for rendered in parsed if rendered]


def of_kind(option: str, *kinds: str) -> list[Object]:
    """Return the objects of these kinds."""
    return [rendered for rendered in objects(option) if rendered["kind"] in kinds]


def named(option: str, kind: str, name: str) -> Object:
    """Return the object of this kind and name."""
    (named_object,) = [
        rendered for rendered in of_kind(option, kind) if rendered["metadata"]["name"] == name
    ]
    return named_object


def pods(option: str) -> Iterator[tuple[str, Object]]:
    """Yield the component and the pod spec of each workload."""
    for rendered in objects(option):
        spec = (
            rendered["spec"]
            if rendered["kind"] == "Pod"
            else rendered.get("spec", {}).get("template", {})
        )
        spec = spec if rendered["kind"] == "Pod" else spec.get("spec")
        if spec:
            yield rendered["metadata"]["labels"]["app.kubernetes.io/component"], spec


def containers(pod: Object) -> list[Object]:
    """Return all containers of a pod, init containers included."""
    return [*pod.get("initContainers", []), *pod["containers"]]


def secrets_of(pod: Object) -> set[tuple[str, str]]:
    """Return (Secret, key) of each that a pod uses; `*` for all keys."""
    secrets = set()
    for container in containers(pod):
        for variable in container.get("env", []):
            ref = variable.get("valueFrom", {}).get("secretKeyRef")
            if ref:
                secrets.add((ref["name"], ref["key"]))
        secrets |= {(source["secretRef"]["name"], "*") for source in container.get("envFrom", [])}
    for volume in pod.get("volumes", []):
        if "secret" in volume:
            secrets.add((volume["secret"]["secretName"], "*"))
    return secrets
