"""Describe what the operator, or a local run in its place, exchanges with the API."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from clipmill.protocol.assignments import Stage
from clipmill.protocol.compilation_plan import Plan
from clipmill.protocol.compilation_views import CompilationView
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, SanitizedLine
from clipmill.spec.compilation import MAX_CLIPS, CompilationSpec

UID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
MAX_REGISTRATIONS = 100


class Registration(Model):
    """A generation of a resource: its identity, its owner and its spec."""

    namespace: Name
    name: Name
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    owner: Name = Field(description="Owner that the operator derived from namespace and spec.")
    spec: CompilationSpec
    submission: Id | None = Field(
        None, description="Id of the API submission that this resource was created for."
    )
    submission_proof: str | None = Field(
        None,
        max_length=100,
        description="Proof that the operator created this resource for the submission.",
    )


class StageKey(Model):
    """The key of the stage that a generation starts with."""

    generation: int
    stage: Stage
    key: str


class RegisteredPlan(Plan):
    """The plan of a registered generation.

    `key` is set only if it was requested and this call created the generation, since no other
    pod can hold a key then. In all other cases the operator requests a key for the stage.
    """

    key: StageKey | None = None


class IdentifiedRegistration(Model):
    """A registration with the uid of its resource."""

    uid: str = Field(pattern=UID_PATTERN)
    registration: Registration


class RegistrationBatch(Model):
    """Registrations of different resources, sent in one request."""

    registrations: list[IdentifiedRegistration] = Field(min_length=1, max_length=MAX_REGISTRATIONS)


class RegistrationRefusal(Model):
    """Why one registration of a batch was refused: status and code of its problem details."""

    status: int
    code: str
    detail: str


class RegistrationReply(Model):
    """The plan of one registration of a batch, or its refusal."""

    plan: RegisteredPlan | None = None
    refusal: RegistrationRefusal | None = None


class KeyRequest(Model):
    """Request for the key of one stage of a generation."""

    stage: Stage
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)


class KeyReply(Model):
    """A new key. It is returned once and stored as a hash."""

    key: str


class FailedTasks(Model):
    """Tasks whose pods ended without a result, after all retries or, with `holder`, once."""

    stage: Stage
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    indexes: list[int] = Field(max_length=MAX_CLIPS)
    reason: Line = Field(
        "", max_length=60, description="Stable code in PascalCase; default depends on the stage."
    )
    message: SanitizedLine = Field(max_length=500)
    holder: Line = Field(
        "",
        max_length=120,
        description="Process that held these fetch tasks when its pod ended: one attempt at them"
        " has failed. Empty if no pod will work on them any more.",
    )


class SubmissionAction(StrEnum):
    """What a submission asks the operator to do with the resource."""

    APPLY = "Apply"
    DELETE = "Delete"


class ShowReference(Model):
    """The show that a compilation is an episode of."""

    name: Name
    uid: Line | None = Field(
        None, max_length=100, description="UID of the Show resource; absent for one of the API."
    )
    episode: int = Field(ge=1, description="Number of the episode.")
    scheduled_at: AwareDatetime


class Submission(Model):
    """A resource that API users want created, changed or deleted."""

    id: Id = Field(description="Id of the compilation; the resource is annotated with it.")
    uid: str = Field(description="UID of the resource, or a substitute until it exists.")
    action: SubmissionAction
    namespace: Name
    name: Name
    owner: Name
    spec: CompilationSpec
    nonce: str = Field(
        "", description="Secret of the proof for the resource to create; empty if it exists."
    )
    show: ShowReference | None = Field(None, description="Show that it is an episode of, if any.")


class SubmissionRefusal(Model):
    """Why a submission cannot become a resource."""

    reason: str = Field(max_length=60, description="Stable code in PascalCase.")
    message: str = Field(max_length=500)


class OwnerUsage(Model):
    """Render seconds that an owner has used in the last 24 hours."""

    owner: Name
    seconds: int


class ActiveCompilation(CompilationView):
    """A compilation that has not ended, with the UID of its resource."""

    uid: str
