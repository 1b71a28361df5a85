"""The status of the Show resource. The model of its spec is `clipmill.shows.show_spec`.

The status is a summary of the API's view that can be wiped: the operator writes it again.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clipmill.shows.show_messages import EpisodeState
from clipmill.spec import Model
from clipmill_operator.building.resource import Condition, ShortText

SHOW_KIND = "Show"
SHOW_PLURAL = "shows"
# An episode ends with its time limits, so that no show has more at a time.
MAX_ACTIVE_EPISODES = 100

TimeText = Annotated[str, Field(max_length=40, json_schema_extra={"format": "date-time"})]


class ShowCondition(Condition):
    """ShowCondition contains details for one aspect of the current state of a Show."""

    type: ShortText = Field(description="type of condition: Ready or Suspended.")


class EpisodeSummary(Model):
    """EpisodeSummary describes one episode of a Show."""

    name: ShortText = Field(description="name of the episode's Compilation.")
    number: int = Field(description="number counts the episodes of the Show.")
    scheduled_at: TimeText = Field(description="scheduledAt is the scheduled time.")
    state: EpisodeState = Field(
        description="state of the episode: Discovering, Created, AwaitingApproval, Succeeded,"
        " Failed, or Skipped if the scheduled time has no video."
    )
    reason: ShortText | None = Field(
        None,
        description="reason is a programmatic identifier, in CamelCase, of why it has that state.",
    )
    clips: ShortText | None = Field(
        None, description="clips is the number of clips taken and of all considered, such as 12/80."
    )


class ShowStatus(Model):
    """status is the most recently observed state of the Show, written by the operator."""

    observed_generation: int = Field(
        description="observedGeneration is the .metadata.generation that the status describes."
    )
    show_id: ShortText | None = Field(
        None, description="showId is the id of the show in the Clipmill API."
    )
    owner: ShortText | None = Field(
        None, description="owner is the user whose quota, library and credentials are used."
    )
    next_schedule_time: TimeText | None = Field(
        None, description="nextScheduleTime is when the next episode is due. Absent if suspended."
    )
    last_schedule_time: TimeText | None = Field(
        None, description="lastScheduleTime is the scheduled time of the newest episode."
    )
    last_successful_time: TimeText | None = Field(
        None, description="lastSuccessfulTime is when an episode last succeeded."
    )
    last_episode: EpisodeSummary | None = Field(
        None, description="lastEpisode describes the newest episode."
    )
    active: list[ShortText] = Field(
        [],
        max_length=MAX_ACTIVE_EPISODES,
        description="active lists the Compilations of episodes that have not ended.",
    )
    conditions: list[ShowCondition] = Field(
        [],
        max_length=20,
        description="conditions represent the latest available observations of the Show's state."
        " Ready is False, with a reason, while the spec starts no episodes.",
    )
