"""The Job of a stage, and the Secret that its pods read."""

from __future__ import annotations

from clipmill.protocol import ExitCode, Stage
from clipmill_operator.building.labels import DISCOVER, QUEUE_NAME, JobRef, owner_reference
from clipmill_operator.building.resource import Object
from clipmill_operator.settings import Settings

USER_ID = 10001
# Retries of one task after a failure that may be transient.
RETRIES = 3
# Exit codes that fail a task without a retry. After a lost lease another pod may succeed.
PERMANENT_EXIT_CODES = [code for code in range(64, 80) if code != ExitCode.LEASE_LOST]
DEFAULT_SCRATCH = "5Gi"
# By its name a pod claims tasks, and the operator knows the one that an ended pod has held.
POD_NAME = {"name": "CLIPMILL_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
# A discover task ends itself much earlier, by the limit of its assignment.
DISCOVER_DEADLINE_S = 900


def job_object(ref: JobRef, stage: str, tasks: int, settings: Settings) -> Object:
    """Return the Indexed Job of a stage with one index per pod at a time.

    A pod goes on with the next clip or segment until none is left: a pod's start takes longer than
    many a clip. The API counts the attempts at each clip; a pod that ends before its work is done
    is replaced as often as all attempts may take.
    """
    parallelism: dict[str, int] = {
        Stage.FETCH: settings.fetch_parallelism,
        Stage.RENDER: settings.render_parallelism,
    }
    pods = min(tasks, parallelism.get(stage, 1))
    retries = tasks * (RETRIES + 1) - 1 if stage == Stage.FETCH else RETRIES
    deadline_s = DISCOVER_DEADLINE_S if stage == DISCOVER else settings.stage_deadline_s
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": ref.child_name(stage),
            "namespace": ref.namespace,
            "labels": {**ref.labels(stage), **ref.queue_labels},
            "ownerReferences": ref.owner_references(),
        },
        "spec": {
            **_suspension(ref),
            "completionMode": "Indexed",
            "completions": pods,
            "parallelism": pods,
            "backoffLimitPerIndex": retries,
            "maxFailedIndexes": pods,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _failure_rules()},
            "activeDeadlineSeconds": deadline_s,
            "ttlSecondsAfterFinished": settings.job_ttl_s,
            "template": _pod_template(ref, stage, settings),
        },
    }


def _suspension(ref: JobRef) -> Object:
    """Return the field by which the pods of a Job wait until Kueue admits it."""
    return {"suspend": True} if QUEUE_NAME in ref.queue_labels else {}


def _failure_rules() -> list[Object]:
    exit_codes = {"operator": "In", "values": PERMANENT_EXIT_CODES}
    disruption = {"type": "DisruptionTarget", "status": "True"}
    return [
        {"action": "FailIndex", "onExitCodes": exit_codes},
        {"action": "Ignore", "onPodConditions": [disruption]},
    ]


def _pod_template(ref: JobRef, stage: str, settings: Settings) -> Object:
    pods = settings.pods
    metadata: Object = {"labels": {**pods.labels, **ref.labels(stage)}}
    if pods.annotations:
        metadata["annotations"] = pods.annotations
    scratch = {"sizeLimit": pods.scratch.get(stage, DEFAULT_SCRATCH)}
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
        "containers": [_container(ref, stage, settings)],
        "volumes": [{"name": "scratch", "emptyDir": scratch}],
        **_placement(settings),
    }
    return {"metadata": metadata, "spec": spec}


def _placement(settings: Settings) -> Object:
    pods = settings.pods
    fields = {
        "imagePullSecrets": [{"name": name} for name in pods.image_pull_secrets],
        "nodeSelector": pods.node_selector,
        "tolerations": pods.tolerations,
        "affinity": pods.affinity,
        "priorityClassName": pods.priority_class_name,
        "runtimeClassName": pods.runtime_class_name,
        "schedulerName": pods.scheduler_name,
    }
    return {field: value for field, value in fields.items() if value}


def _container(ref: JobRef, stage: str, settings: Settings) -> Object:
    resources = settings.pods.resources.get(stage)
    arguments: Object = {"args": [DISCOVER]} if stage == DISCOVER else {}
    return {
        "name": "job",
        **arguments,
        "image": settings.job_image,
        "imagePullPolicy": settings.job_image_pull_policy,
        "env": [POD_NAME],
        "envFrom": [{"secretRef": {"name": ref.child_name(stage)}}],
        "resources": resources.model_dump(exclude_defaults=True) if resources else {},
        "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def secret_object(
    ref: JobRef, stage: str, job_uid: str, *, url: str, key: str, authorities: str = ""
) -> Object:
    """Return the Secret of a stage's pods, owned by the Job.

    It is not immutable: a kubelet does not watch an immutable Secret, and would miss a replacement.

    Args:
        ref: What the Job is for.
        stage: The stage of its pods.
        job_uid: The uid of the Job.
        url: The URL of the API.
        key: The key of the pods.
        authorities: CAs of the API in PEM, or nothing.
    """
    name = ref.child_name(stage)
    data = {"CLIPMILL_API_URL": url, "CLIPMILL_API_KEY": key}
    if authorities:
        data["CLIPMILL_CA"] = authorities
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": name,
            "namespace": ref.namespace,
            "labels": ref.labels(stage),
            "ownerReferences": [owner_reference("batch/v1", "Job", name, job_uid)],
        },
        "stringData": data,
    }
