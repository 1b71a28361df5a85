"""PostgreSQL connections on which no call waits for ever, even if the server is frozen."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.errors import _WaitTimeout
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import InvalidatePoolError

T = TypeVar("T")
# As many as the API has request threads.
POOL_SIZE = 20
MAX_OVERFLOW = 20
# A connection that was used within this time is not checked before it is used again.
CHECKED_S = 1.0


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that is closed when the server does not answer a statement in time.

    The server's own `statement_timeout` does not help if the server is frozen, and TCP does not
    notice it, because the kernel goes on to acknowledge packets.
    """

    # Longest wait for one answer in seconds. None waits for ever, as migrations must.
    timeout_s: float | None = None

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """Wait for the end of an operation. Raises OperationalError when the time is over."""
        try:
            return super().wait(gen, interval, self.timeout_s if timeout is None else timeout)
        except _WaitTimeout:
            if timeout is not None:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(
                f"the server did not answer within {self.timeout_s} s"
            ) from None


def create_bounded_engine(url: str, *, timeout_s: float) -> Engine:
    """Return an engine whose connections, statements and locks wait at most `timeout_s` seconds.

    Its connections commit each statement by itself, so that a read takes one round trip, and a
    ROLLBACK never discards the driver's prepared statements. A transaction begins with BEGIN.
    """
    seconds = max(2, round(timeout_s))  # libpq takes whole seconds, and at least two
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=MAX_OVERFLOW,
        pool_timeout=timeout_s,
        connect_args={
            "connect_timeout": seconds,
            "keepalives": 1,
            "keepalives_idle": seconds,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": seconds * 1000,
        },
    )

    @event.listens_for(engine, "do_connect")
    def _connect(_: Any, __: Any, cargs: Any, cparams: Any) -> BoundedConnection:
        connection = BoundedConnection.connect(*cargs, **cparams)
        connection.timeout_s = timeout_s
        connection.set_autocommit(True)
        return connection

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # Not by the option `options`: connection poolers refuse it.
        milliseconds = round(timeout_s * 1000)
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds}")
            cursor.execute(f"SET lock_timeout = {milliseconds}")

    _check_idle_connections(engine)
    return engine


def _check_idle_connections(engine: Engine) -> None:
    """Replace all connections of the pool if one that was idle does not answer any more."""

    @event.listens_for(engine, "checkin")
    def _note(_: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _check(connection: Any, record: Any, _: Any) -> None:
        if time.monotonic() - record.info.get("used_at", 0) < CHECKED_S:
            return
        try:
            connection.execute("")
        except psycopg.OperationalError as error:
            raise InvalidatePoolError(str(error)) from error
