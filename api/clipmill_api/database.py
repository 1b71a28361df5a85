"""The database: SQLite embedded (one writer at a time) or PostgreSQL, behind two doors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

T = TypeVar("T")


class Database:
    """`read` for a look, `write` for one transaction that may be repeated as a whole."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite:
            file = make_url(url).database
            if file:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
            self.engine = _sqlite(url, "BEGIN")
            self.writer = _sqlite(url, "BEGIN IMMEDIATE")
        else:
            self.engine = create_engine(url, pool_size=20, max_overflow=20, pool_pre_ping=True)
            self.writer = self.engine
        # SQLite has one writer; waiting here is fair, waiting in its busy handler is not.
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self.writer.dispose()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session to read with; nothing is kept."""
        with Session(self.engine) as session:
            yield session

    def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in one transaction; again, up to 5 times, when it lost a race."""
        attempts = Retrying(
            retry=retry_if_exception_type((IntegrityError, OperationalError)),
            stop=stop_after_attempt(5),
            wait=wait_random(0, 0.05),
            reraise=True,
        )
        done: T = attempts(self._transaction, work)
        return done

    @contextmanager
    def migration(self) -> Iterator[Connection]:
        """Yield a connection in one transaction that may rebuild tables.

        SQLite would delete the rows that refer to a dropped table; here it checks foreign keys
        only before the commit.
        """
        with self.writer.connect() as connection:
            if not self.is_sqlite:
                with connection.begin():
                    yield connection
                return
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")  # no effect within a transaction
            try:
                with connection.begin():
                    yield connection
                    violations = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                    if violations:
                        raise RuntimeError(f"the migration broke foreign keys: {violations}")
            finally:
                driver.execute("PRAGMA foreign_keys=ON")

    def _transaction(self, work: Callable[[Session], T]) -> T:
        if not self.is_sqlite:
            with Session(self.writer, expire_on_commit=False) as session, session.begin():
                return work(session)
        with self._turn, Session(self.writer, expire_on_commit=False) as session, session.begin():
            return work(session)


def _sqlite(url: str, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
