"""The time of the database, whose first answer may take long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clipmill_api.database_clock import DatabaseClock

AHEAD = timedelta(seconds=600)


class SlowlyConnected:
    """A machine whose clock is ahead, and its database, to which the first request connects."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 28, tzinfo=UTC)
        self.requests = 0

    def system_clock(self) -> datetime:
        """Return the time of the machine."""
        return self.now + AHEAD

    def server_time(self) -> datetime:
        """Return the time of the database after a connection of 9 s, or after 10 ms."""
        self.now += timedelta(seconds=0 if self.requests else 9)
        self.now += timedelta(milliseconds=5)
        time = self.now
        self.now += timedelta(milliseconds=5)
        self.requests += 1
        return time


def test_the_time_to_connect_is_left_out() -> None:
    """It would move all leases of a replica by half of it."""
    machine = SlowlyConnected()
    database: Any = machine
    clock = DatabaseClock(database, machine.system_clock)
    clock.measure()
    assert abs(clock() - machine.now) <= timedelta(milliseconds=5)
