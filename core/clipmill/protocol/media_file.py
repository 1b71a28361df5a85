"""Media: a file that the API keeps, and what its prober found in it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from clipmill.spec.base import Id, Model, Sha256, Title


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


class MediaFacts(Model):
    """What one full decode of a media file found. Times in microseconds."""

    format: str = Field(
        description="ffmpeg demuxer, e.g. `mov` or `matroska`; forced when reading."
    )
    duration_us: int = Field(ge=0)
    width: int = Field(
        0, ge=0, description="pixels as shown, after rotation and pixel aspect; 0: sound alone"
    )
    height: int = Field(0, ge=0)
    rate: str = Field("", description="average frame rate as a fraction, e.g. `30000/1001`")
    frames: int = Field(0, ge=0)
    video_codec: str | None = None
    audio_codec: str | None = None
    loudness_lufs: float | None = Field(
        None, description="integrated (EBU R128); None: silent or none"
    )
    true_peak_dbtp: float | None = None
    title: Title | None = Field(None, description="of a file of sound alone, from its tags")
    artist: Title | None = None
    license: Title | None = None


class Media(Model):
    """One media file of a library."""

    id: Id
    kind: MediaKind
    filename: str
    size_bytes: int
    sha256: Sha256
    facts: MediaFacts | None = None
    clip_key: str | None = None
    thumbnail_id: Id | None = Field(None, description="a picture of it, for fetched clips")
    created_at: str
