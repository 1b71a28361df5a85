"""Define the Show resource. The CRD and `kubectl explain` are generated from its spec."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from clipmill.shows.cron_schedule import check_schedule, time_zone
from clipmill.shows.show_sources import ShowSource
from clipmill.shows.template_texts import check_template
from clipmill.spec.base import Duration, Line, Model, Name
from clipmill.spec.compilation import MAX_CLIPS, CompilationTemplate, Metadata
from clipmill.spec.long_duration import LongDuration

ParameterName = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,39}$", max_length=40)]


def _is_schedule(text: str) -> str:
    check_schedule(text)
    return text


def _is_zone(text: str) -> str:
    time_zone(text)
    return text


CronExpression = Annotated[Line, AfterValidator(_is_schedule)]
ZoneName = Annotated[Line, AfterValidator(_is_zone)]


class ConcurrencyPolicy(StrEnum):
    """What happens at a scheduled time while the previous episode has not ended."""

    ALLOW = "Allow"
    FORBID = "Forbid"
    REPLACE = "Replace"


class Approval(StrEnum):
    """Whether a person approves an episode before it is rendered in full quality."""

    NONE = "None"
    REQUIRED = "Required"


class SelectOrder(StrEnum):
    """The order in which candidates are taken."""

    VIEWS = "Views"
    NEWEST = "Newest"
    OLDEST = "Oldest"
    REACTIONS = "Reactions"
    RANDOM = "Random"
    LISTED = "Listed"


class PlayOrder(StrEnum):
    """The order in which the selected clips play."""

    SELECTED = "Selected"
    REVERSED = "Reversed"
    CHRONOLOGICAL = "Chronological"


class Select(Model):
    """Which of the candidates an episode plays."""

    window: LongDuration = Field(
        "7d",
        description="window is the age of the oldest clip at the scheduled time. A clip whose time"
        " is unknown counts as new.",
    )
    most: int = Field(
        10, ge=1, le=MAX_CLIPS, description="most is the largest number of clips of an episode."
    )
    minimum: int = Field(
        1,
        ge=1,
        le=MAX_CLIPS,
        description="minimum is the number of clips below which the episode is skipped.",
    )
    longest: Duration | None = Field(
        None,
        description="longest is the largest sum of the lengths of the clips. A clip of unknown"
        " length is left out unless clipDuration is set.",
    )
    clip_duration: Duration | None = Field(
        None, description="clipDuration is the longest part that plays of each clip."
    )
    order: SelectOrder = Field(
        SelectOrder.VIEWS, description="order is the order in which candidates are taken."
    )
    play: PlayOrder = Field(
        PlayOrder.SELECTED, description="play is the order in which the selected clips play."
    )
    per_creator: int | None = Field(
        None,
        ge=1,
        le=MAX_CLIPS,
        description="perCreator is the largest number of clips of one channel, or of one creator"
        " where the channel is unknown. Absent for any.",
    )
    minimum_views: int = Field(
        0,
        ge=0,
        le=10**12,
        description="minimumViews is the smallest number of views of a clip. A clip whose views are"
        " unknown is left out unless it is 0.",
    )
    languages: list[
        Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z]{2,4})?$", max_length=8)]
    ] = Field(
        [],
        max_length=20,
        description="languages are the languages of clips, such as en or pt-BR; en includes en-GB."
        " Empty for all; otherwise a clip whose language is unknown is left out.",
    )
    unused: bool = Field(
        True,
        description="unused leaves out clips that an earlier episode of the show has played, and"
        " others of the same moment.",
    )

    @model_validator(mode="after")
    def _minimum_within_most(self) -> Self:
        if self.minimum > self.most:
            raise ValueError(f"minimum {self.minimum} is more than most {self.most}")
        return self


class EpisodeHistory(Model):
    """How many ended episodes of a show are kept."""

    successful: int = Field(
        3, ge=0, le=1000, description="successful is the number of succeeded episodes to keep."
    )
    failed: int = Field(
        1, ge=0, le=1000, description="failed is the number of failed and skipped episodes to keep."
    )


class ShowSpec(Model):
    """spec is the schedule of the show, where its clips come from, and the form of its episodes."""

    owner: Name | None = Field(
        None,
        description="owner is the user whose library, quota and credentials are used. Defaults to"
        " the owner of the namespace, else to the default owner. If set, it must equal that owner.",
    )
    schedule: CronExpression = Field(
        min_length=1,
        max_length=100,
        description="schedule is a cron expression of five fields: minute,"
        " hour, day of the month, month, day of the week.",
    )
    time_zone: ZoneName = Field(
        "Etc/UTC",
        min_length=1,
        max_length=64,
        description="timeZone is the IANA name of the zone of the schedule.",
    )
    suspend: bool = Field(False, description="suspend stops new episodes while it is true.")
    concurrency_policy: ConcurrencyPolicy = Field(
        ConcurrencyPolicy.FORBID,
        description="concurrencyPolicy decides about a scheduled time at which an earlier episode"
        " has not ended. Allow starts the new one, Forbid skips it, Replace cancels the earlier"
        " one. An episode that waits for approval counts as ended.",
    )
    starting_deadline_seconds: int | None = Field(
        None,
        ge=10,
        le=31_536_000,
        description="startingDeadlineSeconds is how late an episode may start. Absent for any.",
    )
    approval: Approval = Field(
        Approval.NONE,
        description="approval Required creates each episode as a draft, which is rendered in full"
        " quality once it is approved.",
    )
    sources: list[ShowSource] = Field(
        min_length=1,
        max_length=20,
        description="sources are where candidates come from. Each sets exactly one of twitch,"
        " discord, feed, list and library.",
    )
    select: Select = Field(Select(), description="select decides which clips an episode plays.")
    parameters: dict[ParameterName, Annotated[Line, Field(max_length=200)]] = Field(
        {},
        max_length=40,
        description="parameters are values that the template uses as ${name}, beside the built-in"
        " ${show}, ${number}, ${date}, ${year}, ${month}, ${week} and ${clips}.",
    )
    template: CompilationTemplate = Field(
        CompilationTemplate(),
        description="template is the form of each episode: the spec of a Compilation without clips"
        " and owner. title, the texts of overlays and the credit of the music may contain"
        " ${parameter}; $${ stands for the characters themselves.",
    )
    notify: list[Name] = Field(
        [], max_length=8, description="notify are the names of webhooks that hear of episodes."
    )
    history: EpisodeHistory = Field(
        EpisodeHistory(), description="history is how many ended episodes are kept."
    )

    @field_validator("template", mode="before")
    @classmethod
    def _without_clips_and_owner(cls, template: Any) -> Any:
        if isinstance(template, dict) and "clips" in template:
            raise ValueError("clips do not belong to a template: sources and select provide them")
        if isinstance(template, dict) and "owner" in template:
            raise ValueError("owner does not belong to a template: set owner of the show")
        return template

    @model_validator(mode="after")
    def _consistent_template(self) -> Self:
        check_template(self.template, self.parameters)
        minimum_clips, minimum = self.template.minimum_clips, self.select.minimum
        if minimum_clips > minimum:
            raise ValueError(
                f"template.minimumClips {minimum_clips} is more than select.minimum {minimum}"
            )
        return self


class ShowManifest(Model):
    """A `Show` as `kubectl apply` accepts it."""

    api_version: Literal["clipmill.dev/v1alpha1"]
    kind: Literal["Show"]
    metadata: Metadata
    spec: ShowSpec
