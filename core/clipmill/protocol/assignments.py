"""What a pod is asked to do, and its answers: orders, heartbeats, uploads, results."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from clipmill.protocol.layers import Framing, Layer, Profile
from clipmill.protocol.media_file import MediaKind
from clipmill.protocol.result_record import ResultRecord
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, SanitizedLine, Sha256
from clipmill.spec.compilation import Curve, TransitionType
from clipmill.spec.soundtrack import Ducking


class Stage(StrEnum):
    """The three kinds of job."""

    FETCH = "fetch"
    RENDER = "render"
    ASSEMBLE = "assemble"


class SourceRange(Model):
    """A stretch of one source, in frames of the output rate, with its gain."""

    media_id: Id | None = Field(description="None: a placeholder, black and silent")
    sha256: str
    format: str
    has_audio: bool
    width: int = 0
    height: int = 0
    start: int = Field(ge=0, description="first frame")
    frames: int = Field(ge=1)
    gain_mb: int = Field(0, description="gain in hundredths of a decibel")
    framing: Framing = Framing()
    layers: list[Layer] = Field([], description="drawn over the picture, the first lowest")


class Segment(Model):
    """A body (one cut) or a seam (a crossfade of two cuts of equal length), named by content."""

    key: Sha256
    sources: list[SourceRange] = Field(min_length=1, max_length=2)
    transition: TransitionType = TransitionType.NONE
    curve: Curve = Curve.EQUAL_POWER
    profile: Profile
    watermark: Layer | None = Field(None, description="over everything, all the time")

    @property
    def frames(self) -> int:
        """Length in frames of the output rate."""
        return self.sources[0].frames

    def layers(self) -> tuple[Layer, ...]:
        """Everything to be drawn for it: each cut's layers in turn, then the watermark."""
        mark = (self.watermark,) if self.watermark else ()
        return (*(layer for cut in self.sources for layer in cut.layers), *mark)


class FetchAssignment(Model):
    """Fetch one clip, check it, send it up."""

    clip_id: Id
    name: str
    url: str
    limit_bytes: int
    limit_s: int
    allowed_hosts: list[str]
    allowed_private: list[str] = Field(
        description="host:port that may be private, by explicit setting"
    )
    allow_any_host: bool = False


class MusicMix(Model):
    """Music to mix in, in samples of the output."""

    media_id: Id
    sha256: str
    format: str
    gain_mb: int = Field(description="gain in hundredths of a decibel")
    start: int = Field(ge=0, description="first sample")
    end: int = Field(ge=1, description="one past the last sample")
    loop: bool
    fade: int = Field(ge=0, description="samples of the fade-out")
    duck: Ducking


class OutputAssignment(Model):
    """One output to assemble: its segments in order and which of them exist already."""

    name: str
    segments: list[Segment]
    existing: list[Sha256] = []
    title: str | None = None
    loudness_lufs: float
    true_peak_dbtp: float
    max_bytes: int | None = Field(None, description="largest file; None: any")
    audio_bitrate: int = Field(192_000, description="bit/s of the finished sound")
    music: MusicMix | None = None
    record: ResultRecord = Field(
        ResultRecord(), description="what it is made of, for all that comes with it"
    )


class Assignment(Model):
    """What one part of a job is to do, under a lease. Exactly one of the three is set."""

    compilation_id: Id
    generation: int
    stage: Stage
    index: int
    epoch: int = Field(description="fencing token: a later claim raises it and ends this one")
    lease_s: int
    canaries: list[str] = Field(
        [], description="host:port that this pod must not reach; one that answers ends it"
    )
    fetch: FetchAssignment | None = None
    render: list[Segment] | None = None
    assemble: list[OutputAssignment] | None = None


class Claim(Model):
    """A pod takes its part. `holder` names the process, so that a repeat is the same claim."""

    index: int = Field(0, ge=0, le=100_000)
    holder: Line = Field(min_length=1, max_length=100)


class Heartbeat(Model):
    """Progress and log lines in one call, at most every 2 s."""

    index: int = Field(ge=0, le=MAX_SAFE_INTEGER)
    epoch: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    percent: int = Field(ge=0, le=100)
    message: SanitizedLine = Field("", max_length=300)
    log: list[Annotated[SanitizedLine, Field(max_length=1000)]] = Field([], max_length=100)


class Directive(StrEnum):
    """What the API answers to a heartbeat."""

    CONTINUE = "Continue"
    STOP = "Stop"


class HeartbeatReply(Model):
    """Go on or leave, and why."""

    directive: Directive
    reason: str = ""
    lease_s: int


NOT_ISOLATED = "NotIsolated"
"""Code of a pod that could reach what it must not: the whole generation fails."""


class TaskFailure(Model):
    """Why a clip could not be had. `permanent` decides between giving up and trying again."""

    code: Line = Field(max_length=60, description="stable, PascalCase, e.g. Truncated")
    message: SanitizedLine = Field(max_length=500)
    permanent: bool = True


class UploadPurpose(StrEnum):
    """What an upload becomes when it is complete."""

    CLIP = "clip"
    SEGMENT = "segment"
    OUTPUT = "output"
    LIBRARY = "library"


class UploadRequest(Model):
    """Announces an upload: how many bytes, which sha256, and what it is to become."""

    purpose: UploadPurpose
    kind: MediaKind | None = Field(None, description="library and output uploads: what it is")
    filename: Line = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    sha256: Sha256
    clip_id: Id | None = None
    segment_key: Sha256 | None = None
    output: Name | None = None
    index: int = Field(0, ge=0, le=MAX_SAFE_INTEGER)
    epoch: int | None = Field(
        None, ge=1, le=MAX_SAFE_INTEGER, description="the claim's; required of a job"
    )


class Upload(Model):
    """A running or finished upload."""

    id: Id
    offset: int
    size_bytes: int
    complete: bool
    media_id: Id | None = None
    segment_key: Sha256 | None = None


class SegmentCounts(Model):
    """How many segments a result has, and where they came from."""

    total: int = 0
    reused: int = 0
    rendered: int = 0


class OutputResult(Model):
    """One finished output, as its job measured it."""

    name: str
    container: Literal["mp4", "webm"] = "mp4"
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
    spent_s: dict[str, float] = Field({}, description="wall seconds by step")


class TaskResult(Model):
    """The end of one part. `outputs` when an assemble succeeded, `failure` when it failed."""

    index: int = Field(0, ge=0, le=MAX_SAFE_INTEGER)
    epoch: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    outputs: list[OutputResult] = []
    failure: TaskFailure | None = None
