"""Define the outputs: platform preset or custom size, quality and framing."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from clipmill.spec.base import Model, Name
from clipmill.spec.picture import Align, Fit, Focus, Panes

# Every offered frame rate has a whole number of samples per frame at this rate.
AUDIO_RATE = 48_000
FRAME_RATES = (24, 25, 30, 50, 60, 120)


class Quality(StrEnum):
    """Final, or a small and fast draft of the same timeline."""

    FINAL = "Final"
    DRAFT = "Draft"


class PreviewExtent(StrEnum):
    """The part of each clip that a draft shows."""

    WHOLE = "Whole"
    FIRST_SECONDS = "FirstSeconds"


class Output(Model):
    """A finished video. All outputs of a compilation show the same timeline."""

    name: Name = Field(description="name identifies the output and is the name of its file.")
    preset: Literal[
        "youtube",
        "youtube_shorts",
        "tiktok",
        "instagram_feed",
        "instagram_reel",
        "instagram_story",
        "twitter",
        "facebook",
        "twitch",
        "custom",
    ] = Field(
        description="preset is the target platform. It sets the size, frame rate and bit rate, and"
        " the longest video allowed. custom requires width, height and rate."
    )
    width: int | None = Field(
        None,
        ge=64,
        le=3840,
        multiple_of=2,
        description="width is the frame's width in pixels. Only for preset custom.",
    )
    height: int | None = Field(
        None,
        ge=64,
        le=3840,
        multiple_of=2,
        description="height is the frame's height in pixels. Only for preset custom.",
    )
    rate: Literal[24, 25, 30, 50, 60, 120] | None = Field(
        None, description="rate is the number of frames per second. Only for preset custom."
    )
    container: Literal["mp4", "webm"] | None = Field(
        None,
        description="container is the file format: mp4 (H.264 and AAC) or webm (VP9 and Opus)."
        " Defaults to mp4. Only for preset custom.",
    )
    max_bytes: int | None = Field(
        None,
        ge=100_000,
        le=2**40,
        description="maxBytes is the largest allowed size of the finished file in bytes.",
    )
    fit: Fit = Field(
        Fit.CONTAIN,
        description="fit is how pictures of another aspect ratio fill the frame. Contain adds black"
        " borders, ContainBlur a blurred background; Cover crops the picture.",
    )
    zoom: int = Field(
        100, ge=100, le=180, description="zoom is the enlargement of clips in percent."
    )
    align: Align = Field(
        Align.CENTER,
        description="align is the part that is kept of a clip that is wider than the frame.",
    )
    focus: Focus | None = Field(
        None,
        description="focus is the point of the clip that stays as near to the middle of the frame"
        " as possible when the picture is cropped. It replaces align.",
    )
    layout: Panes | None = Field(
        None,
        description="layout places parts of each clip in parts of the frame, later ones on top. It"
        " replaces fit and zoom.",
    )

    @model_validator(mode="after")
    def _sized(self) -> Self:
        sizes = [self.width, self.height, self.rate]
        if self.preset == "custom" and None in sizes:
            raise ValueError("preset custom needs width, height and rate")
        if self.preset != "custom" and sizes != [None, None, None]:
            raise ValueError(f"width, height and rate belong to preset custom, not {self.preset}")
        if self.preset != "custom" and self.container is not None:
            raise ValueError(f"container belongs to preset custom; {self.preset} takes mp4")
        return self
