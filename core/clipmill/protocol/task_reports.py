"""Describe what a pod reports of its task: heartbeats, results, steps and exit codes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from clipmill.protocol.encoding_profile import Container
from clipmill.protocol.segment_content import SegmentCounts
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, SanitizedLine
from clipmill.spec.compilation import MAX_CLIPS

# Failure code of a pod that reached a canary: the whole generation fails.
NOT_ISOLATED = "NotIsolated"
# Failure code of a pod that cannot check its isolation, since a canary's name does not resolve.
CANARY_UNRESOLVED = "CanaryUnresolved"
# Failures of the whole generation, not of one clip.
ISOLATION_FAILURES = frozenset({NOT_ISOLATED, CANARY_UNRESOLVED})
# Steps of a task that a pod reports at most, and the longest of them: a week.
MAX_SPANS = 500
MAX_MS = 7 * 86_400_000
Milliseconds = Annotated[int, Field(ge=0, le=MAX_MS)]


class Heartbeat(Model):
    """Progress and log lines of a task, sent at most every 2 s."""

    index: int = Field(ge=0, le=MAX_SAFE_INTEGER)
    epoch: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    percent: int = Field(ge=0, le=100)
    message: SanitizedLine = Field("", max_length=300)
    log: list[Annotated[SanitizedLine, Field(max_length=1000)]] = Field([], max_length=100)


class Directive(StrEnum):
    """What the API directs a pod to do in reply to a heartbeat."""

    CONTINUE = "Continue"
    STOP = "Stop"


class HeartbeatReply(Model):
    """Whether the task continues, and why not."""

    directive: Directive
    reason: str = ""
    lease_s: int


class UnplayableClip(Model):
    """A clip that passed all checks, but cannot be rendered."""

    name: Name
    code: Line = Field("Unplayable", max_length=60, description="`Unplayable`, or `Damaged`.")
    message: SanitizedLine = Field(max_length=500)


class TaskFailure(Model):
    """Why a task failed."""

    code: Line = Field(max_length=60, description="Stable code in PascalCase, e.g. Truncated.")
    message: SanitizedLine = Field(max_length=500)
    permanent: bool = Field(True, description="Whether a retry is pointless.")
    clips: list[UnplayableClip] = Field(
        [],
        max_length=MAX_CLIPS,
        description="Clips without which a retry of an assemble task can succeed.",
    )


class OutputResult(Model):
    """A finished output, as its job measured it."""

    name: str
    container: Container = "mp4"
    media_id: Id
    thumbnail_id: Id | None = None
    storyboard_id: Id | None = None
    storyboard_cues_id: Id | None = None
    chapters_id: Id | None = None
    credits_id: Id | None = None
    manifest_id: Id | None = None
    frames: int = Field(ge=1)
    duration_us: int = Field(ge=1)
    size_bytes: int = 0
    sha256: str = ""
    loudness_lufs: float | None = None
    segments: SegmentCounts = SegmentCounts()
    spent_s: dict[str, float] = Field({}, description="Wall-clock seconds of each step.")


class TaskResult(Model):
    """The end of a task: outputs of a successful assemble task, or the failure."""

    index: int = Field(0, ge=0, le=MAX_SAFE_INTEGER)
    epoch: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    outputs: list[OutputResult] = []
    failure: TaskFailure | None = None


class SpanName(StrEnum):
    """Steps of tasks in a trace."""

    ISOLATION = "check isolation"
    FETCH = "fetch"
    PROBE = "probe"
    RENDER = "render segment"
    ASSEMBLE = "assemble"
    UPLOAD = "upload"


class TaskSpan(Model):
    """One step of a task. The API gives it its id and its place in time."""

    name: SpanName
    parent: int | None = Field(None, ge=0, description="Index of the step that it is part of.")
    start_ms: Milliseconds = Field(description="Since the claim.")
    duration_ms: Milliseconds
    detail: SanitizedLine = Field("", max_length=200, description="What it worked on.")
    failed: bool = False


class TaskSpans(Model):
    """The steps of one task; a step comes after the one that it is part of."""

    index: int = Field(0, ge=0, le=MAX_SAFE_INTEGER)
    epoch: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    elapsed_ms: Milliseconds = Field(description="Since the claim.")
    spans: list[TaskSpan] = Field([], max_length=MAX_SPANS)

    @model_validator(mode="after")
    def _refuse_later_parents(self) -> Self:
        for number, span in enumerate(self.spans):
            if span.parent is not None and span.parent >= number:
                raise ValueError(f"spans[{number}].parent: must be less than {number}")
        return self


class ExitCode:
    """Exit codes of a job's process. The Job's podFailurePolicy treats 64 to 79 as permanent."""

    OK = 0
    RETRY = 1
    GIVE_UP = 64
    LEASE_LOST = 65
    NOT_ISOLATED = 66
