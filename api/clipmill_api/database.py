"""The database: PostgreSQL, or SQLite embedded with one writer at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_random,
)

__all__ = ["UNAVAILABLE", "Connection", "Database", "Session", "after_commit", "no_answer"]

T = TypeVar("T")
# Raised while the database restarts or is locked, or while all its connections are in use.
UNAVAILABLE = (OperationalError, InterfaceError, TimeoutError)
MAX_ATTEMPTS = 5
TIMEOUT_S = 5.0
# After a request has waited in vain, others are refused at once for this long.
REFUSE_S = 2.0
_BEGIN = "BEGIN"
# In one round trip.
_BEGIN_FAST = "BEGIN; SET LOCAL synchronous_commit = off"
# Key of a session's `info`.
_AFTER_COMMIT = "after_commit"


def no_answer(message: str) -> Exception:
    """Return one of UNAVAILABLE."""
    return TimeoutError(message)


class Database:
    """Connections to read, to write in transactions that are retried, and to migrate.

    Args:
        url: SQLAlchemy URL.
        timeout_s: Longest wait in seconds for a connection, a statement or a lock.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._refused_until = 0.0
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            file = make_url(url).database
            if file:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            self.engine = _sqlite_engine(url, "BEGIN", timeout_s)
            self.writer = _sqlite_engine(url, "BEGIN IMMEDIATE", timeout_s)
            self._fast_writer = _sqlite_engine(
                url, "BEGIN IMMEDIATE", timeout_s, synchronous="NORMAL"
            )
        else:
            # SQLite needs no driver, and loading this one takes a tenth of a second.
            from clipmill_api.postgresql import create_bounded_engine  # noqa: PLC0415

            self.engine = create_bounded_engine(url, timeout_s=timeout_s)
            self.writer = self._fast_writer = self.engine
        # SQLite has one writer. Waiting for this lock is fair, its busy handler is not.
        self._write_lock = threading.Lock()

    @property
    def engines(self) -> set[Engine]:
        """Engines by which statements are sent."""
        return {self.engine, self.writer, self._fast_writer}

    def close(self) -> None:
        """Close all connections."""
        for engine in self.engines:
            engine.dispose()

    def ping(self) -> None:
        """Send a statement. Raise one of UNAVAILABLE if the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def server_time(self) -> datetime | None:
        """Return PostgreSQL's time. None for SQLite, which has that of this machine."""
        if self.is_sqlite:
            return None
        with self.read() as session:
            time: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        return time

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session to read with. It must change nothing.

        On SQLite all its statements read one state; on PostgreSQL each reads the newest one.
        """
        # A reader of SQLite waits for nobody.
        with nullcontext() if self.is_sqlite else self._bounded(), Session(self.engine) as session:
            yield session

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Yield a connection to read columns with, which takes less time than a session."""
        with nullcontext() if self.is_sqlite else self._bounded(), self.engine.connect() as opened:
            yield opened

    def write(self, work: Callable[[Session], T], *, is_durable: bool = True) -> T:
        """Return the result of work in one transaction, repeated as a whole after a conflict.

        Args:
            work: Function that reads and changes rows.
            is_durable: Wait until the disk has the changes. Without, a crash of the machine or of
                PostgreSQL may lose the transactions of the last second, each as a whole.
        """
        return self._repeat(partial(self._commit, work, is_durable))

    def write_columns(self, work: Callable[[Connection], T], *, is_durable: bool = True) -> T:
        """Do as `write` does, for work without objects, which takes less time than a session."""
        return self._repeat(partial(self._commit_columns, work, is_durable))

    def _repeat(self, transaction: Callable[[], T]) -> T:
        attempts = Retrying(
            retry=retry_if_exception_type((IntegrityError, OperationalError)),
            stop=stop_after_attempt(MAX_ATTEMPTS) | stop_after_delay(self._timeout_s),
            wait=wait_random(0, 0.05),
            reraise=True,
        )
        with self._bounded():
            result: T = attempts(self._run_transaction, transaction)
        return result

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Refuse calls for a while after one that waited in vain, so that threads stay free.

        Otherwise each request holds a thread for the whole time-out, and no thread is left for
        requests that could be answered.
        """
        began = time.monotonic()
        if began < self._refused_until:
            raise TimeoutError(f"the database did not answer within {self._timeout_s} s before")
        try:
            yield
        except UNAVAILABLE:
            if time.monotonic() - began >= self._timeout_s:
                self._refused_until = time.monotonic() + REFUSE_S
            raise

    def _run_transaction(self, transaction: Callable[[], T]) -> T:
        if not self.is_sqlite:
            return transaction()
        if not self._write_lock.acquire(timeout=self._timeout_s):
            raise TimeoutError(f"no write transaction began within {self._timeout_s} s")
        try:
            return transaction()
        finally:
            self._write_lock.release()

    def _commit(self, work: Callable[[Session], T], is_durable: bool) -> T:
        with Session(self._writer_of(is_durable), expire_on_commit=False) as session:
            with session.begin():
                self._begin(session.connection(), is_durable=is_durable)
                result = work(session)
            for further_work in session.info.get(_AFTER_COMMIT, ()):
                further_work()
        return result

    def _commit_columns(self, work: Callable[[Connection], T], is_durable: bool) -> T:
        with self._writer_of(is_durable).begin() as connection:
            self._begin(connection, is_durable=is_durable)
            return work(connection)

    def _writer_of(self, is_durable: bool) -> Engine:
        return self.writer if is_durable else self._fast_writer

    def _begin(self, connection: Connection, *, is_durable: bool = True) -> None:
        """Begin a transaction of PostgreSQL. An event of the engine does so for SQLite."""
        if not self.is_sqlite:
            connection.exec_driver_sql(_BEGIN if is_durable else _BEGIN_FAST)

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """Yield a connection in one transaction that may rebuild tables."""
        with self.writer.connect() as connection:
            if not self.is_sqlite:
                with _unlimited_wait(connection), connection.begin():
                    self._begin(connection)
                    yield connection
                return
            with _foreign_keys_disabled(connection), connection.begin():
                yield connection
                violations = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if violations:
                    raise RuntimeError(f"the migration broke foreign keys: {violations}")


def after_commit(session: Session, work: Callable[[], None]) -> None:
    """Call work once the transaction is committed, and never if it is repeated or rolled back."""
    session.info.setdefault(_AFTER_COMMIT, []).append(work)


@contextmanager
def _unlimited_wait(connection: Connection) -> Iterator[None]:
    """Let statements of PostgreSQL take as long as they need."""
    driver: Any = connection.connection.driver_connection
    driver.timeout_s = None
    connection.exec_driver_sql("SET statement_timeout = 0")
    connection.exec_driver_sql("SET lock_timeout = 0")
    connection.commit()
    try:
        yield
    finally:
        # The next user of the pool gets a connection with the usual limits.
        connection.invalidate()


@contextmanager
def _foreign_keys_disabled(connection: Connection) -> Iterator[None]:
    """Disable SQLite's checks, with which a dropped table must have no rows that refer to it."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _sqlite_engine(url: str, begin: str, timeout_s: float, *, synchronous: str = "FULL") -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": timeout_s})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
