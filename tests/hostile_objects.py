"""Objects that the operator creates, and variants that its admission policies refuse."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from clipmill.protocol import Stage
from clipmill.shows.show_messages import DiscoverJob
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import DISCOVER, EpisodeRef, RevisionRef
from clipmill_operator.building.policy_objects import network_policies
from clipmill_operator.settings import Settings

Object = dict[str, Any]
Change = Callable[[Object], None]
# The security context of a job's container.
RESTRICTED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
UID = "0b9c7f9e-0000-4000-8000-000000000000"


def settings(job_image: str, namespace: str = "clipmill", release: str = "clipmill") -> Settings:
    """Return the settings that the chart gives to an operator by default."""
    labels = {
        "app.kubernetes.io/name": "clipmill",
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/component": "api",
    }
    return Settings(
        api_url=f"http://{release}-api.{namespace}.svc:80",
        operator_key="cm_o_key",
        job_image=job_image,
        namespace=namespace,
        api_pod_labels=labels,
        api_port=8000,
    )


def own_objects(namespace: str, configured: Settings) -> dict[str, Object]:
    """Return what an operator with these settings creates, by a name."""
    revision = RevisionRef(namespace, "friday", UID, 3, "ada")
    objects: dict[str, Object] = {}
    for stage in Stage:
        objects[f"{stage} Job"] = job_object(revision, stage, 2, configured)
        objects[f"{stage} Secret"] = secret_object(
            revision,
            stage,
            UID,
            url=configured.pods_api_url,
            key="cm_j_key",
            # Of an API with HTTPS; those of discover Jobs have none.
            authorities="-----BEGIN CERTIFICATE-----",
        )
    for name, uid in (("discover", UID), ("ownerless discover", None)):
        episode = EpisodeRef(
            DiscoverJob(
                episode_id="e-abcd1234",
                show_uid=uid,
                show_name="weekly",
                namespace=namespace,
                name="weekly-20261127-1800",
                owner="ada",
            )
        )
        objects[f"{name} Job"] = job_object(episode, DISCOVER, 1, configured)
        objects[f"{name} Secret"] = secret_object(
            episode, DISCOVER, UID, url=configured.pods_api_url, key="cm_j_key"
        )
    for policy in network_policies(namespace, configured):
        objects[policy["metadata"]["name"]] = policy
    return objects


def _pod(**fields: object) -> Change:
    return lambda job: job["spec"]["template"]["spec"].update(fields)


def _container(**fields: object) -> Change:
    return lambda job: job["spec"]["template"]["spec"]["containers"][0].update(fields)


def _pod_label(key: str, value: str) -> Change:
    return lambda job: job["spec"]["template"]["metadata"]["labels"].update({key: value})


def _metadata(**fields: object) -> Change:
    return lambda item: item["metadata"].update(fields)


def _label(key: str, value: str) -> Change:
    return lambda item: item["metadata"]["labels"].update({key: value})


def _spec(**fields: object) -> Change:
    return lambda item: item["spec"].update(fields)


def _volume(**source: object) -> Change:
    volumes = [{"name": "scratch", "emptyDir": {}}, {"name": "more", **source}]
    return _pod(volumes=volumes)


def _second_container(job: Object) -> None:
    pod = job["spec"]["template"]["spec"]
    pod["containers"].append({**copy.deepcopy(pod["containers"][0]), "name": "second"})


def _init_container(job: Object) -> None:
    pod = job["spec"]["template"]["spec"]
    pod["initContainers"] = [{**copy.deepcopy(pod["containers"][0]), "name": "first"}]


def _open_egress(policy: Object) -> None:
    policy["spec"]["egress"] = [{}]


def _without_exceptions(policy: Object) -> None:
    policy["spec"]["egress"] = [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]


def _any_port(policy: Object) -> None:
    del policy["spec"]["egress"][0]["ports"]


def _to_the_database(policy: Object) -> None:
    policy["spec"]["egress"][1]["ports"][0]["port"] = 5432


# The object to change, what is changed, and a part of the message of the refusal.
HOSTILE: dict[str, tuple[str, Change, str]] = {
    "another service account": ("render Job", _pod(serviceAccountName="admin"), "service account"),
    "the older field of it": ("render Job", _pod(serviceAccount="admin"), "service account"),
    "a mounted token": ("render Job", _pod(automountServiceAccountToken=True), "service account"),
    "a projected token": (
        "render Job",
        _volume(projected={"sources": [{"serviceAccountToken": {"path": "token"}}]}),
        "one volume",
    ),
    "a host path": ("render Job", _volume(hostPath={"path": "/"}), "one volume"),
    "a Secret as volume": ("render Job", _volume(secret={"secretName": "db"}), "one volume"),
    "a volume claim": (
        "render Job",
        _volume(persistentVolumeClaim={"claimName": "clipmill-api"}),
        "one volume",
    ),
    "the host's network": ("fetch Job", _pod(hostNetwork=True), "access to their host"),
    "the host's processes": ("fetch Job", _pod(hostPID=True), "access to their host"),
    "the host's IPC": ("fetch Job", _pod(hostIPC=True), "access to their host"),
    "a node by name": ("fetch Job", _pod(nodeName="control-plane"), "access to their host"),
    "a host port": (
        "fetch Job",
        _container(ports=[{"containerPort": 80, "hostPort": 80}]),
        "without probes, hooks and ports",
    ),
    "another image": ("render Job", _container(image="evil:1"), "image is not one of"),
    "another command": ("render Job", _container(command=["sh"]), "command of its image"),
    "arguments": ("fetch Job", _container(args=["discover"]), "command of its image"),
    "other arguments": ("discover Job", _container(args=["sh"]), "command of its image"),
    "a second container": ("render Job", _second_container, "one container"),
    "an init container": ("render Job", _init_container, "no init container"),
    "a foreign Secret": (
        "render Job",
        _container(envFrom=[{"secretRef": {"name": "clipmill-keys"}}]),
        "environment comes from",
    ),
    "a variable from a Secret": (
        "render Job",
        _container(
            env=[
                {
                    "name": "X",
                    "valueFrom": {"secretKeyRef": {"name": "clipmill-keys", "key": "admin-key"}},
                }
            ]
        ),
        "environment comes from",
    ),
    "root": ("render Job", _pod(securityContext={"runAsUser": 0}), "restricted security context"),
    "a container as root": (
        "render Job",
        _container(securityContext={**RESTRICTED, "runAsUser": 0}),
        "restricted security context",
    ),
    "a writable root": (
        "render Job",
        _container(securityContext={**RESTRICTED, "readOnlyRootFilesystem": False}),
        "restricted security context",
    ),
    "an added capability": (
        "render Job",
        _container(
            securityContext={
                **RESTRICTED,
                "capabilities": {"drop": ["ALL"], "add": ["NET_RAW"]},
            }
        ),
        "restricted security context",
    ),
    "the labels of the API": (
        "render Job",
        _pod_label("app.kubernetes.io/component", "api"),
        "labels of job pods",
    ),
    "the label of a release": (
        "render Job",
        _pod_label("app.kubernetes.io/instance", "clipmill"),
        "labels of job pods",
    ),
    "pods of another stage": (
        "render Job",
        _pod_label("clipmill.dev/stage", "fetch"),
        "labels of job pods",
    ),
    "an annotation": (
        "render Job",
        lambda job: job["spec"]["template"]["metadata"].update(annotations={"k8s.v1": "net"}),
        "annotations of jobs.pods",
    ),
    "a Job without an owner": ("render Job", _label("clipmill.dev/owner", ""), "an owner"),
    "a Job of another name": ("render Job", _metadata(name="miner"), "the name of an object"),
    "a Job of no Compilation": ("render Job", _metadata(ownerReferences=[]), "belongs to"),
    "a discover Job of a Compilation": (
        "discover Job",
        lambda job: job["metadata"]["ownerReferences"][0].update(kind="Compilation"),
        "belongs to",
    ),
    "a discover Job of another Show": (
        "discover Job",
        lambda job: job["metadata"]["ownerReferences"][0].update(uid="another"),
        "belongs to",
    ),
    "a discover Job that outlives its Show": (
        "discover Job",
        _metadata(ownerReferences=[]),
        "belongs to",
    ),
    "a render Job of a Show": (
        "render Job",
        lambda job: job["metadata"]["ownerReferences"][0].update(kind="Show"),
        "belongs to",
    ),
    "a discover Job without an end": (
        "discover Job",
        _spec(activeDeadlineSeconds=7200),
        "parallelism",
    ),
    "a discover Secret with more entries": (
        "discover Secret",
        lambda secret: secret["stringData"].update(CLIPMILL_CREDENTIAL="x"),
        "API's URL, a key and CAs only",
    ),
    "a queue name without Kueue": (
        "render Job",
        _label("kueue.x-k8s.io/queue-name", "team"),
        "queued by Kueue",
    ),
    "another label of Kueue": (
        "render Job",
        _label("kueue.x-k8s.io/prebuilt-workload-name", "mine"),
        "queued by Kueue",
    ),
    "an annotation of Kueue": (
        "render Job",
        _metadata(annotations={"kueue.x-k8s.io/job-min-parallelism": "1"}),
        "queued by Kueue",
    ),
    "another scheduler": ("render Job", _pod(schedulerName="mine"), "access to their host"),
    "many pods": ("render Job", _spec(parallelism=500, completions=500), "parallelism"),
    "a Secret of another name": ("render Secret", _metadata(name="x"), "the name of an object"),
    "a token Secret": (
        "render Secret",
        lambda secret: (
            secret.update(type="kubernetes.io/service-account-token"),
            secret["metadata"].update(
                annotations={"kubernetes.io/service-account.name": "default"}
            ),
        )[0],
        "type Opaque",
    ),
    "a Secret with more entries": (
        "render Secret",
        lambda secret: secret["stringData"].update(LD_PRELOAD="/scratch/x.so"),
        "API's URL, a key and CAs only",
    ),
    "a Secret of the keys' name": (
        "render Secret",
        _metadata(name="clipmill-keys"),
        "the name of an object",
    ),
    "a NetworkPolicy of another name": (
        "clipmill-jobs-deny",
        _metadata(name="allow-all"),
        "is one of clipmill-jobs-deny",
    ),
    "deny that allows": ("clipmill-jobs-deny", _open_egress, "denies all traffic"),
    "the API's rule for all": ("clipmill-jobs-api", _open_egress, "DNS and the API only"),
    "the API's rule for the database": (
        "clipmill-jobs-api",
        _to_the_database,
        "DNS and the API only",
    ),
    "fetch from private ranges": ("clipmill-jobs-fetch", _without_exceptions, "public addresses"),
    "fetch by any port": ("clipmill-jobs-fetch", _any_port, "public addresses"),
    "internet for all stages": (
        "clipmill-jobs-fetch",
        _spec(podSelector={}),
        "selects job pods",
    ),
    "internet for one more stage": (
        "clipmill-jobs-fetch",
        lambda policy: policy["spec"]["podSelector"]["matchExpressions"][0]["values"].append(
            "render"
        ),
        "selects job pods",
    ),
}


def hostile(name: str, objects: dict[str, Object]) -> tuple[Object, str]:
    """Return the changed object of a case, and a part of the message that refuses it."""
    base, change, message = HOSTILE[name]
    item = copy.deepcopy(objects[base])
    change(item)
    return item, message


def alien_secret(namespace: str) -> Object:
    """Return a Secret that somebody else created."""
    metadata = {"name": "database", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"a": "b"}}


def disguised_secret(namespace: str) -> Object:
    """Return a Secret of somebody else, with the name of a stage's Secret and no label."""
    return {
        **alien_secret(namespace),
        "metadata": {"name": "friday-0123ab-g1-render", "namespace": namespace},
    }
