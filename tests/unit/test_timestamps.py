"""Times on the wire and in the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Column, Engine, MetaData, Table, create_engine, insert, select
from sqlalchemy.exc import StatementError

from clipmill_api.timestamps import UtcDateTime, format_time, parse_time

TIME = datetime(2026, 11, 27, 7, 0, 19, 828200, UTC)
TEXT = "2026-11-27T07:00:19.828200Z"
BERLIN = timezone(timedelta(hours=1))

times = Table("times", MetaData(), Column("at", UtcDateTime))


@pytest.fixture
def engine() -> Engine:
    """A database that stores no time zones."""
    engine = create_engine("sqlite://")
    times.metadata.create_all(engine)
    return engine


@pytest.mark.parametrize("time", [TIME, TIME.astimezone(BERLIN)])
def test_wire_format_is_utc_with_microseconds(time: datetime) -> None:
    """Equal times have the same text, which reads back equal."""
    assert format_time(time) == TEXT
    assert parse_time(TEXT) == TIME


@pytest.mark.parametrize(
    "text", ["", "now", "2026-11-27", "2026-11-27T07:00:19.828200", "0001-01-01T00:00:00+23:59"]
)
def test_other_formats_are_refused(text: str) -> None:
    """No other ISO format is accepted, in particular none without time zone."""
    with pytest.raises(ValueError, match="does not match format"):
        parse_time(text)


@pytest.mark.parametrize("time", [TIME, TIME.astimezone(BERLIN), None])
def test_columns_return_aware_utc(engine: Engine, time: datetime | None) -> None:
    """Also on SQLite, whatever time zone was written."""
    with engine.begin() as connection:
        connection.execute(insert(times).values(at=time))
        stored = connection.scalar(select(times.c.at))
    assert stored == time
    assert stored is None or stored.tzinfo is UTC


def test_columns_refuse_times_without_time_zone(engine: Engine) -> None:
    """It would be unclear what they mean."""
    naive = TIME.replace(tzinfo=None)
    with engine.begin() as connection, pytest.raises(StatementError, match="no time zone"):
        connection.execute(insert(times).values(at=naive))
