"""Describe resumable uploads of jobs and users."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from clipmill.protocol.media_file import MediaKind
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, Sha256


class UploadPurpose(StrEnum):
    """What an upload becomes when it is complete."""

    CLIP = "clip"
    SEGMENT = "segment"
    OUTPUT = "output"
    LIBRARY = "library"


class UploadRequest(Model):
    """Announcement of an upload: its size, its hash and what it becomes."""

    purpose: UploadPurpose
    kind: MediaKind | None = Field(None, description="Kind of a library or output upload.")
    filename: Line = Field(min_length=1, max_length=255)
    size_bytes: int = Field(ge=0, le=MAX_SAFE_INTEGER)
    sha256: Sha256
    keep_broken: bool = Field(
        False,
        description="Whether a clip of the library is kept if it cannot be played, so that"
        " onClipError decides about it; otherwise its upload is refused.",
    )
    clip_id: Id | None = None
    segment_key: Sha256 | None = None
    replaces: Sha256 | None = Field(
        None,
        description="SHA-256 of the stored segment that a job found broken and rendered again.",
    )
    output: Name | None = None
    index: int = Field(0, ge=0, le=MAX_SAFE_INTEGER)
    epoch: int | None = Field(
        None, ge=1, le=MAX_SAFE_INTEGER, description="Epoch of the claim; required of a job."
    )


class Upload(Model):
    """State of an upload. `offset` is the next byte expected."""

    id: Id
    offset: int
    size_bytes: int
    complete: bool
    media_id: Id | None = None
    segment_key: Sha256 | None = None
