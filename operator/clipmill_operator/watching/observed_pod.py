"""A pod of a Job, reduced to why it waits and how it ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clipmill_operator.building.labels import COMPILATION_UID, GENERATION

Body = Mapping[str, Any]
# Why a container waits while its Secret does not exist.
MISSING_SECRET = frozenset({"CreateContainerConfigError"})
# Why a container waits that is about to start.
STARTING = frozenset({"", "ContainerCreating", "PodInitializing", *MISSING_SECRET})
# A kubelet alternates between the two; one reason for both keeps the status unchanged.
IMAGE_PULL = {"ErrImagePull": "ImagePullBackOff", "ImagePullBackOff": "ImagePullBackOff"}


@dataclass(frozen=True, slots=True)
class ObservedPod:
    """A pod of a Job as it was last observed."""

    namespace: str
    name: str
    job: str
    compilation_uid: str
    generation: int
    index: int
    phase: str
    # Why the container waits, or why no node takes the pod.
    waiting_reason: str = ""
    # What it waits for: the scheduler's message, or the image that cannot be pulled.
    waiting_message: str = ""
    # Exit code of the container once it has terminated, and the last line that it wrote.
    exit_code: int | None = None
    message: str = ""

    @classmethod
    def from_body(cls, body: Body) -> ObservedPod:
        """Read a pod."""
        metadata, status = body["metadata"], body.get("status") or {}
        labels = metadata.get("labels") or {}
        containers = status.get("containerStatuses") or []
        state = next((container.get("state") or {} for container in containers), {})
        waiting = state.get("waiting") or {}
        unscheduled = _unscheduled(status)
        terminated = state.get("terminated") or {}
        return cls(
            namespace=metadata["namespace"],
            name=metadata["name"],
            job=labels.get("batch.kubernetes.io/job-name", ""),
            compilation_uid=labels.get(COMPILATION_UID, ""),
            generation=int(labels.get(GENERATION, 0)),
            index=int(labels.get("batch.kubernetes.io/job-completion-index", 0)),
            phase=status.get("phase") or "Pending",
            waiting_reason=waiting.get("reason") or unscheduled.get("reason") or "",
            waiting_message=_waiting_message(waiting, unscheduled, containers),
            exit_code=terminated.get("exitCode"),
            message=_termination_message(status, terminated),
        )

    @property
    def blocked_reason(self) -> str:
        """Why the pod does not start and will not without help; empty if it starts."""
        if self.phase != "Pending" or self.waiting_reason in STARTING:
            return ""
        return IMAGE_PULL.get(self.waiting_reason, self.waiting_reason)

    @property
    def is_missing_secret(self) -> bool:
        """Whether the pod cannot start because its Secret does not exist."""
        return self.phase == "Pending" and self.waiting_reason in MISSING_SECRET

    @property
    def is_running(self) -> bool:
        """Whether the container has started and has not terminated."""
        return self.phase == "Running" and self.exit_code is None

    @property
    def is_significant(self) -> bool:
        """Whether a reconcile may be needed: the pod has ended, or does not start."""
        return self.exit_code is not None or bool(self.blocked_reason) or self.is_missing_secret


def _unscheduled(status: Body) -> Body:
    """Return the condition that says why no node takes the pod, such as `Unschedulable`."""
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return condition  # type: ignore[no-any-return]
    return {}


def _waiting_message(waiting: Body, unscheduled: Body, containers: Sequence[Body]) -> str:
    """Return a message that stays the same while a kubelet repeats its attempts."""
    if waiting.get("reason") in IMAGE_PULL:
        return f"image {containers[0].get('image') or '?'} cannot be pulled"
    return unscheduled.get("message") or ""


def _termination_message(status: Body, terminated: Body) -> str:
    """Return the last line that the container wrote, or else what the node reports."""
    last_line = (terminated.get("message") or "").strip().rsplit("\n", 1)[-1]
    reason = status.get("reason") or terminated.get("reason") or ""
    return last_line or status.get("message") or ("" if reason == "Completed" else reason)
