"""What is read of the cluster's objects: the few fields that decisions need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipmill_operator.building.builders import (
    COMPILATION_UID,
    GENERATION,
    OWNER,
    STAGE,
    SUBMISSION,
)

Body = Mapping[str, Any]
CONFIG_ERRORS = frozenset({"CreateContainerConfigError"})
"""Why a container waits when its Secret is missing."""
STARTING = frozenset({"", "ContainerCreating", "PodInitializing", *CONFIG_ERRORS})
"""Why a container waits that will start soon."""


def key_of(body: Body) -> tuple[str, str]:
    """(namespace, name)."""
    return body["metadata"]["namespace"], body["metadata"]["name"]


def version_of(body: Body) -> int:
    """The resource version. It rises with every change of an object."""
    return int(body["metadata"].get("resourceVersion") or 0)


@dataclass(frozen=True, slots=True)
class Wish:
    """A Compilation."""

    namespace: str
    name: str
    uid: str
    generation: int
    created: str
    spec: Body
    status: Body = field(default_factory=dict)
    submission: str | None = None
    leaving: bool = False

    @classmethod
    def of(cls, body: Body) -> Wish:
        """Read a Compilation."""
        metadata = body["metadata"]
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            created=metadata.get("creationTimestamp", ""),
            spec=body.get("spec") or {},
            status=body.get("status") or {},
            submission=(metadata.get("annotations") or {}).get(SUBMISSION),
            leaving="deletionTimestamp" in metadata,
        )


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A Job of ours. `end`: Complete or Failed, and why; "" while it goes on."""

    namespace: str
    name: str
    uid: str
    owner_uid: str
    stage: str
    generation: int
    owner: str = ""
    end: str = ""
    why: str = ""
    failed: frozenset[int] = frozenset()
    leaving: bool = False

    @classmethod
    def of(cls, body: Body) -> SeenJob:
        """Read a Job."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels = metadata.get("labels") or {}
        end, why = _end(status)
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            owner_uid=labels.get(COMPILATION_UID, ""),
            stage=labels.get(STAGE, ""),
            generation=int(labels.get(GENERATION, 0)),
            owner=labels.get(OWNER, ""),
            end=end,
            why=why,
            failed=indexes(status.get("failedIndexes") or ""),
            leaving="deletionTimestamp" in metadata,
        )


def _end(status: Body) -> tuple[str, str]:
    for condition in status.get("conditions") or []:
        if condition["type"] in ("Complete", "Failed") and condition["status"] == "True":
            return condition["type"], condition.get("message") or condition.get("reason") or ""
    return "", ""


def indexes(text: str) -> frozenset[int]:
    """`0,3-5` -> {0, 3, 4, 5}."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first:
            found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class SeenPod:
    """A pod of one of our Jobs. `exit_code`: of its last container, once that has ended."""

    namespace: str
    name: str
    job: str
    owner_uid: str
    generation: int
    index: int
    phase: str
    waiting: str = ""
    exit_code: int | None = None
    why: str = ""

    @classmethod
    def of(cls, body: Body) -> SeenPod:
        """Read a pod."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels = metadata.get("labels") or {}
        state = next((c.get("state") or {} for c in status.get("containerStatuses") or []), {})
        ended = state.get("terminated") or {}
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            job=labels.get("batch.kubernetes.io/job-name", ""),
            owner_uid=labels.get(COMPILATION_UID, ""),
            generation=int(labels.get(GENERATION, 0)),
            index=int(labels.get("batch.kubernetes.io/job-completion-index", 0)),
            phase=status.get("phase") or "Pending",
            waiting=(state.get("waiting") or {}).get("reason") or _unplaced(status),
            exit_code=ended.get("exitCode"),
            why=_why(status, ended),
        )

    @property
    def stuck(self) -> str:
        """Why it does not start, if it will not by itself; "" if it does."""
        if self.phase != "Pending" or self.waiting in STARTING:
            return ""
        # The two take turns: one word for both, so that the status rests.
        return "ImagePullBackOff" if self.waiting == "ErrImagePull" else self.waiting

    @property
    def tells(self) -> bool:
        """Whether anything may follow from it: it has ended, or does not start."""
        return self.exit_code is not None or bool(self.stuck) or self.lacks_key

    @property
    def lacks_key(self) -> bool:
        """Whether it cannot start since its Secret is missing."""
        return self.phase == "Pending" and self.waiting in CONFIG_ERRORS

    @property
    def runs(self) -> bool:
        """Whether its container was started and has not ended."""
        return self.phase == "Running" and self.exit_code is None


def _unplaced(status: Body) -> str:
    """`Unschedulable` while no node takes the pod."""
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition.get("reason") or ""
    return ""


def _why(status: Body, ended: Body) -> str:
    """The last line that it wrote, else what the node says."""
    said = (ended.get("message") or "").strip().rsplit("\n", 1)[-1]
    reason = status.get("reason") or ended.get("reason") or ""
    return said or status.get("message") or ("" if reason == "Completed" else reason)


@dataclass(frozen=True, slots=True)
class Children:
    """What there is of one Compilation."""

    jobs: tuple[SeenJob, ...] = ()
    pods: tuple[SeenPod, ...] = ()

    def job(self, stage: str, generation: int) -> SeenJob | None:
        """The Job of a stage."""
        mine = [j for j in self.jobs if j.stage == stage and j.generation == generation]
        return mine[0] if mine else None

    def pods_of(self, job: SeenJob) -> list[SeenPod]:
        """A Job's pods."""
        return [pod for pod in self.pods if pod.job == job.name]
