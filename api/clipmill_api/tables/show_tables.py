"""Tables of shows, their episodes, and the clips that episodes considered and played."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class ShowRow(Base):
    """A show: its spec, its schedule's progress, and whether it is ready."""

    __tablename__ = "shows"
    id: Mapped[str] = mapped_column(primary_key=True)
    # UID of the resource, or `owner/name` of a show that the API created.
    identity: Mapped[str] = mapped_column(unique=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    namespace: Mapped[str]
    name: Mapped[str]
    generation: Mapped[int]
    spec: Mapped[dict[str, Any]]
    ready: Mapped[bool]
    reason: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(Text, default="")
    # Number of episodes that became compilations.
    episodes: Mapped[int] = mapped_column(default=0)
    # All scheduled times up to this one have an episode, or are none of this schedule.
    counted_from: Mapped[datetime]
    # When the show must be evaluated next: at its next time, or for another check of its spec.
    evaluate_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    last_at: Mapped[datetime | None]
    last_successful_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    created_at: Mapped[datetime]
    __table_args__ = (
        Index(None, "evaluate_at"),
        Index(None, "changed_at"),
        Index(None, "owner", "name"),
        Index(None, "namespace", "name"),
    )


class EpisodeRow(Base):
    """An episode of a show: at most one for each scheduled time.

    `epoch`, `holder` and `lease_until` are the lease of its discover task.
    """

    __tablename__ = "episodes"
    id: Mapped[str] = mapped_column(primary_key=True)
    show_id: Mapped[str] = mapped_column(ForeignKey("shows.id"))
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    number: Mapped[int]
    scheduled_at: Mapped[datetime]
    name: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    message: Mapped[str] = mapped_column(Text, default="")
    compilation_id: Mapped[str | None]
    taken: Mapped[int] = mapped_column(default=0)
    considered: Mapped[int] = mapped_column(default=0)
    epoch: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    # When a draft that nobody has approved expires.
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("show_id", "scheduled_at"),
        CheckConstraint(
            "state IN ('Discovering','Created','AwaitingApproval','Succeeded','Failed','Skipped')",
            name="state_known",
        ),
        Index(None, "state", "expires_at"),
        Index(None, "compilation_id"),
        Index(None, "owner"),
    )


class EpisodeReportRow(Base):
    """What the sources of an episode offered, and why it was not taken."""

    __tablename__ = "episode_reports"
    episode_id: Mapped[str] = mapped_column(ForeignKey("episodes.id"), primary_key=True)
    candidates: Mapped[list[Any]]
    sources: Mapped[list[Any]]


class UsedClipRow(Base):
    """A clip that an episode of a show plays. Other episodes of the show leave it out."""

    __tablename__ = "used_clips"
    show_id: Mapped[str] = mapped_column(ForeignKey("shows.id"), primary_key=True)
    clip_key: Mapped[str] = mapped_column(String(2100), primary_key=True)
    # Without foreign key: what an episode played is known after its row is deleted.
    episode_id: Mapped[str] = mapped_column(primary_key=True)
    __table_args__ = (Index(None, "episode_id"),)
