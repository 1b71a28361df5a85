"""What a discover task receives and returns: sources with credentials, and candidates."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, Field

from clipmill.protocol.task_reports import TaskFailure
from clipmill.shows.show_sources import ShowSource
from clipmill.spec.base import Id, Line, Model, SanitizedLine

MAX_CANDIDATES = 10_000
# Reason of a source that was read and offered nothing.
EMPTY_RESULT = "EmptyResult"


class ClipCandidate(Model):
    """A clip that a source offers. Texts come from strangers."""

    url: str | None = Field(None, max_length=2000, description="Page or file; absent for media.")
    media_id: Id | None = Field(None, description="Media of the owner's library.")
    clip_key: str = Field(
        "", max_length=2100, description="Normalized identity of the clip, filled in by the API."
    )
    source: int = Field(ge=0, le=100, description="Index of its source in the show's spec.")
    title: SanitizedLine | None = Field(None, max_length=200)
    creator: SanitizedLine | None = Field(None, max_length=100, description="Who made the clip.")
    broadcaster: SanitizedLine | None = Field(
        None, max_length=100, description="The channel that the clip shows."
    )
    game: SanitizedLine | None = Field(None, max_length=100)
    language: str | None = Field(None, max_length=10)
    views: int | None = Field(None, ge=0)
    reactions: int | None = Field(None, ge=0)
    duration_ms: int | None = Field(None, ge=0)
    created_at: AwareDatetime | None = None
    vod_id: str | None = Field(None, max_length=100, description="Recording that it is cut from.")
    vod_offset_ms: int | None = Field(None, ge=0, description="Where in the recording it starts.")


class SourceReport(Model):
    """How the query of one source ended."""

    source: int = Field(ge=0, le=100)
    requests: int = Field(0, ge=0)
    returned: int = Field(0, ge=0, description="Number of candidates returned.")
    reason: SanitizedLine = Field(
        "", max_length=60, description="Stable code in PascalCase of an error; empty for none."
    )
    message: SanitizedLine = Field("", max_length=500)


class TwitchCredentials(Model):
    """Client of a Twitch application."""

    client_id: str
    client_secret: str = Field(repr=False)
    user_token: str | None = Field(None, repr=False)


class DiscordCredentials(Model):
    """Token of a Discord bot."""

    bot_token: str = Field(repr=False)


class SourceQuery(Model):
    """One source to query, with the credentials that it needs."""

    source: int = Field(ge=0, le=100, description="Index in the show's spec.")
    query: ShowSource
    twitch: TwitchCredentials | None = None
    discord: DiscordCredentials | None = None


class DiscoverClaim(Model):
    """A process that claims the discover task of an episode."""

    holder: Line = Field(min_length=1, max_length=100, description="Name of the process.")


class DiscoverAssignment(Model):
    """What a discover task is to do, under a lease."""

    episode_id: Id
    epoch: int = Field(description="Fencing token; a later claim raises it and ends this one.")
    lease_s: int
    key: str = Field("", description="Key of this task, for every call but another claim.")
    started_after: datetime = Field(description="Clips must be created at this time or later.")
    ended_before: datetime = Field(description="Clips must be created before this time.")
    queries: list[SourceQuery]
    limit_s: int = Field(300, description="Time limit of the whole task in seconds.")
    allowed_private: list[str] = Field(
        [], description="Pairs of host:port that may resolve to private addresses, by a setting."
    )
    base_urls: dict[str, str] = Field(
        {},
        description="Base addresses by service (`twitch`, `twitch-auth`, `discord`) that replace"
        " the public ones, by a setting of the installation.",
    )
    canaries: list[str] = Field(
        [], description="Pairs of host:port that must not be reachable; the pod ends if one is."
    )


class DiscoverResult(Model):
    """The candidates of all sources, or why the task failed as a whole."""

    epoch: int
    candidates: list[ClipCandidate] = Field([], max_length=MAX_CANDIDATES)
    sources: list[SourceReport] = Field([], max_length=100)
    failure: TaskFailure | None = Field(
        None, description="Why no source was queried; a permanent one ends the episode."
    )
