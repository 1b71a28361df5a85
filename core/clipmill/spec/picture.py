"""What a manifest says of the picture: how it fills the frame, and what is drawn over it.

Sizes are whole percents of the frame, so that one manifest fits every output.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, parse_duration


class Fit(StrEnum):
    """How a picture of another shape is put into the frame."""

    CONTAIN = "Contain"
    CONTAIN_BLUR = "ContainBlur"
    COVER = "Cover"


class Align(StrEnum):
    """Which part is kept of a picture that is wider than the frame."""

    LEFT = "Left"
    CENTER = "Center"
    RIGHT = "Right"


class Rect(Model):
    """A part of a picture or frame, in percent of its width and height."""

    left: int = Field(0, ge=0, le=99, description="Left edge, percent of the width.")
    top: int = Field(0, ge=0, le=99, description="Upper edge, percent of the height.")
    width: int = Field(100, ge=1, le=100, description="Percent of the width.")
    height: int = Field(100, ge=1, le=100, description="Percent of the height.")

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.left + self.width > 100:
            said = f"left {self.left} plus width {self.width}"
            raise ValueError(f"{said} is more than 100 percent")
        if self.top + self.height > 100:
            said = f"top {self.top} plus height {self.height}"
            raise ValueError(f"{said} is more than 100 percent")
        return self


class Pane(Model):
    """A part of the clip's picture, shown in a part of the frame, which it fills."""

    source: Rect = Field(Rect(), description="The part of the clip; default the whole.")
    target: Rect = Field(description="Where in the frame; what lies over the edge is cut off.")


Panes = Annotated[list[Pane], Field(min_length=1, max_length=6)]


class Position(StrEnum):
    """Where in the frame something is drawn."""

    TOP_LEFT = "TopLeft"
    TOP = "Top"
    TOP_RIGHT = "TopRight"
    LEFT = "Left"
    CENTER = "Center"
    RIGHT = "Right"
    BOTTOM_LEFT = "BottomLeft"
    BOTTOM = "Bottom"
    BOTTOM_RIGHT = "BottomRight"


class Overlay(Model):
    """A text or an image over the picture, all the time or within a window."""

    text: str | None = Field(
        None, min_length=1, max_length=300, description="What is written; may have line breaks."
    )
    media_id: Id | None = Field(None, description="An image of the owner's library.")
    position: Position = Field(Position.BOTTOM, description="Where in the frame.")
    size: int = Field(
        6,
        ge=1,
        le=100,
        description="Height in percent of the frame's: of a line of text, or of the image.",
    )
    margin: int = Field(4, ge=0, le=40, description="From the edge, percent of the frame's height.")
    opacity: int = Field(100, ge=1, le=100, description="Percent; 100 hides what is behind.")
    color: str = Field(
        "#FFFFFF", pattern=r"^#[0-9A-Fa-f]{6}$", max_length=7, description="Of the text, #RRGGBB."
    )
    box: int = Field(0, ge=0, le=100, description="Darkness of a box behind the text, percent.")
    start: Duration = Field("0s", description="First shown here, counted from the clip's start.")
    end: Duration | None = Field(None, description="No longer shown from here; default to the end.")
    fade: Duration = Field("0s", description="How long it comes and goes, at most 5s.")

    @model_validator(mode="after")
    def _one_thing_in_order(self) -> Self:
        if (self.text is None) == (self.media_id is None):
            both = "both text and mediaId are" if self.text else "neither text nor mediaId is"
            raise ValueError(f"exactly one of text and mediaId must be set; {both} set")
        if any(ord(char) < 32 and char != "\n" for char in self.text or ""):
            raise ValueError("text: control characters other than line breaks are not taken")
        if self.end is not None and parse_duration(self.end) <= parse_duration(self.start):
            raise ValueError(f"end {self.end} must be after start {self.start}")
        if parse_duration(self.fade) > 5:
            raise ValueError(f"fade {self.fade} is longer than 5s")
        return self


MAX_OVERLAYS = 10
Overlays = Annotated[list[Overlay], Field(max_length=MAX_OVERLAYS)]


class ClipCredit(Model):
    """Who made a clip: shown on the creator card and in the credits."""

    creator: Line | None = Field(None, max_length=100, description="Who made the clip.")
    game: Line | None = Field(None, max_length=100, description="What is played in it.")
    avatar: Id | None = Field(None, description="The creator's picture, an image of the library.")


class CreatorCard(Model):
    """When the card with a clip's credit is shown, counted from the clip's start."""

    show: bool = Field(True, description="False: no cards.")
    start: Duration = Field("3s", description="When it comes.")
    duration: Duration = Field("7s", description="How long it stays, 500ms to 10m.")
    fade: Duration = Field("300ms", description="How long it comes and goes, at most 5s.")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 0.5 <= parse_duration(self.duration) <= 600:
            raise ValueError(f"duration {self.duration} is not between 500ms and 10m")
        if parse_duration(self.fade) > 5:
            raise ValueError(f"fade {self.fade} is longer than 5s")
        return self
