"""Describe compilations as their owner reads and changes them."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from clipmill.protocol.assignments import Stage
from clipmill.protocol.compilation_plan import ClipStatus, CompilationState, DeliverySummary
from clipmill.protocol.result_record import ItemKind
from clipmill.protocol.task_reports import OutputResult
from clipmill.spec.base import Id, Model, Name
from clipmill.spec.output import PreviewExtent

# Reason of an active compilation of which no job has begun its stage.
QUEUED = "Queued"


class CompilationView(Model):
    """A compilation with the state of its newest generation."""

    id: Id
    name: str
    namespace: str
    owner: str
    generation: int
    state: CompilationState
    stage: Stage | None = None
    percent: int = 0
    eta: str | None = Field(None, description="Estimated time of completion, while rendering.")
    reason: str | None = None
    message: str | None = None
    reserved_seconds: int = Field(0, description="Render time reserved until the end.")
    used_seconds: int = Field(0, description="Render time charged at the end.")
    degraded: bool = Field(False, description="Whether any clip was skipped.")
    clips: list[ClipStatus]
    outputs: list[OutputResult] = []
    delivery: DeliverySummary | None = Field(
        None, description="Absent if the spec names no bucket, and until the outputs exist."
    )
    log: list[str] = []
    created_at: str
    completed_at: str | None = None


class CompilationPage(Model):
    """A page of compilations, newest first. `next` is the token of the following page."""

    items: list[CompilationView]
    next: str | None = None


class CompilationFilter(Model):
    """What a list of compilations is limited to; all of it if nothing is set."""

    state: list[CompilationState] = Field(
        [], max_length=10, description="States of the newest generation; any of them."
    )
    name: Name | None = Field(None, description="Exact name.")
    since: AwareDatetime | None = Field(None, description="Created at this time or later.")


class PreviewRequest(Model):
    """Request for a draft of a compilation."""

    extent: PreviewExtent = Field(
        PreviewExtent.FIRST_SECONDS, description="Whole, or the first 4 s of each clip."
    )


class UsedIn(Model):
    """A result that plays a media file, and the kind of item it is played as."""

    compilation_id: Id
    name: str
    generation: int
    output: str
    media_id: Id = Field(description="Media id of the result's video.")
    kind: ItemKind | Literal["music"]
    created_at: str


MAX_SHARE_S = 7 * 86_400


class ShareRequest(Model):
    """Request for a link to an output that needs no key."""

    expires_in_seconds: int = Field(
        3600, ge=1, le=MAX_SHARE_S, description="Seconds until it ends; 7 days at most."
    )


class ShareLink(Model):
    """A link by which anybody can read an output until it expires or is revoked."""

    id: Id
    file: str = Field(description="Name of the output, or of its companion file.")
    url: str
    created_at: str
    expires_at: str


class DeletedCompilation(Model):
    """Event of a list: a compilation was deleted."""

    id: Id
