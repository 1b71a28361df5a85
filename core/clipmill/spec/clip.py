"""Define the media of a compilation: clips, and assets such as intro, outro and bumper."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, Name, Title, parse_duration
from clipmill.spec.picture import ClipCredit, Fit, Focus, Overlays
from clipmill.spec.soundtrack import ClipAudio
from clipmill.spec.transitions import Transition


class Clip(Model):
    """A clip: its source, the part of it that plays, and what is shown over it."""

    name: Name | None = Field(
        None,
        description="name identifies the clip within the compilation. Defaults to clip-N, where N"
        " is the position of the clip counted from 1.",
    )
    url: Line | None = Field(
        None,
        max_length=2000,
        description="url is the page or file to fetch, by http or https. Exactly one of url and"
        " mediaId must be set.",
    )
    media_id: Id | None = Field(
        None,
        description="mediaId is the id of a media file in the owner's library. Exactly one of url"
        " and mediaId must be set.",
    )
    title: Title | None = Field(
        None, description="title is the clip's title in chapters, credits and reports."
    )
    start: Duration | None = Field(
        None,
        description="start is the position in the source at which the clip starts. Defaults to the"
        " start of the source.",
    )
    end: Duration | None = Field(
        None,
        description="end is the position in the source at which the clip ends. Defaults to the end"
        " of the source.",
    )
    fit: Fit | None = Field(
        None,
        description="fit is how the clip fills the frame of every output. Defaults to the fit of"
        " each output.",
    )
    focus: Focus | None = Field(
        None,
        description="focus is the point of the clip that stays as near to the middle of the frame"
        " as possible when the picture is cropped. Defaults to the focus of each output.",
    )
    audio: ClipAudio = Field(
        ClipAudio(), description="audio controls the sound of the clip: level, mute and track."
    )
    transition: Transition | None = Field(
        None,
        description="transition is the overlap with the previous item. It replaces the transition"
        " clip at this place.",
    )
    credit: ClipCredit | None = Field(
        None, description="credit is shown on the creator card and in the credits."
    )
    overlays: Overlays = Field([], description="overlays are texts and images over this clip.")

    @model_validator(mode="after")
    def _one_source_in_order(self) -> Self:
        if (self.url is None) == (self.media_id is None):
            both = "both url and mediaId are" if self.url else "neither url nor mediaId is"
            raise ValueError(f"exactly one of url and mediaId must be set; {both} set")
        if self.end is not None and parse_duration(self.end) <= parse_duration(self.start or "0s"):
            raise ValueError(f"end {self.end} must be after start {self.start or '0s'}")
        return self


class Asset(Model):
    """A media file of the owner's library that plays from start to end."""

    media_id: Id = Field(description="mediaId is the id of a media file in the owner's library.")


class BumperPlacement(StrEnum):
    """The gaps in which the bumper plays."""

    NONE = "None"
    BETWEEN = "Between"
    HEAD_STYLE = "HeadStyle"


class Bumper(Asset):
    """A short video of the library that separates clips."""

    placement: BumperPlacement = Field(
        BumperPlacement.BETWEEN,
        description="placement is where the bumper plays. None disables it. Between plays it"
        " between any two items, including transition clips, but never first or last. HeadStyle"
        " plays it after each item except the outro, and first if there is no intro.",
    )
