"""Tables of compilations, their revisions and clips."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from clipmill.protocol import TERMINAL_STATES
from clipmill_api.tables.declarative_base import Base


class CompilationRow(Base):
    """Identity of a compilation and its newest generation."""

    __tablename__ = "compilations"
    id: Mapped[str] = mapped_column(primary_key=True)
    # The resource's uid; a generated one until the resource exists.
    uid: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    namespace: Mapped[str]
    name: Mapped[str]
    generation: Mapped[int]
    # The newest generation of the resource that was registered; 0 while there is no resource.
    resource_generation: Mapped[int] = mapped_column(default=0)
    # The SubmissionAction that the operator has yet to do. Written with the request that asks for
    # it, so that a crash loses neither.
    outbox: Mapped[str | None]
    # Proves the one resource that may be bound to a submission; NULL once it is bound.
    binding_nonce: Mapped[str | None]
    # When the ended compilation is removed, and when its files were.
    expires_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
    # The RemovalReason, if a person deleted the compilation or its resource.
    removal_reason: Mapped[str | None]
    created_at: Mapped[datetime]
    __table_args__ = (
        Index(None, "owner", "created_at"),
        Index(None, "outbox"),
        Index(None, "expires_at"),
        Index(None, "removed_at"),
    )


class RevisionRow(Base):
    """One generation of a compilation: its spec and its state."""

    __tablename__ = "revisions"
    compilation_id: Mapped[str] = mapped_column(ForeignKey("compilations.id"), primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    spec: Mapped[dict[str, Any]]
    output_policy: Mapped[dict[str, Any]]
    state: Mapped[str]
    stage: Mapped[str | None]
    percent: Mapped[int] = mapped_column(default=0)
    rendering_at: Mapped[datetime | None]  # when all clips were ready for the first time
    reached_at: Mapped[datetime | None]  # when `percent` was last raised
    segments_reused: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    message: Mapped[str | None] = mapped_column(Text)
    outputs: Mapped[list[Any]] = mapped_column(JSON, default=list)
    traceparent: Mapped[str | None] = mapped_column(String(55))  # of its span
    trace_parent: Mapped[str | None] = mapped_column(String(55))  # of the caller's span
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    __table_args__ = (
        CheckConstraint(
            "state IN ('Pending','Fetching','Rendering',"
            "'Succeeded','Failed','Cancelled','Superseded')",
            name="state_known",
        ),
        Index(None, "state"),
        Index(None, "completed_at"),
    )


class ClipRow(Base):
    """Clip of a revision. `task_index` is its fetch task; NULL if it was ready from the start."""

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


class IdempotencyRow(Base):
    """Idempotency-Key of a caller with the compilation that its first request created."""

    __tablename__ = "idempotency"
    principal: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_sha256: Mapped[str]
    compilation_id: Mapped[str]
    created_at: Mapped[datetime]
    __table_args__ = (Index(None, "created_at"),)


# The condition of every change of state: a terminal revision stays as it is.
REVISION_IS_ACTIVE = RevisionRow.state.not_in(sorted(TERMINAL_STATES))
