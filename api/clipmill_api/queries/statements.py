"""What the statements of several modules share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from clipmill_api.tables import Base


def upsert(session: Session, table: type[Base]) -> Any:
    """Return an INSERT that has the dialect's ON CONFLICT clauses."""
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def row_count(result: Any) -> int:
    """Return how many rows an UPDATE or DELETE matched."""
    # Session.execute() is typed as Result, which has no rowcount.
    assert isinstance(result, CursorResult)
    return int(result.rowcount)
