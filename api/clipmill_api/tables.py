"""The tables, SQLAlchemy 2, alike on PostgreSQL and SQLite.

Spec and facts are JSON of the contract's models. Times are ISO strings in UTC; ids are random
strings with a letter's prefix; sizes in bytes.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """All tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {int: BigInteger, dict[str, Any]: JSON, list[Any]: JSON, str: String(255)}


class TierRow(Base):
    """Limits of a user. A null limit is no limit; 0 is none at all."""

    __tablename__ = "tiers"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    storage_limit_bytes: Mapped[int | None]
    render_limit_s: Mapped[int | None]
    apply_watermark: Mapped[bool]
    max_resolution: Mapped[str | None]
    max_fps: Mapped[int | None]
    max_clips: Mapped[int | None]


class UserRow(Base):
    """An owner. `storage_used` counts published bytes and running uploads' reserved bytes."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    tier: Mapped[str] = mapped_column(ForeignKey("tiers.name"))
    storage_used_bytes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[str]
    __table_args__ = (CheckConstraint("storage_used_bytes >= 0", name="storage_not_negative"),)


class KeyRow(Base):
    """A key, as the SHA-256 of its secret. role: user | operator | admin | job."""

    __tablename__ = "keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    owner: Mapped[str | None] = mapped_column(ForeignKey("users.name"))
    compilation_id: Mapped[str | None]
    generation: Mapped[int | None]
    stage: Mapped[str | None]
    expires_at: Mapped[str | None]
    revoked_at: Mapped[str | None]
    __table_args__ = (Index(None, "compilation_id", "generation"),)


class MediaRow(Base):
    """A media file of one owner. (owner, clip_key) is unique: one clip is fetched once."""

    __tablename__ = "media"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    kind: Mapped[str]
    filename: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    facts: Mapped[dict[str, Any] | None]
    clip_key: Mapped[str | None] = mapped_column(String(2100))
    thumbnail_id: Mapped[str | None]
    compilation_id: Mapped[str | None]
    created_at: Mapped[str]
    __table_args__ = (
        UniqueConstraint("owner", "clip_key"),
        Index(None, "owner", "kind", "created_at"),
        Index(None, "owner", "sha256"),
    )


class SegmentRow(Base):
    """A rendered segment of one owner, by its content key. Unused ones go after a while."""

    __tablename__ = "segments"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    created_at: Mapped[str]
    used_at: Mapped[str]
    __table_args__ = (Index(None, "used_at"), Index(None, "owner", "sha256"))


class UploadRow(Base):
    """A running upload; its request is the contract's UploadRequest. Published on completion."""

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
    created_at: Mapped[str]
    __table_args__ = (Index(None, "owner", "request_sha256"),)


class CompilationRow(Base):
    """The identity of a compilation. `uid` is the cluster's, or made by us; unique.

    `resource_generation`: the resource's newest that was told; 0: there is no resource yet.
    `outbox`: what the operator is still to do with the resource (Apply, Delete), since the API was
    asked; written in the transaction that takes the request.
    """

    __tablename__ = "compilations"
    id: Mapped[str] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    namespace: Mapped[str]
    name: Mapped[str]
    generation: Mapped[int]
    resource_generation: Mapped[int] = mapped_column(default=0)
    outbox: Mapped[str | None]
    created_at: Mapped[str]
    __table_args__ = (Index(None, "owner", "created_at"), Index(None, "outbox"))


class RevisionRow(Base):
    """One generation of a compilation: its spec and its state. Ends never move.

    rendering_at: when its first clips were all here. reached_at: when it came to `percent`.
    """

    __tablename__ = "revisions"
    compilation_id: Mapped[str] = mapped_column(ForeignKey("compilations.id"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    spec: Mapped[dict[str, Any]]
    output_policy: Mapped[dict[str, Any]]
    state: Mapped[str]
    stage: Mapped[str | None]
    percent: Mapped[int] = mapped_column(default=0)
    rendering_at: Mapped[str | None]
    reached_at: Mapped[str | None]
    segments_reused: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    message: Mapped[str | None] = mapped_column(Text)
    outputs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    created_at: Mapped[str]
    completed_at: Mapped[str | None]
    __table_args__ = (
        CheckConstraint(
            "state IN ('Pending','Fetching','Rendering',"
            "'Succeeded','Failed','Cancelled','Superseded')",
            name="state_known",
        ),
        Index(None, "state"),
    )


class ClipRow(Base):
    """One clip of one generation. `part`: its number among those to be fetched, for good."""

    __tablename__ = "clips"
    id: Mapped[str] = mapped_column(primary_key=True)
    compilation_id: Mapped[str]
    generation: Mapped[int]
    position: Mapped[int]
    task_index: Mapped[int | None]
    name: Mapped[str]
    title: Mapped[str | None]
    url: Mapped[str | None] = mapped_column(String(2000))
    clip_key: Mapped[str | None] = mapped_column(String(2100))
    state: Mapped[str]
    media_id: Mapped[str | None] = mapped_column(ForeignKey("media.id"))
    thumbnail_id: Mapped[str | None]
    reason: Mapped[str | None]
    message: Mapped[str | None] = mapped_column(Text)
    reused: Mapped[bool] = mapped_column(default=False)
    __table_args__ = (
        ForeignKeyConstraint(
            ["compilation_id", "generation"],
            ["revisions.compilation_id", "revisions.generation"],
            name="fk_clips_revision",
        ),
        UniqueConstraint("compilation_id", "generation", "position"),
    )


class TaskRow(Base):
    """The lease of one part (stage, index) of one generation. epoch fences older holders out."""

    __tablename__ = "tasks"
    compilation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    holder: Mapped[str]
    lease_until: Mapped[str]
    percent: Mapped[int] = mapped_column(default=0)
    done: Mapped[bool] = mapped_column(default=False)


class FetchLockRow(Base):
    """Who is fetching a clip key of an owner now: a second fetch of the same clip waits for it."""

    __tablename__ = "fetch_locks"
    owner: Mapped[str] = mapped_column(primary_key=True)
    clip_key: Mapped[str] = mapped_column(String(2100), primary_key=True)
    clip_id: Mapped[str]
    until: Mapped[str]


class LogLineRow(Base):
    """Log lines of a generation, appended by heartbeats."""

    __tablename__ = "log_lines"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    compilation_id: Mapped[str]
    generation: Mapped[int]
    at: Mapped[str]
    line: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index(None, "compilation_id", "generation", "id"),)


class ProcessingJobRow(Base):
    """The migration guide's processing job: found again by its external id."""

    __tablename__ = "jobs"
    id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str]
    job_type: Mapped[str]
    compilation_id: Mapped[str]
    owner: Mapped[str]
    status: Mapped[str]
    progress: Mapped[int] = mapped_column(default=0)
    result_data: Mapped[dict[str, Any]]
    error_message: Mapped[str | None] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[str]
    completed_at: Mapped[str | None]
    __table_args__ = (UniqueConstraint("compilation_id", "external_id"),)


class RenderWindowRow(Base):
    """Render seconds of one user in one UTC month: used and reserved."""

    __tablename__ = "render_windows"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    used_s: Mapped[int] = mapped_column(default=0)
    reserved_s: Mapped[int] = mapped_column(default=0)
    __table_args__ = (CheckConstraint("used_s >= 0 AND reserved_s >= 0", name="not_negative"),)


class ReservationRow(Base):
    """Render seconds held for one generation: open, then settled or released, once."""

    __tablename__ = "reservations"
    compilation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    month: Mapped[str] = mapped_column(String(7))
    seconds: Mapped[int]
    state: Mapped[str]
    __table_args__ = (
        CheckConstraint("state IN ('open','settled','released')", name="state_known"),
    )


class RenderUsageRow(Base):
    """What a finished generation really used. One row each, by its primary key."""

    __tablename__ = "render_usage"
    compilation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    seconds: Mapped[int]
    created_at: Mapped[str]


class ResultMediaRow(Base):
    """One media file that one output of a succeeded generation plays. `result_id`: the video."""

    __tablename__ = "result_media"
    compilation_id: Mapped[str] = mapped_column(ForeignKey("compilations.id"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    output: Mapped[str] = mapped_column(primary_key=True)
    media_id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    kind: Mapped[str]
    result_id: Mapped[str]
    created_at: Mapped[str]
    __table_args__ = (Index(None, "owner", "media_id", "created_at"),)


class IdempotencyRow(Base):
    """The first answer to a caller's Idempotency-Key, stored with its effect."""

    __tablename__ = "idempotency"
    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    compilation_id: Mapped[str]
    created_at: Mapped[str]


TERMINAL_IS_FINAL = RevisionRow.state.not_in(("Succeeded", "Failed", "Cancelled", "Superseded"))
"""The guard of every state change: an ended generation stays as it ended."""
