"""Define transitions between clips, and transition clips that play between them."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Model, parse_duration

MAX_TRANSITIONS = 50


class TransitionType(StrEnum):
    """The picture's transition from one item into the next."""

    NONE = "None"
    FADE = "Fade"
    FADE_BLACK = "FadeBlack"
    FADE_WHITE = "FadeWhite"
    DISSOLVE = "Dissolve"
    WIPE_LEFT = "WipeLeft"
    WIPE_RIGHT = "WipeRight"
    WIPE_UP = "WipeUp"
    WIPE_DOWN = "WipeDown"
    SLIDE_LEFT = "SlideLeft"
    SLIDE_RIGHT = "SlideRight"
    SLIDE_UP = "SlideUp"
    SLIDE_DOWN = "SlideDown"
    SMOOTH_LEFT = "SmoothLeft"
    SMOOTH_RIGHT = "SmoothRight"
    CIRCLE_OPEN = "CircleOpen"
    CIRCLE_CLOSE = "CircleClose"
    RADIAL = "Radial"
    PIXELIZE = "Pixelize"


class Curve(StrEnum):
    """The curve of an audio crossfade."""

    EQUAL_POWER = "EqualPower"
    LINEAR = "Linear"
    SMOOTH = "Smooth"
    EXPONENTIAL = "Exponential"


class Transition(Model):
    """An overlap of the previous item with a clip. It replaces the transition clip there."""

    type: TransitionType = Field(
        description="type is the kind of the picture's transition. None is a hard cut; all other"
        " types overlap the two clips.",
    )
    duration: Duration = Field(
        "500ms", description="duration is the length of the overlap, 40ms to 10s."
    )
    curve: Curve = Field(
        Curve.EQUAL_POWER,
        description="curve is the curve of the audio crossfade. EqualPower keeps the loudness of"
        " unrelated sounds constant, Linear and Smooth the level of similar ones; Exponential is"
        " almost silent in the middle.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not Fraction(1, 25) <= parse_duration(self.duration) <= 10:
            raise ValueError(f"duration {self.duration} is not between 40ms and 10s")
        return self


class TransitionOrder(StrEnum):
    """The order in which transition clips are used."""

    CYCLE = "Cycle"
    RANDOM = "Random"


class TransitionPlacement(StrEnum):
    """The gaps in which transition clips play."""

    BETWEEN_CLIPS = "BetweenClips"
    EVERYWHERE = "Everywhere"


class TransitionClips(Model):
    """Short videos that play between clips."""

    media_ids: list[Id] = Field(
        min_length=1,
        max_length=MAX_TRANSITIONS,
        description="mediaIds are the ids of the transition clips in the owner's library.",
    )
    order: TransitionOrder = Field(
        TransitionOrder.CYCLE,
        description="order is how transition clips are assigned to gaps. Cycle uses them in turn,"
        " Random chooses by the seed.",
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        description="seed initializes the choice of order Random. Equal seeds give equal videos.",
    )
    placement: TransitionPlacement = Field(
        TransitionPlacement.BETWEEN_CLIPS,
        description="placement is where transition clips play. BetweenClips leaves out the gaps"
        " next to intro and outro, Everywhere includes them.",
    )
