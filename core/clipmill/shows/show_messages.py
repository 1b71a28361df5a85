"""What operator, command line and browsers exchange with the API about shows and episodes."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from clipmill.shows.candidates import ClipCandidate, SourceReport
from clipmill.shows.show_spec import ShowSpec
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, SanitizedLine


class EpisodeState(StrEnum):
    """The state of an episode."""

    DISCOVERING = "Discovering"
    # Its Compilation exists, or waits in the outbox. The Compilation's state says the rest.
    CREATED = "Created"
    AWAITING_APPROVAL = "AwaitingApproval"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    SKIPPED = "Skipped"


class SkipReason(StrEnum):
    """Why a scheduled time has no video."""

    TOO_FEW_CLIPS = "TooFewClips"
    STILL_RUNNING = "StillRunning"
    DEADLINE_MISSED = "DeadlineMissed"
    REPLACED = "Replaced"
    NOT_APPROVED = "NotApproved"
    # `clipmill discover` asked for it: its clips are selected, and nothing is rendered.
    PREVIEW = "Preview"


class ConsideredClip(ClipCandidate):
    """A candidate with the reason why it was not taken."""

    reason: str = Field("", max_length=60, description="Code in PascalCase; empty if taken.")


class EpisodeView(Model):
    """An episode of a show."""

    id: Id
    show_id: Id
    number: int = Field(ge=1, description="Counts the episodes of the show.")
    scheduled_at: AwareDatetime
    state: EpisodeState
    reason: str = Field("", max_length=60)
    message: str = Field("", max_length=500)
    name: Name = Field(description="Name of its Compilation.")
    compilation_id: Id | None = None
    taken: int = 0
    considered: int = 0


class EpisodeReport(EpisodeView):
    """An episode with what its sources offered."""

    candidates: list[ConsideredClip] = []
    sources: list[SourceReport] = []


class ShowView(Model):
    """A show and its state."""

    id: Id
    uid: str | None = Field(None, description="UID of its resource; absent for one of the API.")
    namespace: Name
    name: Name
    owner: Name
    generation: int
    spec: ShowSpec
    ready: bool
    reason: str = Field("", max_length=60, description="Stable code in PascalCase.")
    message: str = Field("", max_length=500)
    next_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    last_successful_at: AwareDatetime | None = None
    active: list[Name] = Field([], description="Names of the Compilations of running episodes.")
    last_episode: EpisodeView | None = None


class NewShow(Model):
    """Request for a show without a resource."""

    name: Name
    spec: ShowSpec


class ShowRegistration(Model):
    """A generation of a Show resource."""

    namespace: Name
    name: Name
    generation: int = Field(ge=1, le=MAX_SAFE_INTEGER)
    owner: Name
    spec: ShowSpec


class DiscoverJob(Model):
    """An episode whose discover task needs a pod."""

    episode_id: Id
    show_uid: str | None = None
    show_name: Name
    namespace: Name
    name: Name = Field(description="Name of the episode.")
    owner: Name


class ShowTick(Model):
    """What the operator has to do about shows, and which shows changed since its last call."""

    cursor: int = Field(description="Send it with the next call.")
    changed: list[ShowView] = []
    discover: list[DiscoverJob] = []


class FailedDiscovery(Model):
    """A discover pod that ended without a result, after all retries."""

    reason: Line = Field("", max_length=60)
    message: SanitizedLine = Field(max_length=500)
