"""Tables of what pods do: task leases, fetch locks, log lines, processing jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class TaskRow(Base):
    """Lease of a task. A claim raises `epoch`, which fences out earlier holders."""

    __tablename__ = "tasks"
    compilation_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int] = mapped_column(primary_key=True)
    stage: Mapped[str] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    epoch: Mapped[int]
    holder: Mapped[str]
    lease_until: Mapped[datetime]
    percent: Mapped[int] = mapped_column(default=0)
    done: Mapped[bool] = mapped_column(default=False)
    # Of a fetch task: attempts that have failed, when the next one is due, and the completion index
    # of the pod that claimed it last.
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    retry_at: Mapped[datetime | None]
    job_index: Mapped[int | None]
    # TaskScope of the latest claim: what its key may read and write.
    scope: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)


class FetchLockRow(Base):
    """Lock of an owner's clip key while one clip fetches it; other clips with that key wait."""

    __tablename__ = "fetch_locks"
    owner: Mapped[str] = mapped_column(primary_key=True)
    clip_key: Mapped[str] = mapped_column(String(2100), primary_key=True)
    clip_id: Mapped[str]
    until: Mapped[datetime]


class LogLineRow(Base):
    """Log line of a revision, sent with a heartbeat."""

    __tablename__ = "log_lines"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    compilation_id: Mapped[str]
    generation: Mapped[int]
    at: Mapped[datetime]
    line: Mapped[str] = mapped_column(Text)
    __table_args__ = (Index(None, "compilation_id", "generation", "id"), Index(None, "at"))


class ProcessingJobRow(Base):
    """Processing job of the legacy worker API, unique by its caller's external id."""

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
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    __table_args__ = (UniqueConstraint("compilation_id", "external_id"),)
