"""Define the sound of the outputs: loudness, and music with its ducking."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, model_validator

from clipmill.spec.base import Duration, Id, Line, Model, Title, parse_duration, parse_level

Decibels = Annotated[str, Field(pattern=r"^-?[0-9]{1,2}(\.[0-9])?dB$", max_length=7)]


class Audio(Model):
    """The loudness of the outputs."""

    loudness: str = Field(
        "-14LUFS",
        pattern=r"^-[0-9]{1,2}(\.[0-9])?LUFS$",
        description="loudness is the programme loudness (EBU R128), -40LUFS to -5LUFS.",
    )
    true_peak: str = Field(
        "-1dBTP",
        pattern=r"^-[0-9](\.[0-9])?dBTP$",
        description="truePeak is the highest true peak allowed.",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -40 <= parse_level(self.loudness) <= -5:
            raise ValueError(f"loudness {self.loudness} is not between -40LUFS and -5LUFS")
        return self


class ClipAudio(Model):
    """The sound of one clip."""

    gain: Decibels = Field(
        "0dB",
        description="gain is the level of the clip relative to the others, -60dB to 20dB, after all"
        " have been brought to the same loudness.",
    )
    mute: bool = Field(False, description="mute silences the clip.")
    track: int | None = Field(
        None,
        ge=1,
        le=32,
        description="track is the number of the audio track that plays, counted from 1. Defaults"
        " to the file's default track.",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -60 <= parse_level(self.gain) <= 20:
            raise ValueError(f"gain {self.gain} is not between -60dB and 20dB")
        return self


class Ducking(Model):
    """Lowers the music while the programme sounds, by a compressor with the programme as key."""

    threshold: Decibels = Field(
        "-34dB",
        description="threshold is the programme level above which the music is lowered, -60dB to"
        " 0dB.",
    )
    ratio: int = Field(
        20,
        ge=1,
        le=20,
        description="ratio is the compression ratio. 1 disables ducking unless depth is set.",
    )
    attack: Duration = Field(
        "1ms", description="attack is the time in which the music is lowered, 1ms to 2s."
    )
    release: Duration = Field(
        "250ms", description="release is the time in which the music returns, 1ms to 9s."
    )
    depth: Decibels | None = Field(
        None,
        description="depth is the amount by which the music is lowered, -1dB to -36dB, independent"
        " of the programme's level. It replaces ratio.",
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -60 <= parse_level(self.threshold) <= 0:
            raise ValueError(f"threshold {self.threshold} is not between -60dB and 0dB")
        if self.depth is not None and not -36 <= parse_level(self.depth) <= -1:
            raise ValueError(f"depth {self.depth} is not between -36dB and -1dB")
        for field, value, longest_s in (("attack", self.attack, 2), ("release", self.release, 9)):
            if not Fraction(1, 1000) <= parse_duration(value) <= longest_s:
                raise ValueError(f"{field} {value} is not between 1ms and {longest_s}s")
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
    """The credit of a track. Missing fields are taken from the tags of the file."""

    title: Title | None = Field(None, description="title is the title of the track.")
    artist: Title | None = Field(None, description="artist is the name of the track's artist.")
    license: Title | None = Field(
        None, description="license is the name of the license, e.g. CC BY 4.0."
    )
    url: Line | None = Field(
        None, max_length=2000, description="url is the address at which the track is published."
    )


class Music(Model):
    """A track that is mixed once under the whole timeline."""

    media_id: Id = Field(
        description="mediaId is the id of a media file with audio in the owner's library."
    )
    gain: Decibels = Field(
        "-12dB",
        description="gain is the level of the music relative to the programme, -60dB to 12dB, after"
        " both have been brought to the same loudness.",
    )
    loop: bool = Field(
        True, description="loop repeats the track if it is shorter than the time it plays."
    )
    starts: MusicStart = Field(
        MusicStart.START,
        alias="from",
        description="from is where the music starts: Start, or AfterIntro, which is after the intro"
        " and a bumper that follows it.",
    )
    until: MusicEnd = Field(
        MusicEnd.END,
        description="until is where the music ends: End, or BeforeOutro, which is before the outro"
        " and a bumper that precedes it.",
    )
    fade_out: Duration = Field(
        "2s", description="fadeOut is the length of the fade at the end of the music, 0s to 30s."
    )
    duck: Ducking = Field(
        Ducking(), description="duck controls how the music is lowered while the programme sounds."
    )
    credit: MusicCredit | None = Field(
        None, description="credit is the track's entry in the credits."
    )

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        if not -60 <= parse_level(self.gain) <= 12:
            raise ValueError(f"gain {self.gain} is not between -60dB and 12dB")
        if parse_duration(self.fade_out) > 30:
            raise ValueError(f"fadeOut {self.fade_out} is more than 30s")
        return self
