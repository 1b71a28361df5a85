"""Tables of the blob store: blobs that may be deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
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
