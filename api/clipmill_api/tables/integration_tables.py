"""Tables of an owner's credentials."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from clipmill_api.tables.declarative_base import Base


class CredentialRow(Base):
    """Credential of an owner. `sealed` is encrypted and bound to owner, name, kind and hosts."""

    __tablename__ = "credentials"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    hosts: Mapped[list[Any]]
    key_id: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
