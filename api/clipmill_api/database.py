"""The database: PostgreSQL, or SQLite embedded with one writer at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, TimeoutError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

__all__ = ["UNAVAILABLE", "Database", "Session"]

T = TypeVar("T")
# Raised while the database restarts, or while all its connections are in use.
UNAVAILABLE = (OperationalError, InterfaceError, TimeoutError)
MAX_ATTEMPTS = 5


class Database:
    """Connections to read, to write in transactions that are retried, and to migrate."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            file = make_url(url).database
            if file:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            self.engine = _sqlite_engine(url, "BEGIN")
            self.writer = _sqlite_engine(url, "BEGIN IMMEDIATE")
        else:
            self.engine = create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True)
            self.writer = self.engine
        # SQLite has one writer. Waiting for this lock is fair, its busy handler is not.
        self._write_lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self.writer.dispose()

    def ping(self) -> None:
        """Send a statement. Raise one of UNAVAILABLE if the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Yield a session to read with. Changes are not committed."""
        with Session(self.engine) as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """Return the result of work in one transaction, repeated as a whole after a conflict."""
        attempts = Retrying(
            retry=retry_if_exception_type((IntegrityError, OperationalError)),
            stop=stop_after_attempt(MAX_ATTEMPTS),
            wait=wait_random(0, 0.05),
            reraise=True,
        )
        result: T = attempts(self._run_transaction, work)
        return result

    def _run_transaction(self, work: Callable[[Session], T]) -> T:
        if not self.is_sqlite:
            return self._commit(work)
        with self._write_lock:
            return self._commit(work)

    def _commit(self, work: Callable[[Session], T]) -> T:
        with Session(self.writer, expire_on_commit=False) as session, session.begin():
            return work(session)

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """Yield a connection in one transaction that may rebuild tables."""
        with self.writer.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            with _foreign_keys_disabled(connection), connection.begin():
                yield connection
                violations = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if violations:
                    raise RuntimeError(f"the migration broke foreign keys: {violations}")


@contextmanager
def _foreign_keys_disabled(connection: Connection) -> Iterator[None]:
    """Disable SQLite's checks, with which a dropped table must have no rows that refer to it."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")  # has no effect within a transaction
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def _sqlite_engine(url: str, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
