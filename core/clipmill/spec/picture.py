"""Define how pictures fill the frame, and what is shown over them.

Sizes are whole percentages of the frame, so that one manifest fits every output.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AliasChoices, Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, parse_duration


class Fit(StrEnum):
    """How a picture of another aspect ratio fills the frame."""

    CONTAIN = "Contain"
    CONTAIN_BLUR = "ContainBlur"
    COVER = "Cover"


class Align(StrEnum):
    """The part that is kept of a picture that is wider than the frame."""

    LEFT = "Left"
    CENTER = "Center"
    RIGHT = "Right"


class Focus(Model):
    """The point of a picture that stays in the frame when the picture is cropped.

    `x` and `y` are accepted too, but not by kubectl: its YAML reads the key y as true.
    """

    left: int = Field(
        50,
        ge=0,
        le=100,
        validation_alias=AliasChoices("left", "x"),
        description="left is the distance from the left edge in percent of the width.",
    )
    top: int = Field(
        50,
        ge=0,
        le=100,
        validation_alias=AliasChoices("top", "y"),
        description="top is the distance from the top edge in percent of the height.",
    )


class Rect(Model):
    """A rectangle within a picture or frame."""

    left: int = Field(
        0, ge=0, le=99, description="left is the position of the left edge in percent of the width."
    )
    top: int = Field(
        0, ge=0, le=99, description="top is the position of the top edge in percent of the height."
    )
    width: int = Field(
        100, ge=1, le=100, description="width is the width of the rectangle in percent."
    )
    height: int = Field(
        100, ge=1, le=100, description="height is the height of the rectangle in percent."
    )

    @model_validator(mode="after")
    def _within(self) -> Self:
        if self.left + self.width > 100:
            raise ValueError(f"left {self.left} plus width {self.width} is more than 100 percent")
        if self.top + self.height > 100:
            raise ValueError(f"top {self.top} plus height {self.height} is more than 100 percent")
        return self


class Pane(Model):
    """A part of the clip's picture that fills a part of the frame."""

    source: Rect = Field(
        Rect(), description="source is the part of the clip. Defaults to the whole picture."
    )
    target: Rect = Field(
        description="target is the part of the frame. The picture is cropped to its aspect ratio."
    )


Panes = Annotated[list[Pane], Field(min_length=1, max_length=6)]


class Position(StrEnum):
    """A position within the frame."""

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
    """A text or an image over the picture, permanently or for a time."""

    text: str | None = Field(
        None,
        min_length=1,
        max_length=300,
        description="text is the text to show. It may contain line breaks. Exactly one of text and"
        " mediaId must be set.",
    )
    media_id: Id | None = Field(
        None,
        description="mediaId is the id of an image in the owner's library. Exactly one of text and"
        " mediaId must be set.",
    )
    position: Position = Field(
        Position.BOTTOM, description="position is the place within the frame."
    )
    size: int = Field(
        6,
        ge=1,
        le=100,
        description="size is the height of the image or of a line of text, in percent of the"
        " frame's height.",
    )
    margin: int = Field(
        4,
        ge=0,
        le=40,
        description="margin is the distance from the edge, in percent of the frame's height.",
    )
    opacity: int = Field(
        100, ge=1, le=100, description="opacity is the opacity in percent; 100 is opaque."
    )
    color: str = Field(
        "#FFFFFF",
        pattern=r"^#[0-9A-Fa-f]{6}$",
        max_length=7,
        description="color is the colour of the text as #RRGGBB.",
    )
    box: int = Field(
        0, ge=0, le=100, description="box is the opacity of a dark box behind the text in percent."
    )
    start: Duration = Field(
        "0s", description="start is when the overlay appears, counted from the start of the clip."
    )
    end: Duration | None = Field(
        None,
        description="end is when the overlay disappears, counted from the start of the clip."
        " Defaults to the end of the clip.",
    )
    fade: Duration = Field(
        "0s", description="fade is the length of the fade-in and of the fade-out, at most 5s."
    )

    @model_validator(mode="after")
    def _one_source_in_order(self) -> Self:
        if (self.text is None) == (self.media_id is None):
            both = "both text and mediaId are" if self.text else "neither text nor mediaId is"
            raise ValueError(f"exactly one of text and mediaId must be set; {both} set")
        if any(ord(char) < 32 and char != "\n" for char in self.text or ""):
            raise ValueError("text: control characters other than line breaks are not allowed")
        if self.end is not None and parse_duration(self.end) <= parse_duration(self.start):
            raise ValueError(f"end {self.end} must be after start {self.start}")
        _refuse_long_fade(self.fade)
        return self


def _refuse_long_fade(fade: str) -> None:
    if parse_duration(fade) > 5:
        raise ValueError(f"fade {fade} is longer than 5s")


MAX_OVERLAYS = 10
Overlays = Annotated[list[Overlay], Field(max_length=MAX_OVERLAYS)]


class ClipCredit(Model):
    """The credit of a clip, shown on the creator card and in the credits."""

    creator: Line | None = Field(
        None, max_length=100, description="creator is the name of the clip's creator."
    )
    game: Line | None = Field(
        None, max_length=100, description="game is the name of the game that the clip shows."
    )
    avatar: Id | None = Field(
        None, description="avatar is the id of an image in the library that shows the creator."
    )


class CreatorCard(Model):
    """The card that shows a clip's credit. Times are counted from the start of the clip."""

    show: bool = Field(True, description="show enables the cards.")
    start: Duration = Field("3s", description="start is when the card appears.")
    duration: Duration = Field(
        "7s", description="duration is how long the card is shown, 500ms to 10m."
    )
    fade: Duration = Field(
        "300ms", description="fade is the length of the fade-in and of the fade-out, at most 5s."
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not 0.5 <= parse_duration(self.duration) <= 600:
            raise ValueError(f"duration {self.duration} is not between 500ms and 10m")
        _refuse_long_fade(self.fade)
        return self
