"""Define the media of a compilation: clips, and assets such as intro, outro and bumper."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, Name, Title, parse_duration
from clipmill.spec.picture import ClipCredit, Fit, Focus, Overlays
from clipmill.spec.soundtrack import ClipAudio
from clipmill.spec.transitions import Transition


class Clip(Model):
    """A clip: a video, a still image or a title card, and what is shown over it."""

    name: Name | None = Field(
        None,
        description="name identifies the clip within the compilation. Defaults to clip-N, where N"
        " is the position of the clip counted from 1.",
    )
    url: Line | None = Field(
        None,
        max_length=2000,
        description="url is the page or file to fetch, by http or https. Exactly one of url,"
        " mediaId and color must be set.",
    )
    media_id: Id | None = Field(
        None,
        description="mediaId is the id of a video or a still image in the owner's library. Exactly"
        " one of url, mediaId and color must be set.",
    )
    color: str | None = Field(
        None,
        pattern=r"^#[0-9A-Fa-f]{6}$",
        max_length=7,
        description="color makes the clip a silent title card of one colour, written as #RRGGBB."
        " Exactly one of url, mediaId and color must be set.",
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
    duration: Duration | None = Field(
        None,
        description="duration is how long the clip plays, 40ms to 1h. Defaults to 4s for a still"
        " image and a title card, and to the rest of the source for a video. It excludes end.",
    )
    slow_zoom: int = Field(
        0,
        ge=0,
        le=50,
        description="slowZoom is the enlargement of a still image from its first to its last frame"
        " in percent.",
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
        names = ("url", "mediaId", "color")
        sources = (self.url, self.media_id, self.color)
        present = [n for n, source in zip(names, sources, strict=True) if source is not None]
        if len(present) != 1:
            raise ValueError(
                "exactly one of url, mediaId and color must be set;"
                f" {' and '.join(present) or 'none'} {'are' if present else 'is'} set"
            )
        if self.end is not None and parse_duration(self.end) <= parse_duration(self.start or "0s"):
            raise ValueError(f"end {self.end} must be after start {self.start or '0s'}")
        if self.duration is not None and self.end is not None:
            raise ValueError(f"duration {self.duration} and end {self.end} exclude each other")
        if self.duration and not Fraction(1, 25) <= parse_duration(self.duration) <= 3600:
            raise ValueError(f"duration {self.duration} is not between 40ms and 1h")
        if self.color is not None and (self.start or self.end):
            raise ValueError("start and end do not apply to a color; set duration")
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
