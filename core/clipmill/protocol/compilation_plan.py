"""Describe the plan of one generation: clips, timelines, quota and progress."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from clipmill.protocol.encoding_profile import Profile
from clipmill.protocol.result_record import Chapter, CreditEntry, ItemKind
from clipmill.protocol.segment_content import SegmentCounts
from clipmill.protocol.task_reports import OutputResult
from clipmill.spec.base import Id, Model, Name
from clipmill.spec.transitions import Curve, TransitionType


class CompilationState(StrEnum):
    """State of one generation. A terminal state never changes."""

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
    """State of one clip of a generation."""

    WAITING = "Waiting"
    READY = "Ready"
    SKIPPED = "Skipped"


class DeliveryState(StrEnum):
    """State of the delivery of a generation's files to the owner's bucket."""

    PENDING = "Pending"
    DELIVERED = "Delivered"
    FAILED = "Failed"


class DeliverySummary(Model):
    """How far the delivery of a generation's files is. A failed one is not tried again."""

    credential: Name
    folder: str = Field(description="Folder of the files below the credential's prefix.")
    state: DeliveryState
    delivered: int = Field(description="Files that the bucket has.")
    total: int
    message: str | None = Field(None, description="Why the last attempt failed, if it did.")


class ClipStatus(Model):
    """A clip of a generation, as it was resolved."""

    id: Id
    name: str
    state: ClipState
    media_id: Id | None = None
    reason: str | None = Field(None, description="Stable code of a skipped clip.")
    message: str | None = None
    reused: bool = Field(False, description="Whether the clip was in the library already.")
    url: str | None = None
    note: str | None = Field(None, description="Remark, e.g. that a private address is allowed.")


class TimelineItem(Model):
    """An intro, clip, transition clip, bumper or outro, in frames of the output rate."""

    kind: ItemKind
    name: str
    media_id: Id | None
    at: int = Field(description="First frame within the output.")
    start: int = Field(description="First frame within the source.")
    frames: int
    transition: TransitionType = Field(
        TransitionType.NONE, description="Transition from the previous item."
    )
    curve: Curve = Curve.EQUAL_POWER
    overlap: int = Field(0, description="Frames shared with the previous item.")


class MusicPlan(Model):
    """Where the music of an output plays, in frames of the output rate."""

    media_id: Id
    at: int
    frames: int


class OutputPlan(Model):
    """What one output will contain."""

    name: str
    profile: Profile
    frames: int
    exact: bool = Field(description="False while the length of a clip is an estimate.")
    items: list[TimelineItem]
    music: MusicPlan | None = None
    chapters: list[Chapter] = []
    credits: list[CreditEntry] = []
    notes: list[str] = []
    too_long: str | None = Field(
        None, description="How the output exceeds the longest video that its platform accepts."
    )
    segments: SegmentCounts


class QuotaEffect(Model):
    """Render time that a compilation takes from the month's quota. A null limit is no limit."""

    estimated_seconds: int
    remaining_seconds: int | None
    limit_seconds: int | None


class TaskCounts(Model):
    """Number of tasks of each stage. Task indexes are stable for the life of a generation."""

    fetch: int = Field(0, description="One task for each clip that was missing at the start.")
    render: int = Field(0, description="An estimate until all clips are ready.")


class HeldFetch(Model):
    """A fetch task that a process claimed and has not reported on."""

    index: int
    holder: str


class Plan(Model):
    """The plan of one generation, with its progress and results."""

    compilation_id: Id | None
    generation: int
    state: CompilationState
    reason: str | None = None
    message: str | None = None
    clips: list[ClipStatus]
    outputs: list[OutputPlan]
    quota: QuotaEffect
    percent: int = 0
    eta: str | None = Field(None, description="Estimated time of completion, while rendering.")
    segments: SegmentCounts = Field(
        SegmentCounts(),
        description="Segments of all outputs; reused ones existed before rendering began.",
    )
    settled_segments: int = Field(
        0, description="Missing segments that can be rendered while other clips are being fetched."
    )
    traceparent: str | None = Field(
        None, description="Trace of the generation (W3C Trace Context), if traces are exported."
    )
    results: list[OutputResult] = []
    delivery: DeliverySummary | None = Field(
        None, description="Absent if the spec names no bucket, and until the results exist."
    )
    tasks: TaskCounts = TaskCounts()
    to_fetch: list[int] = Field([], description="Indexes of the fetch tasks that are not done.")
    held_fetches: list[HeldFetch] = Field(
        [], description="Those of them that a process has claimed and not reported on."
    )
    fetch_claims: int = Field(0, description="Claims of fetch tasks so far, while clips wait.")
