"""Describe a segment by everything that decides its pixels and samples."""

from __future__ import annotations

from pydantic import Field

from clipmill.protocol.encoding_profile import Profile
from clipmill.protocol.layers import Framing, Layer
from clipmill.protocol.picture_traits import PictureTraits
from clipmill.spec.base import Id, Model, Sha256
from clipmill.spec.transitions import Curve, TransitionType


class SourceColor(Model):
    """Colours that a source is converted from, by ffmpeg's names."""

    matrix: str
    primaries: str
    transfer: str = Field("bt709", description="One of HDR; `bt709` stands for all of SDR.")

    @property
    def is_hdr(self) -> bool:
        """Whether the picture is tone-mapped."""
        return self.transfer != "bt709"


class StillPicture(Model):
    """A picture that is shown for the whole range, instead of a video."""

    color: str | None = Field(None, description="Colour of a title card; absent for an image.")
    zoom: int = Field(0, description="Enlargement until the end of the clip, in percent.")
    frames: int = Field(0, ge=0, description="Length of the whole clip if there is a zoom.")


class SourceRange(Model):
    """A range of one source, in frames of the output rate, with its gain and layers."""

    media_id: Id | None = Field(description="Absent for a title card and a black placeholder.")
    sha256: str
    format: str
    has_audio: bool
    audio_stream: int | None = Field(
        None, description="Index of the audio stream in the file; absent for the first one."
    )
    right_stream: int | None = Field(
        None,
        description="Index of the audio stream that holds the right channel alone, where"
        " `audio_stream` holds the left one.",
    )
    audio_changes_form: bool = Field(
        False, description="Whether rate, sample format or layout change within the stream."
    )
    video_stream: int | None = Field(
        None, description="Index of the video stream in the file; absent for the first one."
    )
    traits: PictureTraits = PictureTraits()
    held_from: int | None = Field(
        None, description="Frame from which the last picture is held, while the sound goes on."
    )
    start_us: int = Field(
        0,
        description="Time at which the source starts after what ffmpeg takes as the start of the"
        " file, in microseconds.",
    )
    width: int = 0
    height: int = 0
    color: SourceColor | None = Field(
        None, description="Absent for a placeholder, and for facts of earlier releases."
    )
    still: StillPicture | None = Field(None, description="Absent for a video.")
    start: int = Field(ge=0, description="First frame within the source.")
    frames: int = Field(ge=1)
    gain_mb: int = Field(0, description="Gain in hundredths of a decibel.")
    framing: Framing = Framing()
    layers: list[Layer] = Field([], description="Layers over the picture, the lowest first.")


class Segment(Model):
    """A body segment (one source range) or a transition segment (two of equal length)."""

    key: Sha256 = Field(description="Hash of the segment's content.")
    sources: list[SourceRange] = Field(min_length=1, max_length=2)
    transition: TransitionType = TransitionType.NONE
    curve: Curve = Curve.EQUAL_POWER
    profile: Profile
    watermark: Layer | None = Field(None, description="Layer over all others, always visible.")

    @property
    def frames(self) -> int:
        """Length in frames of the output rate."""
        return self.sources[0].frames

    def layers(self) -> tuple[Layer, ...]:
        """Return the layers of each source range in turn, then the watermark."""
        watermark = (self.watermark,) if self.watermark else ()
        return (*(layer for source in self.sources for layer in source.layers), *watermark)


class SegmentCounts(Model):
    """How many segments a result has, and where they came from."""

    total: int = 0
    reused: int = 0
    rendered: int = 0
