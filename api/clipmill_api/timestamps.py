"""Times: timezone-aware UTC in Python and in the database, ISO text on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

WIRE_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def format_time(time: datetime) -> str:
    """Return the wire format of a time: `2026-11-27T07:00:19.828200Z`."""
    return time.astimezone(UTC).strftime(WIRE_FORMAT)


def parse_time(text: str) -> datetime:
    """Return the time of a text in the wire format. Raise ValueError for any other format."""
    return datetime.strptime(text, WIRE_FORMAT).replace(tzinfo=UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Column of timezone-aware UTC times.

    SQLite stores no time zone: it is removed from values that are written and added to values
    that are read.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  SQLAlchemy's signature
    ) -> datetime | None:
        """Return the value to store, in UTC. Raise ValueError for a time without time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"time {value.isoformat()} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002  SQLAlchemy's signature
    ) -> datetime | None:
        """Return a stored value in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
