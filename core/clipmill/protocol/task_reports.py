"""Describe what a pod reports of its task: heartbeats, results and exit codes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

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


class ExitCode:
    """Exit codes of a job's process. The Job's podFailurePolicy treats 64 to 79 as permanent."""

    OK = 0
    RETRY = 1
    GIVE_UP = 64
    LEASE_LOST = 65
    NOT_ISOLATED = 66
