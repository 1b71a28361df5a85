"""Tables of the blob store: the installation that it belongs to, and blobs to delete."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class TombstoneRow(Base):
    """Blob that a removed row named. It is deleted later, unless a row names it again by then."""

    __tablename__ = "tombstones"
    owner: Mapped[str] = mapped_column(primary_key=True)  # also of users that are deleted
    sha256: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    marked_at: Mapped[datetime]
    delete_after: Mapped[datetime]
    deleted_at: Mapped[datetime | None]
    __table_args__ = (Index(None, "deleted_at", "delete_after"),)


class InstallationRow(Base):
    """The one row that names the installation. Its blob store names the same one."""

    __tablename__ = "installation"
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    id: Mapped[str]
    created_at: Mapped[datetime]
    __table_args__ = (CheckConstraint("number = 1", name="only_row"),)
