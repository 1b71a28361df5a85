"""Describe resumable uploads of jobs and users."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from pydantic import Field

from clipmill.protocol.media_file import Excerpt, MediaKind, SourceMetadata
from clipmill.spec.base import MAX_SAFE_INTEGER, Id, Line, Model, Name, Sha256, SourceText


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
    source_title: SourceText | None = Field(None, description="Of a fetched clip, as the rest.")
    source_creator: SourceText | None = None
    source_broadcaster: SourceText | None = None
    source_game: SourceText | None = None
    source_published: date | None = None
    excerpt_at_us: int | None = Field(
        None, ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER, description="`Excerpt.at_us` of a clip."
    )
    excerpt_rest_us: int | None = Field(
        None, ge=0, le=MAX_SAFE_INTEGER, description="`Excerpt.rest_us` of a clip."
    )
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


# Flat in the request, since a query has no nested fields.
_SOURCE_PREFIX = "source_"


def with_source(request: UploadRequest, source: SourceMetadata) -> UploadRequest:
    """Return the announcement of a fetched clip with what its platform says of it."""
    fields = {f"{_SOURCE_PREFIX}{name}": value for name, value in dict(source).items()}
    return request.model_copy(update=fields)


def with_excerpt(request: UploadRequest, excerpt: Excerpt | None) -> UploadRequest:
    """Return the announcement of a clip with the part of its source that the file holds."""
    if excerpt is None:
        return request
    fields = {"excerpt_at_us": excerpt.at_us, "excerpt_rest_us": excerpt.rest_us}
    return request.model_copy(update=fields)


def excerpt_of(request: UploadRequest) -> Excerpt | None:
    """Return which part of its source an announced clip holds; None for the whole source."""
    if request.excerpt_at_us is None or request.excerpt_rest_us is None:
        return None
    return Excerpt(at_us=request.excerpt_at_us, rest_us=request.excerpt_rest_us)


def source_of(request: UploadRequest) -> SourceMetadata | None:
    """Return what the platform says of a fetched clip; None if it says nothing."""
    names = SourceMetadata.model_fields
    fields = {name: getattr(request, f"{_SOURCE_PREFIX}{name}") for name in names}
    return SourceMetadata(**fields) if any(fields.values()) else None


class UploadLink(Model):
    """A part of a file, and the signed link to which its bytes are sent by PUT."""

    offset: int
    size_bytes: int
    url: str


class Upload(Model):
    """State of an upload. `offset` is the next byte expected."""

    id: Id
    offset: int
    size_bytes: int
    complete: bool
    media_id: Id | None = None
    segment_key: Sha256 | None = None
    links: list[UploadLink] | None = Field(
        None,
        description="What is missing next, each range with a link of the object store; absent"
        " where the API offers none.",
    )
