"""Objects of the cluster, reduced to the fields that the operator reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

from clipmill_operator.building.labels import (
    COMPILATION_UID,
    EPISODE,
    GENERATION,
    OWNER,
    PRIORITY_CLASS,
    QUEUE_NAME,
    STAGE,
    SUBMISSION,
    SUBMISSION_PROOF,
)
from clipmill_operator.building.resource import KIND
from clipmill_operator.building.show_resource import SHOW_KIND
from clipmill_operator.queueing.observed_workload import ObservedWorkload
from clipmill_operator.watching.observed_pod import Body, ObservedPod

# Namespace and name.
Key = tuple[str, str]
# No resource has such a name: a key with it stands for a Show.
SHOW_PREFIX = "show/"


def key_of(body: Body) -> Key:
    """Return namespace and name of an object."""
    return body["metadata"]["namespace"], body["metadata"]["name"]


def resource_version_of(body: Body) -> int:
    """Return the resource version of an object. It rises with each change."""
    return int(body["metadata"].get("resourceVersion") or 0)


@dataclass(frozen=True, slots=True)
class ObservedCompilation:
    """A Compilation as it was last observed."""

    kind: ClassVar[str] = KIND
    namespace: str
    name: str
    uid: str
    generation: int
    created_at: str
    spec: Body
    status: Body = field(default_factory=dict)
    # The id of the API's submission that it was created for.
    submission: str | None = None
    submission_proof: str | None = None
    # The labels of Kueue.
    queue_name: str = ""
    priority_class: str = ""
    is_deleting: bool = False

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @classmethod
    def from_body(cls, body: Body) -> ObservedCompilation:
        """Read a Compilation."""
        metadata = body["metadata"]
        annotations, labels = metadata.get("annotations") or {}, metadata.get("labels") or {}
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            created_at=metadata.get("creationTimestamp", ""),
            spec=body.get("spec") or {},
            status=body.get("status") or {},
            submission=annotations.get(SUBMISSION),
            submission_proof=annotations.get(SUBMISSION_PROOF),
            queue_name=labels.get(QUEUE_NAME, ""),
            priority_class=labels.get(PRIORITY_CLASS, ""),
            is_deleting="deletionTimestamp" in metadata,
        )


@dataclass(frozen=True, slots=True)
class ObservedShow:
    """A Show as it was last observed."""

    kind: ClassVar[str] = SHOW_KIND
    namespace: str
    name: str
    uid: str
    generation: int
    spec: Body
    status: Body = field(default_factory=dict)
    is_deleting: bool = False

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def queue_key(self) -> Key:
        """The key in the queue, where a Compilation of the same name has another one."""
        return self.namespace, SHOW_PREFIX + self.name

    @classmethod
    def from_body(cls, body: Body) -> ObservedShow:
        """Read a Show."""
        metadata = body["metadata"]
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            spec=body.get("spec") or {},
            status=body.get("status") or {},
            is_deleting="deletionTimestamp" in metadata,
        )


@dataclass(frozen=True, slots=True)
class ObservedJob:
    """A Job of a Compilation or of an episode as it was last observed."""

    namespace: str
    name: str
    uid: str
    compilation_uid: str
    stage: str
    generation: int
    owner: str = ""
    # The terminal condition, Complete or Failed, and its message. Empty while the Job is active.
    result: str = ""
    message: str = ""
    # The episode of which it is the discover Job.
    episode: str = ""
    # The queue of Kueue that it was created for. While it is suspended it has no pods.
    queue_name: str = ""
    is_suspended: bool = False
    is_deleting: bool = False

    @property
    def waits_in_queue(self) -> bool:
        """Whether it waits for Kueue."""
        return bool(self.queue_name) and self.is_suspended and not self.result

    @property
    def is_significant(self) -> bool:
        """Whether a reconcile may be needed: whoever creates a Job that starts knows of it."""
        return bool(self.result) or self.is_suspended or self.is_deleting

    @classmethod
    def from_body(cls, body: Body) -> ObservedJob:
        """Read a Job."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels = metadata.get("labels") or {}
        result, message = _job_result(status)
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            compilation_uid=labels.get(COMPILATION_UID, ""),
            stage=labels.get(STAGE, ""),
            generation=int(labels.get(GENERATION, 0)),
            owner=labels.get(OWNER, ""),
            result=result,
            message=message,
            episode=labels.get(EPISODE, ""),
            queue_name=labels.get(QUEUE_NAME, ""),
            is_suspended=bool((body.get("spec") or {}).get("suspend")),
            is_deleting="deletionTimestamp" in metadata,
        )


def _job_result(status: Body) -> tuple[str, str]:
    for condition in status.get("conditions") or []:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["type"], condition.get("message") or condition.get("reason") or ""
    return "", ""


@dataclass(frozen=True, slots=True)
class Children:
    """The Jobs and pods of one Compilation, and the Workloads of suspended Jobs."""

    jobs: tuple[ObservedJob, ...] = ()
    pods: tuple[ObservedPod, ...] = ()
    workloads: tuple[ObservedWorkload, ...] = ()

    def have_ended(self, stages: Collection[str]) -> bool:
        """Return whether a Job of these stages has ended, or a pod of one."""
        jobs = [job for job in self.jobs if job.stage in stages]
        ended = {pod.job for pod in self.pods if pod.exit_code is not None}
        return any(job.result or job.name in ended for job in jobs)

    def job(self, stage: str, generation: int) -> ObservedJob | None:
        """Return the Job of a stage and generation."""
        for job in self.jobs:
            if (job.stage, job.generation) == (stage, generation):
                return job
        return None

    def pods_of(self, job: ObservedJob) -> list[ObservedPod]:
        """Return the pods of a Job."""
        return [pod for pod in self.pods if pod.job == job.name]

    def workload(self, job: ObservedJob) -> ObservedWorkload | None:
        """Return the Workload of a Job."""
        return next((each for each in self.workloads if each.job_uid == job.uid), None)
