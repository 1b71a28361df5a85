"""Tables of an owner's credentials and webhooks, and of notifications with their deliveries."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
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


class WebhookRow(Base):
    """Webhook of an owner. `sealed` has its URL and its secret, bound to owner and name."""

    __tablename__ = "webhooks"
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"), primary_key=True)
    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    target: Mapped[str]
    events: Mapped[list[Any]]
    key_id: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    last_delivered_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    gone_count: Mapped[int] = mapped_column(default=0)  # responses 410 in a row
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]


class NotificationRow(Base):
    """Event to deliver to one webhook: the outbox, and afterwards its record.

    (owner, webhook, dedupe_key) is unique, so that an event which is found twice is sent once.
    """

    __tablename__ = "notifications"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    webhook: Mapped[str] = mapped_column(String(63))
    type: Mapped[str] = mapped_column(String(40))
    dedupe_key: Mapped[str]
    payload: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # When it is due; while an API sends it, when another one may take it over.
    next_attempt_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("owner", "webhook", "dedupe_key"),
        Index(None, "next_attempt_at"),
        Index(None, "created_at"),
    )


class ResultDeliveryRow(Base):
    """File of a finished generation to deliver to the owner's bucket, and how far that is."""

    __tablename__ = "result_deliveries"
    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(ForeignKey("users.name"))
    compilation_id: Mapped[str]
    generation: Mapped[int]
    credential: Mapped[str] = mapped_column(String(63))
    folder: Mapped[str] = mapped_column(String(500))
    filename: Mapped[str]
    media_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # When it is due; while an API sends it, when another one may take it over.
    next_attempt_at: Mapped[datetime | None]
    __table_args__ = (
        UniqueConstraint("compilation_id", "generation", "filename"),
        Index(None, "next_attempt_at"),
        Index(None, "created_at"),
    )


class DeliveryRow(Base):
    """Attempt to deliver a notification."""

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    notification_id: Mapped[str]
    owner: Mapped[str]
    at: Mapped[datetime]
    duration_ms: Mapped[int]
    status: Mapped[int | None]
    error: Mapped[str | None]
    __table_args__ = (Index(None, "notification_id"), Index(None, "at"))
