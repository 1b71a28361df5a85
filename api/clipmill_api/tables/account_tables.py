"""Tables of tiers, users, keys and the quota ledger."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class TierRow(Base):
    """Limits of users. NULL means no limit; 0 means nothing at all."""

    __tablename__ = "tiers"
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    storage_limit_bytes: Mapped[int | None]
    render_limit_s: Mapped[int | None]
    apply_watermark: Mapped[bool]
    max_resolution: Mapped[str | None]
    max_fps: Mapped[int | None]
    max_clips: Mapped[int | None]
    result_days: Mapped[int | None]  # default of a compilation's ttlAfterFinished


class UserRow(Base):
    """User, who owns media and compilations."""

    __tablename__ = "users"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    tier: Mapped[str] = mapped_column(ForeignKey("tiers.name"))
    # Published bytes plus the bytes reserved by running uploads.
    storage_used_bytes: Mapped[int] = mapped_column(default=0)
    newest_results: Mapped[int | None]  # number of results that the user keeps; NULL for all
    created_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("storage_used_bytes >= 0", name="storage_not_negative"),)


class KeyRow(Base):
    """API key, stored as the SHA-256 of its secret.

    Only keys of jobs have a compilation and stage, and only those of discover tasks an episode.
    `task_index` and `epoch` are set if a claim of that task returned the key.
    """

    __tablename__ = "keys"
    id: Mapped[str] = mapped_column(primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]  # user, job, discover or sign-in
    owner: Mapped[str | None] = mapped_column(ForeignKey("users.name"))
    compilation_id: Mapped[str | None]
    generation: Mapped[int | None]
    stage: Mapped[str | None]
    episode_id: Mapped[str | None]
    task_index: Mapped[int | None]
    epoch: Mapped[int | None]
    created_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "compilation_id", "generation"), Index(None, "episode_id"))


class RenderWindowRow(Base):
    """Render seconds used and reserved by a user in one UTC month (`2026-11`)."""

    __tablename__ = "render_windows"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    used_s: Mapped[int] = mapped_column(default=0)
    reserved_s: Mapped[int] = mapped_column(default=0)
    __table_args__ = (CheckConstraint("used_s >= 0 AND reserved_s >= 0", name="not_negative"),)


class ReservationRow(Base):
    """Render seconds reserved for a revision: open, then once settled or released."""

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
    """Render seconds that a succeeded revision used."""

    __tablename__ = "render_usage"
    compilation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
    seconds: Mapped[int]
    created_at: Mapped[datetime]
