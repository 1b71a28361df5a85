"""Bodies of E3, E4, E13 and E15: media files of the key's owner."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clipmill.protocol import MediaKind
from clipmill.spec import Id, Line, Name, Sha256
from clipmill_api.legacy_worker.legacy_model import LegacyModel


class MediaMetadata(LegacyModel):
    """A media file (E3)."""

    id: Id
    filename: str
    media_type: MediaKind
    duration: float | None
    user_id: Name
    username: Name


class MediaCreate(LegacyModel):
    """Request for a media row of bytes that the owner has uploaded (E4)."""

    filename: Line = Field(min_length=1, max_length=255)
    media_type: MediaKind = MediaKind.CLIP
    sha256: Sha256


class MediaCreated(LegacyModel):
    """Reply of E4. The same request again returns the same id."""

    status: Literal["created", "existing"]
    media_id: Id


class ReuseQuery(LegacyModel):
    """Request for media of the same clip (E13)."""

    source_url: Line = Field(min_length=1, max_length=2000)


class ReusableMedia(LegacyModel):
    """Reply of E13."""

    found: bool
    media_file_id: Id | None = None
    duration: float | None = None
    clip_key: str | None = None


class MediaBatchQuery(LegacyModel):
    """Request for several media files (E15)."""

    media_ids: list[Id] = Field(max_length=500)


class MediaProperties(LegacyModel):
    """A media file in E14 and E15."""

    id: Id
    media_type: MediaKind
    duration: float | None
    width: int | None
    height: int | None
    framerate: float | None


class MediaBatch(LegacyModel):
    """Reply of E15: files in the order of the request, and ids that the owner does not have."""

    media_files: list[MediaProperties]
    missing: list[str]
