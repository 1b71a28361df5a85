"""Describe what a pod's task is to do, as the API answers a claim."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from clipmill.protocol.integrations.credential_models import FetchCredentials
from clipmill.protocol.result_record import ResultRecord
from clipmill.protocol.segment_content import Segment
from clipmill.spec.base import Id, Line, Model, Sha256
from clipmill.spec.soundtrack import Ducking

# Code of the reply to a claim of a job of the fetch stage that has no clip to fetch any more.
NOTHING_LEFT = "NothingLeft"
# Code of the failure of a task whose process is to end: the task is not to blame.
INTERRUPTED = "Interrupted"


class Stage(StrEnum):
    """The kind of a Job."""

    FETCH = "fetch"
    RENDER = "render"
    ASSEMBLE = "assemble"


class Claim(Model):
    """Request for the lease of a task."""

    index: int = Field(
        0,
        ge=0,
        le=100_000,
        description="Task index within the stage; of the fetch stage, index of the job, which gets"
        " the next clip that waits.",
    )
    holder: Line = Field(
        min_length=1,
        max_length=120,
        description="Name of the process; a repeated claim of one holder is the same claim.",
    )


class SourcePart(Model):
    """The part of a source that a clip plays, in microseconds from the source's start."""

    clip_id: Id
    start_us: int = Field(ge=0)
    end_us: int = Field(ge=1)


class FetchAssignment(Model):
    """A clip to fetch, to check and to upload."""

    clip_id: Id
    name: str
    url: str
    limit_bytes: int
    limit_s: int
    allowed_hosts: list[str]
    allowed_private: list[str] = Field(
        description="Pairs of host:port that may resolve to private addresses, by a setting."
    )
    allow_any_host: bool = False
    spans: list[SourcePart] = Field(
        [], description="All that is played of the source; empty if the whole source is needed."
    )
    credentials: FetchCredentials = Field(
        FetchCredentials(), description="Cookies and proxy of the owner for the host of the clip."
    )


class MusicMix(Model):
    """Music to mix into an output, positioned in samples of the output."""

    media_id: Id
    sha256: str
    format: str
    audio_stream: int | None = Field(
        None, description="Index of the audio stream in the file; absent for the first one."
    )
    gain_mb: int = Field(description="Gain in hundredths of a decibel.")
    start: int = Field(ge=0, description="First sample.")
    end: int = Field(ge=1, description="One past the last sample.")
    loop: bool
    fade: int = Field(ge=0, description="Samples of the fade-out.")
    duck: Ducking


class StoredFile(Model):
    """A file in the API's store."""

    sha256: Sha256
    size_bytes: int


class OutputAssignment(Model):
    """An output to assemble: its segments in order, and which of them exist already."""

    name: str
    segments: list[Segment]
    existing: list[Sha256] = Field(
        [], description="Keys of the segments and encoded stretches of sound that exist already."
    )
    existing_files: dict[Sha256, StoredFile] = Field(
        {},
        description="Their files by key: a job beside the store links them without a request each.",
    )
    rendered_early: list[Sha256] = Field(
        [], description="Keys of those that render tasks of this generation have rendered."
    )
    title: str | None = None
    loudness_lufs: float
    true_peak_dbtp: float
    max_bytes: int | None = Field(None, description="Largest file allowed; absent for any size.")
    audio_bitrate: int = Field(192_000, description="Audio bit rate of the finished file in bit/s.")
    music: MusicMix | None = None
    record: ResultRecord = Field(
        ResultRecord(), description="What the output plays, for its companion files."
    )


class Assignment(Model):
    """What a task is to do, under a lease. Exactly one of fetch, render and assemble is set."""

    compilation_id: Id
    generation: int
    stage: Stage
    index: int = Field(description="Task index within the stage.")
    epoch: int = Field(description="Fencing token; a later claim raises it and ends this one.")
    lease_s: int
    key: str = Field(
        "", description="Key of this task, for every call but another claim. Dead with the task."
    )
    links: bool = Field(
        False, description="Whether the API offers links of its object store for uploads."
    )
    traceparent: str | None = Field(
        None, description="Trace of the generation, if the task is to report its spans."
    )
    canaries: list[str] = Field(
        [], description="Pairs of host:port that must not be reachable; the pod ends if one is."
    )
    fetch: FetchAssignment | None = None
    render: list[Segment] | None = Field(
        None, description="Segments to render. Another claim returns further ones, or none."
    )
    render_frames: int = Field(0, description="Frames of all segments of the outputs.")
    assemble: list[OutputAssignment] | None = None
