"""Store times as timestamps with time zone instead of ISO strings."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

COLUMNS = {
    "users": ["created_at"],
    "keys": ["expires_at", "revoked_at"],
    "media": ["created_at"],
    "segments": ["created_at", "used_at"],
    "uploads": ["created_at"],
    "compilations": ["created_at"],
    "revisions": ["rendering_at", "reached_at", "created_at", "completed_at"],
    "tasks": ["lease_until"],
    "fetch_locks": ["until"],
    "log_lines": ["at"],
    "jobs": ["started_at", "completed_at"],
    "render_usage": ["created_at"],
    "result_media": ["created_at"],
    "idempotency": ["created_at"],
}


def upgrade() -> None:
    """Change the type of every time column and convert what is stored."""
    convert = _alter_types if op.get_bind().dialect.name == "postgresql" else _rebuild
    for table, columns in COLUMNS.items():
        convert(table, columns)


def _alter_types(table: str, columns: list[str]) -> None:
    changes = ", ".join(
        f"ALTER COLUMN {name} TYPE TIMESTAMP WITH TIME ZONE USING {name}::timestamptz"
        for name in columns
    )
    op.execute(f"ALTER TABLE {table} {changes}")


def _rebuild(table: str, columns: list[str]) -> None:
    """Copy an SQLite table to one with DATETIME columns, then change their texts.

    The columns are reflected with their new type, so that Alembic copies them as they are; a cast
    to DATETIME is numeric in SQLite and would leave the year alone.
    """

    def as_datetime(_inspector: Any, _table: Any, column: dict[str, Any]) -> None:
        if column["name"] in columns:
            column["type"] = sa.DateTime()

    reflection = {"listeners": [("column_reflect", as_datetime)]}
    with op.batch_alter_table(table, recreate="always", reflect_kwargs=reflection):
        pass
    # From 2026-11-27T07:00:19.828200Z to 2026-11-27 07:00:19.828200, SQLAlchemy's text of UTC.
    changes = ", ".join(f"{name} = replace(rtrim({name}, 'Z'), 'T', ' ')" for name in columns)
    op.execute(f"UPDATE {table} SET {changes}")  # noqa: S608


def downgrade() -> None:
    """Refuse: an older API needs the backup that was made before the upgrade."""
    raise NotImplementedError("restore the backup made before the upgrade")
