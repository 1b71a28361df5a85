"""Labels, annotations and names of the objects that belong to a Compilation.

Names follow from uid, generation and stage, so that a repeated reconcile creates nothing twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from clipmill.protocol import Stage
from clipmill_operator.building.resource import API_VERSION, GROUP, KIND, Object

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
MANAGED_BY = {
    "app.kubernetes.io/managed-by": "clipmill-operator",
    "app.kubernetes.io/name": "clipmill",
}
SELECTOR = "app.kubernetes.io/managed-by=clipmill-operator"


@dataclass(frozen=True, slots=True)
class RevisionRef:
    """One generation of a Compilation. `generation` is the API's count of revisions."""

    namespace: str
    name: str
    uid: str
    generation: int
    owner: str

    def child_name(self, stage: Stage) -> str:
        """Return the name of a stage's Job and Secret.

        It has at most 52 characters, since the names of pods extend it.
        """
        digest = hashlib.sha256(self.uid.encode()).hexdigest()[:6]
        prefix = self.name[:24].rstrip("-")
        return f"{prefix}-{digest}-g{self.generation}-{stage.value}"

    def labels(self, stage: Stage) -> dict[str, str]:
        """Return the labels of a stage's objects."""
        return {
            **MANAGED_BY,
            "app.kubernetes.io/component": "job",
            COMPILATION_NAME: self.name,
            COMPILATION_UID: self.uid,
            GENERATION: str(self.generation),
            OWNER: self.owner,
            STAGE: stage.value,
        }

    def owner_reference(self) -> Object:
        """Return a reference to the Compilation for the objects that it owns."""
        return owner_reference(API_VERSION, KIND, self.name, self.uid)


def owner_reference(api_version: str, kind: str, name: str, uid: str) -> Object:
    """Return a controller reference to an object."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": name,
        "uid": uid,
        "controller": True,
    }
