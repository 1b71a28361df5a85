"""What a manifest says of the music under the programme."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, Title, parse_duration, parse_level

Decibels = Annotated[str, Field(pattern=r"^-?[0-9]{1,2}(\.[0-9])?dB$", max_length=7)]


class Ducking(Model):
    """How the music makes room while the programme sounds (a compressor keyed by it)."""

    threshold: Decibels = Field("-34dB", description="Programme level above which music yields.")
    ratio: int = Field(20, ge=1, le=20, description="How strongly it yields; 1: not at all.")
    attack: Duration = Field("1ms", description="How fast it yields, 1ms to 2s.")
    release: Duration = Field("250ms", description="How fast it comes back, 1ms to 9s.")
    depth: Decibels | None = Field(
        None,
        description="How far it yields, -1dB to -36dB, however loud the programme; in place of"
        " the ratio.",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -60 <= parse_level(self.threshold) <= 0:
            raise ValueError(f"threshold {self.threshold} is not between -60dB and 0dB")
        if self.depth is not None and not -36 <= parse_level(self.depth) <= -1:
            raise ValueError(f"depth {self.depth} is not between -36dB and -1dB")
        for field, most in (("attack", 2), ("release", 9)):
            given: str = getattr(self, field)
            if not Fraction(1, 1000) <= parse_duration(given) <= most:
                raise ValueError(f"{field} {given} is not between 1ms and {most}s")
        return self


class MusicStart(StrEnum):
    """Where the music starts."""

    START = "Start"
    AFTER_INTRO = "AfterIntro"


class MusicEnd(StrEnum):
    """Where the music ends."""

    END = "End"
    BEFORE_OUTRO = "BeforeOutro"


class MusicCredit(Model):
    """Who made the music; what is not given is taken from the file's own tags."""

    title: Title | None = Field(None, description="Title of the track.")
    artist: Title | None = Field(None, description="Who made it.")
    license: Title | None = Field(None, description="The license's name, e.g. CC BY 4.0.")
    url: Line | None = Field(None, max_length=2000, description="Where the track can be found.")


class Music(Model):
    """Music under the programme, mixed once over the whole timeline."""

    media_id: Id = Field(description="A media file of the library: music, or any with sound.")
    gain: Decibels = Field(
        "-12dB",
        description="Level against the programme, -60dB to 12dB, once both have been brought to"
        " the same loudness.",
    )
    loop: bool = Field(True, description="Start again when it ends before `until`.")
    starts: MusicStart = Field(
        MusicStart.START,
        alias="from",
        description="Start, or AfterIntro: after the intro and a bumper that follows it.",
    )
    until: MusicEnd = Field(
        MusicEnd.END,
        description="End, or BeforeOutro: before the outro and a bumper that leads to it.",
    )
    fade_out: Duration = Field("2s", description="Fade at its end, 0s to 30s.")
    duck: Ducking = Field(Ducking(), description="How it makes room while the programme sounds.")
    credit: MusicCredit | None = Field(None, description="Whom the credits name.")

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -60 <= parse_level(self.gain) <= 12:
            raise ValueError(f"gain {self.gain} is not between -60dB and 12dB")
        if parse_duration(self.fade_out) > 30:
            raise ValueError(f"fadeOut {self.fade_out} is more than 30s")
        return self
