"""What people and the operator read: the plan, the state of things, accounts, problems."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from clipmill.protocol.assignments import OutputResult, SegmentCounts, Stage
from clipmill.protocol.layers import Profile
from clipmill.protocol.media_file import Media
from clipmill.protocol.result_record import Chapter
from clipmill.protocol.result_record import CreditEntry as CreditEntry
from clipmill.protocol.result_record import ItemKind as ShotKind
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, SanitizedLine
from clipmill.spec.compilation import (
    MAX_CLIPS,
    CompilationSpec,
    Curve,
    PreviewExtent,
    TransitionType,
)


class CompilationState(StrEnum):
    """States of one generation. The last four are ends and never move again."""

    PENDING = "Pending"
    FETCHING = "Fetching"
    RENDERING = "Rendering"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"


TERMINAL_STATES = frozenset(
    {
        CompilationState.SUCCEEDED,
        CompilationState.FAILED,
        CompilationState.CANCELLED,
        CompilationState.SUPERSEDED,
    }
)


class ClipState(StrEnum):
    """States of one clip of one generation."""

    WAITING = "Waiting"
    READY = "Ready"
    SKIPPED = "Skipped"


class ClipStatus(Model):
    """One clip of the plan."""

    id: Id
    name: str
    state: ClipState
    media_id: Id | None = None
    reason: str | None = Field(None, description="stable code, when skipped")
    message: str | None = None
    reused: bool = False
    url: str | None = None
    note: str | None = Field(None, description="e.g. that a private address is let in by a setting")


class TimelineItem(Model):
    """One line of the timeline, in frames of the output rate."""

    kind: ShotKind
    name: str
    media_id: Id | None
    at: int = Field(description="first frame within the output")
    start: int = Field(description="first frame within the source")
    frames: int
    transition: TransitionType = TransitionType.NONE
    curve: Curve = Curve.EQUAL_POWER
    overlap: int = 0


class MusicPlan(Model):
    """Where the music of an output plays, in frames of the output rate."""

    media_id: Id
    at: int
    frames: int


class OutputPlan(Model):
    """What one output will be."""

    name: str
    profile: Profile
    frames: int
    exact: bool = Field(description="False while a clip's length is an estimate")
    items: list[TimelineItem]
    music: MusicPlan | None = None
    chapters: list[Chapter] = []
    credits: list[CreditEntry] = []
    notes: list[str] = []
    segments: SegmentCounts


class QuotaEffect(Model):
    """What a compilation takes of the month's render time. None as limit: no limit."""

    estimated_seconds: int
    remaining_seconds: int | None
    limit_seconds: int | None


class TaskCounts(Model):
    """How many tasks a stage has. They keep their numbers for the life of a generation."""

    fetch: int = Field(0, description="one for each clip that had to be fetched at the start")
    render: int = Field(0, description="0 until all clips are here")


class Plan(Model):
    """What would happen, or what is happening, to one generation."""

    compilation_id: Id | None
    generation: int
    state: CompilationState
    reason: str | None = None
    message: str | None = None
    clips: list[ClipStatus]
    outputs: list[OutputPlan]
    quota: QuotaEffect
    percent: int = 0
    eta: str | None = Field(None, description="about when it will have ended; while rendering")
    segments: SegmentCounts = Field(
        SegmentCounts(),
        description="of all outputs; reused: those that existed when rendering began",
    )
    results: list[OutputResult] = []
    tasks: TaskCounts = TaskCounts()
    to_fetch: list[int] = Field([], description="fetch tasks whose clips are still to be had")


class CompilationView(Model):
    """A compilation as its owner reads it."""

    id: Id
    name: str
    namespace: str
    owner: str
    generation: int
    state: CompilationState
    stage: Stage | None = None
    percent: int = 0
    eta: str | None = Field(None, description="about when it will have ended; while rendering")
    reason: str | None = None
    message: str | None = None
    degraded: bool = False
    clips: list[ClipStatus]
    outputs: list[OutputResult] = []
    log: list[str] = []
    created_at: str
    completed_at: str | None = None


class ActiveCompilation(CompilationView):
    """A compilation that has not ended, as the operator sees it: with the resource's uid."""

    uid: str


class PreviewRequest(Model):
    """Asks for a draft of a compilation."""

    extent: PreviewExtent = Field(
        PreviewExtent.FIRST_SECONDS, description="Whole, or the first 4 s of each clip."
    )


class CompilationPage(Model):
    """One page of compilations, newest first; `next` asks for the one after."""

    items: list[CompilationView]
    next: str | None = None


class MediaPage(Model):
    """One page of a media library, newest first."""

    items: list[Media]
    next: str | None = None


class Registration(Model):
    """What the operator (or the local run) says of a resource: identity, generation, wish."""

    namespace: Name
    name: Name
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    owner: Name = Field(description="decided by the operator from the namespace and the spec")
    spec: CompilationSpec
    submission: Id | None = Field(
        None, description="the compilation that the API was asked for, which this resource is"
    )


class SubmissionAction(StrEnum):
    """What the API's users want done to a resource."""

    APPLY = "Apply"
    DELETE = "Delete"


class Submission(Model):
    """A resource that is to be made, changed or deleted, since the API was asked to."""

    id: Id = Field(description="of the compilation; the resource carries it")
    uid: str = Field(description="the resource's, or a stand-in until there is one")
    action: SubmissionAction
    namespace: Name
    name: Name
    owner: Name
    spec: CompilationSpec


class SubmissionRefusal(Model):
    """Why a submission cannot become a resource."""

    reason: str = Field(max_length=60, description="stable, PascalCase")
    message: str = Field(max_length=500)


class KeyRequest(Model):
    """Asks for the key of one stage of one generation."""

    stage: Stage
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)


class KeyReply(Model):
    """A fresh key. It is shown once and kept as a hash."""

    key: str


class StageKey(Model):
    """The key of the stage that a generation begins with."""

    generation: int
    stage: Stage
    key: str


class RegisteredPlan(Plan):
    """The plan of a generation, and the key of its first pods.

    `key`: where it was asked for, and this very call took the generation in: there are no pods
    yet that hold another. Who misses it asks for a key of the stage.
    """

    key: StageKey | None = None


class FailedTasks(Model):
    """Parts of a stage that ended without a word from their pods, after all retries."""

    stage: Stage
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    indexes: list[int] = Field(max_length=MAX_CLIPS)
    reason: Line = Field("", max_length=60, description="stable, PascalCase; default by the stage")
    message: SanitizedLine = Field(max_length=500)


class UsedIn(Model):
    """One result that plays a media file, and as what."""

    compilation_id: Id
    name: str
    generation: int
    output: str
    media_id: Id = Field(description="the result's video")
    kind: ShotKind | Literal["music"]
    created_at: str


class Account(Model):
    """What an owner may use and has used. None as limit: no limit; 0: nothing."""

    owner: Name
    tier: str
    storage_used_bytes: int
    storage_limit_bytes: int | None
    render_used_seconds: int
    render_reserved_seconds: int
    render_limit_seconds: int | None
    month: str


class Usage(Model):
    """Render time of one finished generation: there is one such row for each."""

    compilation_id: Id
    generation: int
    seconds: int
    created_at: str


class TierView(Model):
    """A tier as an administrator reads and writes it. None: no limit."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9 _-]{0,99}$")
    storage_limit_bytes: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)
    render_limit_seconds: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)
    apply_watermark: bool = False
    max_resolution: Literal["720p", "1080p", "1440p", "2160p"] | None = None
    max_fps: int | None = Field(None, ge=1, le=1000)
    max_clips: int | None = Field(None, ge=0, le=MAX_SAFE_INTEGER)


class UserView(Model):
    """A user as an administrator reads and writes it."""

    name: Name
    tier: str


class Problem(BaseModel):
    """RFC 9457 problem details, with our stable `code` and the facts behind it."""

    model_config = ConfigDict(extra="allow")
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str


class ExitCode:
    """Exit codes of a job's process: the Job's podFailurePolicy reads them (64-79: give up)."""

    OK = 0
    RETRY = 1
    GIVE_UP = 64
    LEASE_LOST = 65
    NOT_ISOLATED = 66
