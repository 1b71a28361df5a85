"""Transactions of the API's database: repeated after a conflict, and work after their commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from clipmill_api.database import Connection, Database, Session, after_commit


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with an empty table."""
    opened = Database(f"sqlite:///{tmp_path / 'test.db'}")
    opened.write_columns(lambda connection: connection.execute(text("CREATE TABLE t (n INTEGER)")))
    yield opened
    opened.close()


def insert_row(executor: Session | Connection) -> None:
    """Insert a row."""
    executor.execute(text("INSERT INTO t VALUES (1)"))


def failing(error: Exception, attempts: list[int]) -> Callable[[Any], int]:
    """Return work that inserts a row, and raises an error after it in its first attempt."""

    def work(executor: Session | Connection) -> int:
        insert_row(executor)
        attempts.append(1)
        if len(attempts) == 1:
            raise error
        return len(attempts)

    return work


def count_rows(database: Database) -> int:
    """Return the number of rows."""
    with database.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM t")).scalar_one())


@pytest.mark.parametrize("name", ["write", "write_columns"])
def test_a_conflict_repeats_the_whole_transaction(database: Database, name: str) -> None:
    """The changes of the first attempt are rolled back."""
    conflict = OperationalError("INSERT", {}, Exception("deadlock detected"))
    assert getattr(database, name)(failing(conflict, [])) == 2
    assert count_rows(database) == 1


@pytest.mark.parametrize("name", ["write", "write_columns"])
def test_other_errors_change_nothing(database: Database, name: str) -> None:
    """They are raised at once."""
    with pytest.raises(ValueError):
        getattr(database, name)(failing(ValueError(), []))
    assert count_rows(database) == 0


def test_work_after_the_commit(database: Database) -> None:
    """It runs once, when others can read the changes, and not for an attempt that failed."""
    rows: list[int] = []
    attempts: list[int] = []
    conflict = OperationalError("INSERT", {}, Exception("deadlock detected"))

    def work(session: Session) -> int:
        after_commit(session, lambda: rows.append(count_rows(database)))
        return failing(conflict, attempts)(session)

    assert database.write(work) == 2
    assert rows == [1]


def test_no_work_after_a_rollback(database: Database) -> None:
    """A transaction that raises an error has no commit."""
    rows: list[int] = []

    def work(session: Session) -> None:
        after_commit(session, lambda: rows.append(1))
        raise ValueError

    with pytest.raises(ValueError):
        database.write(work)
    assert rows == []
