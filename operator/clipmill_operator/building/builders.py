"""Builders of what the operator puts into the cluster: Jobs, Secrets, policies. All pure.

Names follow from the resource's uid, generation and stage: the same is applied again, never twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from clipmill.protocol import ExitCode, Stage
from clipmill_operator.building.resource import API_VERSION, GROUP, KIND
from clipmill_operator.settings import Settings

Object = dict[str, Any]
STAGE = f"{GROUP}/stage"
GENERATION = f"{GROUP}/generation"
COMPILATION_UID = f"{GROUP}/compilation-uid"
COMPILATION_NAME = f"{GROUP}/compilation"
SUBMISSION = f"{GROUP}/submission"
"""Annotation: the API's compilation that a resource was made for."""
OWNER = f"{GROUP}/owner"
"""Label of a namespace, and of what is made for a resource: whose it is."""
OURS = {"app.kubernetes.io/managed-by": "clipmill-operator", "app.kubernetes.io/name": "clipmill"}
SELECTOR = "app.kubernetes.io/managed-by=clipmill-operator"
USER_ID = 10001
RETRIES = 3
"""How often one part is tried again after it failed for a reason that may pass."""
GIVE_UP = [code for code in range(64, 80) if code != ExitCode.LEASE_LOST]
"""Exit codes after which another try gives the same. A lost lease is none: the next finds it."""


@dataclass(frozen=True, slots=True)
class Named:
    """A resource and a generation: what children are called and labelled after."""

    namespace: str
    name: str
    uid: str
    generation: int
    owner: str

    def child(self, stage: Stage) -> str:
        """The name of a stage's Job and Secret: at most 52 characters, for pods add to it."""
        digest = hashlib.sha256(self.uid.encode()).hexdigest()[:6]
        short = self.name[:24].rstrip("-")
        return f"{short}-{digest}-g{self.generation}-{stage.value}"

    def labels(self, stage: Stage) -> dict[str, str]:
        """What a stage's objects are found by."""
        return {
            **OURS,
            "app.kubernetes.io/component": "job",
            COMPILATION_NAME: self.name,
            COMPILATION_UID: self.uid,
            GENERATION: str(self.generation),
            OWNER: self.owner,
            STAGE: stage.value,
        }


def _owned(api_version: str, kind: str, name: str, uid: str) -> list[Object]:
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": uid}
    return [{**owner, "controller": True}]


def job(of: Named, stage: Stage, tasks: int, settings: Settings) -> Object:
    """The Job of one stage, one index for each part."""
    most = {Stage.FETCH: settings.fetch_parallelism, Stage.RENDER: settings.render_parallelism}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": of.child(stage),
            "namespace": of.namespace,
            "labels": of.labels(stage),
            "ownerReferences": _owned(API_VERSION, KIND, of.name, of.uid),
        },
        "spec": {
            "completionMode": "Indexed",
            "completions": tasks,
            "parallelism": min(tasks, most.get(stage, 1)),
            "backoffLimitPerIndex": RETRIES,
            "maxFailedIndexes": tasks,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _failure_rules()},
            "activeDeadlineSeconds": settings.stage_deadline_s,
            "ttlSecondsAfterFinished": settings.job_ttl_s,
            "template": _pod(of, stage, settings),
        },
    }


def _failure_rules() -> list[Object]:
    disrupted = [{"type": "DisruptionTarget", "status": "True"}]
    return [
        {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": GIVE_UP}},
        {"action": "Ignore", "onPodConditions": disrupted},
    ]


def _pod(of: Named, stage: Stage, settings: Settings) -> Object:
    pods = settings.pods
    placing = {
        "imagePullSecrets": [{"name": name} for name in pods.image_pull_secrets],
        "nodeSelector": pods.node_selector,
        "tolerations": pods.tolerations,
        "affinity": pods.affinity,
        "priorityClassName": pods.priority_class_name,
        "runtimeClassName": pods.runtime_class_name,
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 15,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(of, stage, settings)],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": pods.scratch.get(stage.value, "5Gi")}}
        ],
        **{key: value for key, value in placing.items() if value},
    }
    metadata: Object = {"labels": {**pods.labels, **of.labels(stage)}}
    if pods.annotations:
        metadata["annotations"] = pods.annotations
    return {"metadata": metadata, "spec": spec}


def _container(of: Named, stage: Stage, settings: Settings) -> Object:
    resources = settings.pods.resources.get(stage.value)
    return {
        "name": "job",
        "image": settings.job_image,
        "imagePullPolicy": settings.job_image_pull_policy,
        "envFrom": [{"secretRef": {"name": of.child(stage)}}],
        "resources": resources.model_dump(exclude_defaults=True) if resources else {},
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def secret(of: Named, stage: Stage, job_uid: str, *, url: str, key: str) -> Object:
    """All that the pods of a stage are told. It goes with its Job.

    Not immutable: a kubelet would never look again, and not see the one that replaces it.
    """
    name = of.child(stage)
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": of.namespace,
            "labels": of.labels(stage),
            "ownerReferences": _owned("batch/v1", "Job", name, job_uid),
        },
        "stringData": {"CLIPMILL_API_URL": url, "CLIPMILL_API_KEY": key},
    }


# --- isolation --------------------------------------------------------------------------------


def policies(namespace: str, settings: Settings) -> list[Object]:
    """What job pods of a namespace may reach: nothing, DNS and the API, and fetch the internet."""
    jobs = {"matchExpressions": [{"key": STAGE, "operator": "Exists"}]}
    fetch = {"matchLabels": {STAGE: Stage.FETCH.value}}
    both = ["Ingress", "Egress"]
    return [
        _policy(namespace, "clipmill-jobs-deny", {"podSelector": jobs, "policyTypes": both}),
        _policy(
            namespace,
            "clipmill-jobs-api",
            {"podSelector": jobs, "policyTypes": ["Egress"], "egress": _dns_and_api(settings)},
        ),
        _policy(
            namespace,
            "clipmill-jobs-fetch",
            {"podSelector": fetch, "policyTypes": ["Egress"], "egress": [_internet(settings)]},
        ),
    ]


def _policy(namespace: str, name: str, spec: Object) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(OURS)},
        "spec": spec,
    }


def _in_namespace(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def _dns_and_api(settings: Settings) -> list[Object]:
    dns = [_in_namespace(settings.dns_namespace)]
    dns += [{"ipBlock": {"cidr": cidr}} for cidr in settings.dns_cidrs]
    api = {
        **_in_namespace(settings.policy_api_namespace),
        "podSelector": {"matchLabels": dict(settings.api_pod_labels)},
    }
    return [
        {"to": dns, "ports": [{"port": 53, "protocol": p} for p in ("UDP", "TCP")]},
        {"to": [api], "ports": [{"port": settings.api_port, "protocol": "TCP"}]},
    ]


def _internet(settings: Settings) -> Object:
    """Everything but the closed ranges, by TCP."""
    peers = []
    for everything in ("0.0.0.0/0", "::/0"):
        version = ip_network(everything).version
        closed = [cidr for cidr in settings.closed_cidrs if ip_network(cidr).version == version]
        peers.append({"ipBlock": {"cidr": everything, "except": closed}})
    return {"to": peers, "ports": [{"protocol": "TCP"}]}
