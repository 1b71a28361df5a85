"""The Compilation resource: its group and version, and the models of its status.

The models of the spec are in `clipmill.spec`. The status is a summary that can be wiped: the
operator computes it again. Descriptions become those of the CRD, which `kubectl explain` prints.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from clipmill.protocol import ClipState
from clipmill.spec import MAX_CLIPS, Model

GROUP = "clipmill.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "Compilation"
PLURAL = "compilations"

Object = dict[str, Any]
ShortText = Annotated[str, Field(max_length=100)]
Message = Annotated[str, Field(max_length=1024)]


class Phase(StrEnum):
    """Phases of a Compilation: the states of its newest revision, Queued and Refused."""

    PENDING = "Pending"
    FETCHING = "Fetching"
    RENDERING = "Rendering"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    SUPERSEDED = "Superseded"
    # It waits: for its admission, for Kueue, or for the pods of its stage, none of which runs.
    QUEUED = "Queued"
    # The spec is not accepted. It may be accepted after an edit or when a quota is raised.
    REFUSED = "Refused"


class Condition(Model):
    """Condition contains details for one aspect of the current state of a Compilation."""

    type: ShortText = Field(
        description="type of condition: Accepted, Fetched, Rendered, Complete, Failed, Queued,"
        " Delivered, Degraded or WithinLimits."
    )
    status: Literal["True", "False", "Unknown"] = Field(
        description="status of the condition, one of True, False, Unknown."
    )
    reason: ShortText = Field(
        description="reason is a programmatic identifier, in CamelCase, of why the condition has"
        " its status."
    )
    message: Message = Field(
        description="message is a human readable message with details about the status. It may be"
        " empty."
    )
    last_transition_time: Annotated[str, Field(max_length=40)] = Field(
        description="lastTransitionTime is the last time the condition transitioned from one status"
        " to another.",
        json_schema_extra={"format": "date-time"},
    )
    observed_generation: int = Field(
        description="observedGeneration represents the .metadata.generation that the condition was"
        " set based upon."
    )


class ProgressSummary(Model):
    """ProgressSummary describes the progress of a Compilation in steps of 5 percent."""

    percent: int = Field(0, ge=0, le=100, description="percent is the share of completed work.")
    stage: ShortText = Field(
        "", description="stage that is running: fetch, render, or empty for none."
    )
    text: ShortText = Field("", description="text is percent with its sign, for printing.")
    eta: ShortText | None = Field(
        None,
        description="eta is the estimated time of completion as an RFC 3339 timestamp. It is set"
        " while rendering.",
    )


class ClipSummary(Model):
    """ClipSummary describes the state of one clip."""

    name: ShortText = Field(description="name of the clip.")
    state: ClipState = Field(
        description="state of the clip: Waiting until it is fetched, then Ready, or Skipped if it"
        " cannot be fetched."
    )
    reason: ShortText | None = Field(
        None,
        description="reason is a programmatic identifier, in CamelCase, of why it is skipped.",
    )
    message: Message | None = Field(
        None, description="message is a human readable message on why it is skipped."
    )


class SegmentSummary(Model):
    """SegmentSummary counts the rendered segments that the outputs are assembled from."""

    total: int = Field(0, description="total number of segments of all outputs.")
    reused: int = Field(0, description="reused is the number of segments that existed already.")
    rendered: int = Field(
        0, description="rendered is the number of segments rendered for this generation."
    )


class QueueSummary(Model):
    """QueueSummary describes the place of a Compilation in a queue."""

    name: ShortText | None = Field(
        None,
        description="name of the LocalQueue of Kueue. It is absent in the operator's own queue.",
    )
    position: int | None = Field(
        None,
        description="position in the operator's own queue, where 1 starts next. Above 10 it is"
        " rounded up to tens. Kueue gives none.",
    )
    estimated_start: ShortText | None = Field(
        None,
        description="estimatedStart is when the operator expects to start it, as an RFC 3339"
        " timestamp. It is estimated by the Compilations that have ended since the operator's"
        " start.",
    )


class OutputSummary(Model):
    """OutputSummary describes one finished video file."""

    name: ShortText = Field(description="name of the output.")
    media_id: ShortText = Field(
        description="mediaId of the file in the owner's media library, by which it is downloaded."
    )
    bytes: int = Field(description="bytes is the size of the file.")
    duration: ShortText = Field(description="duration of the video, such as 90.5s.")
    sha256: ShortText = Field(description="sha256 is the checksum of the file, in hexadecimal.")


class CompilationStatus(Model):
    """status is the most recently observed state of the Compilation, written by the operator."""

    observed_generation: int = Field(
        description="observedGeneration is the .metadata.generation that the status describes."
    )
    compilation_id: ShortText | None = Field(
        None, description="compilationId is the id of the compilation in the Clipmill API."
    )
    owner: ShortText | None = Field(
        None,
        description="owner is the user whose quota and media library the Compilation uses.",
    )
    phase: Phase = Field(
        description="phase is a high-level summary of where the Compilation is in its lifecycle."
        " Queued means that it waits for its admission or for its pods; the message says why."
        " Refused means that the spec is not accepted; see the condition Accepted."
    )
    reason: ShortText | None = Field(
        None,
        description="reason is a programmatic identifier, in CamelCase, of why the Compilation is"
        " in this phase.",
    )
    message: Message | None = Field(
        None,
        description="message is a human readable message on why the Compilation is in this phase.",
    )
    progress: ProgressSummary = Field(
        ProgressSummary(),
        description="progress of the work in steps of 5 percent.",
    )
    queue: QueueSummary | None = Field(
        None, description="queue describes where the Compilation waits while its phase is Queued."
    )
    clips_ready: ShortText | None = Field(
        None, description="clipsReady is the number of ready clips and of all clips, such as 2/3."
    )
    clips: list[ClipSummary] = Field(
        [], max_length=MAX_CLIPS, description="clips lists the state of each clip of the spec."
    )
    segments: SegmentSummary | None = Field(
        None, description="segments counts rendered segments. It is set once rendering starts."
    )
    outputs: list[OutputSummary] = Field(
        [], max_length=8, description="outputs lists the finished video files."
    )
    conditions: list[Condition] = Field(
        [],
        max_length=20,
        description="conditions represent the latest available observations of the Compilation's"
        " state.",
    )
