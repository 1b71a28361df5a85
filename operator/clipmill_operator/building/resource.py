"""The resource as the cluster holds it: names, and the models of its status.

The spec's models are the contract's; the status is a summary that can be wiped and comes back.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clipmill.protocol import ClipState
from clipmill.spec import MAX_CLIPS, Model

GROUP = "clipmill.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "Compilation"
PLURAL = "compilations"

Word = Annotated[str, Field(max_length=100)]
Sentence = Annotated[str, Field(max_length=1024)]


class Condition(Model):
    """One finding, as everywhere in Kubernetes."""

    type: Word = Field(description="Accepted, Fetched, Rendered, Complete, Failed or Degraded.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: Word = Field(description="Why, in one word for programs.")
    message: Sentence = Field(description="Why, in one sentence for people.")
    last_transition_time: Annotated[str, Field(max_length=40)] = Field(
        description="When status last changed.", json_schema_extra={"format": "date-time"}
    )
    observed_generation: int = Field(description="The generation that this was found for.")


class Progress(Model):
    """How far it is. Live figures come from the API; these move in steps."""

    percent: int = Field(0, ge=0, le=100, description="Done, in percent.")
    stage: Word = Field("", description="What is being done: fetch, render or assemble.")
    text: Word = Field("", description="The percentage as it is shown.")
    eta: Word | None = Field(None, description="About when it will have ended, while it renders.")


class ClipSummary(Model):
    """One clip."""

    name: Word = Field(description="The clip's name.")
    state: ClipState = Field(description="Waiting, Ready or Skipped.")
    reason: Word | None = Field(None, description="Why it was skipped.")
    message: Sentence | None = Field(None, description="The same for people.")


class Segments(Model):
    """Rendered segments: what did not change is not rendered again."""

    total: int = Field(0, description="Segments of all outputs.")
    reused: int = Field(0, description="Those that existed before.")
    rendered: int = Field(0, description="Those rendered for this generation.")


class OutputSummary(Model):
    """One finished video. It is fetched from the API, by its owner's key."""

    name: Word = Field(description="The output's name.")
    media_id: Word = Field(description="The media file in the owner's library.")
    bytes: int = Field(description="Size in bytes.")
    duration: Word = Field(description="Length.")
    sha256: Word = Field(description="Checksum of the file.")


class Status(Model):
    """What became of the wish."""

    observed_generation: int = Field(description="The generation that this tells of.")
    compilation_id: Word | None = Field(None, description="The compilation's id at the API.")
    owner: Word | None = Field(None, description="Whose quota and library it uses.")
    phase: Word = Field(
        description="Pending, Fetching, Rendering, Succeeded, Failed, Cancelled or Superseded."
    )
    reason: Word | None = Field(None, description="Why the phase is what it is, in one word.")
    message: Sentence | None = Field(None, description="The same in one sentence.")
    progress: Progress = Field(Progress(), description="How far it is.")
    clips_ready: Word | None = Field(None, description="Clips that are here, of all.")
    clips: list[ClipSummary] = Field(
        [], max_length=MAX_CLIPS, description="The clips in the order of the spec."
    )
    segments: Segments | None = Field(None, description="Rendered segments, once they are known.")
    outputs: list[OutputSummary] = Field([], max_length=8, description="The finished videos.")
    conditions: list[Condition] = Field([], max_length=20, description="Findings, by type.")
