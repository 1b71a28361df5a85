"""Tables of media files, segments and uploads."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class MediaRow(Base):
    """Media file of an owner. (owner, clip_key) is unique, so that a clip is fetched once."""

    __tablename__ = "media"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    kind: Mapped[str]
    filename: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    facts: Mapped[dict[str, Any] | None]
    defect: Mapped[dict[str, Any] | None]  # a MediaDefect: the file cannot be played
    source: Mapped[dict[str, Any] | None]  # the SourceMetadata of a fetched clip
    clip_key: Mapped[str | None] = mapped_column(String(2100))
    # The clip key of the whole source, of a file that holds an excerpt.
    excerpt_of: Mapped[str | None] = mapped_column(String(2100))
    thumbnail_id: Mapped[str | None]
    compilation_id: Mapped[str | None]  # of an output file; NULL for files of the library
    created_at: Mapped[datetime]
    __table_args__ = (
        UniqueConstraint("owner", "clip_key"),
        Index(None, "owner", "kind", "created_at"),
        Index(None, "owner", "sha256"),
        Index(None, "thumbnail_id"),
        Index(None, "owner", "excerpt_of"),
    )


class SegmentRow(Base):
    """Rendered segment of an owner, named by its content key. Retention goes by used_at."""

    __tablename__ = "segments"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    __table_args__ = (Index(None, "used_at"), Index(None, "owner", "sha256"))


class UploadRow(Base):
    """Upload, running or complete. `request` is its UploadRequest."""

    __tablename__ = "uploads"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    request: Mapped[dict[str, Any]]
    request_sha256: Mapped[str]
    size_bytes: Mapped[int]
    reserved_bytes: Mapped[int] = mapped_column(default=0)
    complete: Mapped[bool] = mapped_column(default=False)
    media_id: Mapped[str | None]
    segment_key: Mapped[str | None]
    compilation_id: Mapped[str | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        Index(None, "owner", "request_sha256"),
        Index(None, "compilation_id"),
        Index(None, "created_at"),
    )


class ShareLinkRow(Base):
    """Link to a file of a compilation that needs no key. Without its row it leads nowhere."""

    __tablename__ = "share_links"
    id: Mapped[str] = mapped_column(primary_key=True)
    compilation_id: Mapped[str] = mapped_column(ForeignKey("compilations.id"))
    file: Mapped[str]
    name: Mapped[str] = mapped_column(String(400))  # of the downloaded file
    media_id: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    __table_args__ = (Index(None, "compilation_id"), Index(None, "expires_at"))


class ResultMediaRow(Base):
    """Media file that an output of a succeeded revision plays."""

    __tablename__ = "result_media"
    compilation_id: Mapped[str] = mapped_column(ForeignKey("compilations.id"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    output: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    kind: Mapped[str]
    result_id: Mapped[str]  # media id of the output's video
    created_at: Mapped[datetime]
    __table_args__ = (Index(None, "owner", "media_id", "created_at"),)
