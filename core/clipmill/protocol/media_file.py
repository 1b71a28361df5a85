"""Describe media: a file that the API keeps, and the facts that its prober measured."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import Field

from clipmill.spec.base import Id, Line, Model, SanitizedLine, Sha256, SourceText, Title


class MediaKind(StrEnum):
    """What a media file is for."""

    CLIP = "clip"
    INTRO = "intro"
    OUTRO = "outro"
    TRANSITION = "transition"
    BUMPER = "bumper"
    MUSIC = "music"
    IMAGE = "image"
    COMPILATION = "compilation"
    THUMBNAIL = "thumbnail"
    STORYBOARD = "storyboard"
    STORYBOARD_CUES = "storyboard_cues"
    CHAPTERS = "chapters"
    CREDITS = "credits"
    MANIFEST = "manifest"


class AudioTrack(Model):
    """One audio stream of a file, in the file's order."""

    stream: int = Field(ge=0, description="Index of the stream among all streams of the file.")
    codec: str | None = Field(None, description="Absent if the audio cannot be decoded.")
    channels: int = 0
    layout: str = Field("", description="Channel layout as ffmpeg names it, e.g. `stereo`.")
    changes_form: bool = Field(
        False, description="Whether rate, sample format or layout change within the stream."
    )
    start_us: int | None = Field(None, description="`start_us` of the file where this track plays.")
    language: str = ""
    loudness_lufs: float | None = Field(
        None, description="Integrated loudness (EBU R128); absent for silence."
    )
    true_peak_dbtp: float | None = None
    loudness_blocks: str = Field(
        "",
        description="Loudness of each block of 400 ms from the start of the file, encoded by"
        " `clipmill.timeline.loudness_blocks`. Absent in views of a media file.",
    )
    loudness_hop_ms: int = Field(100, ge=1, description="Distance of two blocks.")


class ColorTags(Model):
    """What a file declares of its colours, by ffmpeg's names. Absent where it declares nothing."""

    matrix: str | None = Field(None, description="Coefficients of luma, e.g. `smpte170m`.")
    primaries: str | None = None
    transfer: str | None = None


class Excerpt(Model):
    """Which part of its source a file holds; times in microseconds from the source's start."""

    at_us: int = Field(description="Time in the source at which the streams of the file start.")
    rest_us: int = Field(ge=0, description="Length of the source after the end of the file.")


class MediaFacts(Model):
    """Facts of a media file, measured by one pass over it. Times are in microseconds."""

    format: str = Field(
        description="Demuxer of ffmpeg, e.g. `mov` or `matroska`; forced when the file is read."
    )
    duration_us: int = Field(ge=0)
    width: int = Field(
        0,
        ge=0,
        description="Pixels as shown, after rotation and pixel aspect; 0 for a file without video.",
    )
    height: int = Field(0, ge=0)
    rate: str = Field("", description="Average frame rate as a fraction, e.g. `30000/1001`.")
    frames: int = Field(0, ge=0)
    video_codec: str | None = None
    video_stream: int | None = Field(
        None,
        description="Index of the video stream in the file; absent for the first one, and in"
        " facts of earlier releases.",
    )
    pictures_us: int | None = Field(
        None, description="End of the last picture, which is held while the sound goes on."
    )
    start_us: int = Field(
        0,
        description="Time from what ffmpeg takes as the start of the file to that of the streams"
        " that play, in microseconds.",
    )
    field_order: Literal["tff", "bff"] | None = Field(
        None,
        description="Field of interlaced frames that comes first; absent for progressive ones.",
    )
    has_alpha: bool = Field(False, description="Whether pixels may be transparent.")
    changes_shape: bool = Field(
        False,
        description="Whether size, aspect, rotation or pixel format change within the stream.",
    )
    silent_start_us: int | None = Field(
        None, description="`start_us` where only the pictures are read."
    )
    color: ColorTags | None = Field(
        None, description="Declared colours of the video; absent in facts of earlier releases."
    )
    audio_codec: str | None = None
    loudness_lufs: float | None = Field(
        None, description="Integrated loudness (EBU R128); absent for silence or no audio."
    )
    true_peak_dbtp: float | None = None
    audio_tracks: list[AudioTrack] = Field(
        [], description="Audio streams. Facts measured by older releases have none."
    )
    audio_track: int = Field(
        1, ge=1, description="Track that plays unless another is chosen, counted from 1."
    )
    title: Title | None = Field(None, description="Title from the tags of an audio file.")
    artist: Title | None = Field(None, description="Artist from the tags of an audio file.")
    license: Title | None = Field(None, description="License from the tags of an audio file.")

    excerpt: Excerpt | None = Field(
        None, description="Present for a file that holds only a part of its source."
    )

    @property
    def source_us(self) -> int:
        """Length of the whole source, of which the file may hold only an excerpt."""
        if self.excerpt is None:
            return self.duration_us
        return self.excerpt.at_us + self.duration_us + self.excerpt.rest_us

    @property
    def is_image(self) -> bool:
        """Whether the file is a still image."""
        return self.width > 0 and not self.frames and not self.duration_us


class MediaDefect(Model):
    """Why a file that was uploaded as a clip cannot be played."""

    code: Line = Field(max_length=60, description="Stable code in PascalCase, e.g. Truncated.")
    message: SanitizedLine = Field(max_length=500)


class SourceMetadata(Model):
    """What the platform says of a fetched clip. The manifest's own values win."""

    title: SourceText | None = None
    creator: SourceText | None = Field(None, description="Who made the clip.")
    broadcaster: SourceText | None = Field(None, description="Channel that the clip shows.")
    game: SourceText | None = None
    published: date | None = None


class Media(Model):
    """A media file of a library."""

    id: Id
    kind: MediaKind
    filename: str
    size_bytes: int
    sha256: Sha256
    facts: MediaFacts | None = None
    defect: MediaDefect | None = Field(
        None, description="Present for a broken file, about which onClipError decides."
    )
    source: SourceMetadata | None = Field(None, description="Of a fetched clip.")
    clip_key: str | None = None
    thumbnail_id: Id | None = Field(None, description="Thumbnail of a fetched clip.")
    created_at: str
    expires_at: str | None = Field(
        None, description="When the result that it belongs to is deleted; absent for never."
    )


class MediaPage(Model):
    """A page of a media library, newest first. `next` is the token of the following page."""

    items: list[Media]
    next: str | None = None
