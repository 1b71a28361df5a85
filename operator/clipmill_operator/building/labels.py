"""Labels, annotations and names of the objects that belong to a Compilation or an episode.

Names follow from uid, generation and stage, so that a repeated reconcile creates nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from clipmill.shows.show_messages import DiscoverJob
from clipmill_operator.building.resource import API_VERSION, GROUP, KIND, Object
from clipmill_operator.building.show_resource import SHOW_KIND

STAGE = f"{GROUP}/stage"
GENERATION = f"{GROUP}/generation"
COMPILATION_UID = f"{GROUP}/compilation-uid"
COMPILATION_NAME = f"{GROUP}/compilation"
# Label of a namespace and of created objects: the user whose quota is used.
OWNER = f"{GROUP}/owner"
# Annotation of a Compilation that the API submitted: the id of the compilation.
SUBMISSION = f"{GROUP}/submission"
# Annotation that proves it, since anybody can write the id: derived from the API's nonce.
SUBMISSION_PROOF = f"{GROUP}/submission-proof"
# Label of the resources and Jobs of a show's episodes: the name of the show.
SHOW = f"{GROUP}/show"
SHOW_UID = f"{GROUP}/show-uid"
# Label of a discover Job: the id of the episode.
EPISODE = f"{GROUP}/episode"
# Annotation of an episode's Compilation: the scheduled time.
SCHEDULED_AT = f"{GROUP}/scheduled-at"
# Labels of Kueue, of Compilations and Jobs: the LocalQueue, and the WorkloadPriorityClass.
QUEUE_NAME = "kueue.x-k8s.io/queue-name"
PRIORITY_CLASS = "kueue.x-k8s.io/priority-class"
# The stage of a show's episode that queries its sources. It belongs to no Compilation.
DISCOVER = "discover"
MANAGED_BY = {
    "app.kubernetes.io/managed-by": "clipmill-operator",
    "app.kubernetes.io/name": "clipmill",
}
SELECTOR = "app.kubernetes.io/managed-by=clipmill-operator"


class JobRef(Protocol):
    """What a Job is for: it decides its name, labels and owner."""

    @property
    def namespace(self) -> str:
        """The namespace of the Job."""

    @property
    def queue_labels(self) -> Mapping[str, str]:
        """Labels of the Job by which Kueue queues it; none if it starts at once."""

    def child_name(self, stage: str) -> str:
        """Return the name of a stage's Job and Secret."""

    def labels(self, stage: str) -> dict[str, str]:
        """Return the labels of a stage's objects."""

    def owner_references(self) -> list[Object]:
        """Return references to the object that owns the Job."""


@dataclass(frozen=True, slots=True)
class RevisionRef:
    """One generation of a Compilation. `generation` is the API's count of revisions."""

    namespace: str
    name: str
    uid: str
    generation: int
    owner: str
    queue_labels: Mapping[str, str] = field(default_factory=dict)
    # Its trace (W3C Trace Context), if it is traced.
    traceparent: str | None = None

    def child_name(self, stage: str) -> str:
        """Return the name of a stage's Job and Secret.

        It has at most 52 characters, since the names of pods extend it.
        """
        return _child_name(self.name, self.uid, self.generation, stage)

    def labels(self, stage: str) -> dict[str, str]:
        """Return the labels of a stage's objects."""
        return {
            **_job_labels(stage, self.owner),
            COMPILATION_NAME: self.name,
            COMPILATION_UID: self.uid,
            GENERATION: str(self.generation),
        }

    def owner_references(self) -> list[Object]:
        """Return a reference to the Compilation for the objects that it owns."""
        return [owner_reference(API_VERSION, KIND, self.name, self.uid)]


@dataclass(frozen=True, slots=True)
class EpisodeRef:
    """An episode whose sources are queried. A show of the API has no resource to own the Job."""

    task: DiscoverJob

    @property
    def namespace(self) -> str:
        """The namespace of the show."""
        return self.task.namespace

    @property
    def queue_labels(self) -> Mapping[str, str]:
        """None: it takes seconds, and the time of its episode is known."""
        return {}

    def child_name(self, stage: str) -> str:
        """Return the name of the Job and Secret."""
        return _child_name(self.task.name, self.task.episode_id, 1, stage)

    def labels(self, stage: str) -> dict[str, str]:
        """Return the labels of the objects."""
        uid = {SHOW_UID: self.task.show_uid} if self.task.show_uid else {}
        return {
            **_job_labels(stage, self.task.owner),
            SHOW: self.task.show_name,
            EPISODE: self.task.episode_id,
            **uid,
        }

    def owner_references(self) -> list[Object]:
        """Return a reference to the Show, if there is one."""
        if not self.task.show_uid:
            return []
        return [owner_reference(API_VERSION, SHOW_KIND, self.task.show_name, self.task.show_uid)]


def _child_name(name: str, identity: str, generation: int, stage: str) -> str:
    digest = hashlib.sha256(identity.encode()).hexdigest()[:6]
    return f"{name[:24].rstrip('-')}-{digest}-g{generation}-{stage}"


def _job_labels(stage: str, owner: str) -> dict[str, str]:
    return {**MANAGED_BY, "app.kubernetes.io/component": "job", OWNER: owner, STAGE: str(stage)}


def owner_reference(api_version: str, kind: str, name: str, uid: str) -> Object:
    """Return a controller reference to an object."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
    }
