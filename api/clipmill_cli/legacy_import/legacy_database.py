"""Read the predecessor's database: one snapshot, read-only, bounded in time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from clipmill_api.postgresql import BoundedConnection
from clipmill_cli.errors import CommandError
from clipmill_cli.legacy_import.import_report import OmittedTable
from clipmill_cli.legacy_import.legacy_schema import TABLES, LegacyTable, reason_of

VARIABLE = "CLIPMILL_LEGACY_DATABASE_URL"
Row = Mapping[str, Any]
CONNECT_S, STATEMENT_S = 10, 120
LIMITS: tuple[LiteralString, ...] = (
    "SET LOCAL statement_timeout = '120s'",
    "SET LOCAL lock_timeout = '5s'",
    "SET LOCAL idle_in_transaction_session_timeout = '120s'",
)
COLUMNS = """
SELECT c.table_name, c.column_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'
"""


@dataclass(frozen=True, slots=True)
class LegacyData:
    """The rows of each table that is imported, by id, and the other tables that hold rows."""

    rows: Mapping[str, list[Row]]
    omitted: list[OmittedTable]


def read_legacy(url: str) -> LegacyData:
    """Return the predecessor's rows in one snapshot. Nothing is written or locked.

    Raises:
        CommandError: The database cannot be read, or has another schema.
    """
    scheme = re.match(r"postgres(ql)?(\+\w+)?://", url)
    if not scheme:
        raise CommandError(f"{VARIABLE} is not a URL like postgresql://USER:PASSWORD@HOST/NAME")
    try:
        with connect_read_only(f"postgresql://{url[scheme.end() :]}") as connection:
            return _read_all(connection)
    except psycopg.ProgrammingError as error:
        # The message of an unusable URL may quote the password.
        detail = error.diag.message_primary or "the URL is not valid"
        raise CommandError(f"{VARIABLE}: {detail}") from None
    except psycopg.Error as error:
        detail = " ".join(str(error).split())[:300]
        raise CommandError(f"{VARIABLE}: the database cannot be read: {detail}") from None


def connect_read_only(url: str) -> psycopg.Connection[DictRow]:
    """Return a connection in a read-only snapshot whose statements and locks are bounded."""
    connection = BoundedConnection.connect(url, row_factory=dict_row, connect_timeout=CONNECT_S)
    connection.timeout_s = STATEMENT_S + CONNECT_S
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    for limit in LIMITS:
        connection.execute(limit)
    return connection


def _read_all(connection: psycopg.Connection[DictRow]) -> LegacyData:
    columns: dict[str, set[str]] = {}
    for row in connection.execute(COLUMNS):
        columns.setdefault(row["table_name"], set()).add(row["column_name"])
    names = {key: _name_of(key, table, columns) for key, table in TABLES.items()}
    rows = {key: _rows(connection, names[key], TABLES[key], columns[names[key]]) for key in TABLES}
    others = sorted(set(columns) - set(names.values()))
    counts = {name: _count(connection, name) for name in others}
    omitted = [
        OmittedTable(table=name, rows=count, reason=reason_of(name))
        for name, count in counts.items()
        if count
    ]
    return LegacyData(rows, omitted)


def _name_of(key: str, table: LegacyTable, columns: Mapping[str, set[str]]) -> str:
    """Return the name under which a table exists."""
    name = next((name for name in table.names if name in columns), None)
    if name is None:
        expected = " or ".join(table.names)
        raise CommandError(f"{VARIABLE}: no table of {key}, {expected}, can be read")
    missing = [column for column in table.required if column not in columns[name]]
    if missing:
        raise CommandError(f"{VARIABLE}: table {name} has no column {', '.join(missing)}")
    return name


def _rows(
    connection: psycopg.Connection[DictRow], name: str, table: LegacyTable, columns: set[str]
) -> list[Row]:
    selected = [c for c in (*table.required, *table.optional) if c in columns]
    query = sql.SQL("SELECT {} FROM {} ORDER BY id").format(
        sql.SQL(", ").join(map(sql.Identifier, selected)), sql.Identifier(name)
    )
    return list(connection.execute(query).fetchall())


def _count(connection: psycopg.Connection[DictRow], name: str) -> int:
    query = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier(name))
    row = connection.execute(query).fetchone()
    return int(row["rows"]) if row else 0
