"""Bring a database to the newest form by Alembic; two that start at once take turns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from clipmill_api.database import Database
from clipmill_api.queries import users_and_keys

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "migrations" / "versions"
TURN = 0x636C6970
"""Any number, the same for all: PostgreSQL's advisory lock for migrating."""


def config() -> Config:
    """Alembic's settings: where the versions lie, and nothing else."""
    from alembic.config import Config  # noqa: PLC0415  only where something is to be migrated

    made = Config()
    made.set_main_option("script_location", str(VERSIONS.parent))
    return made


def migrate(db: Database) -> None:
    """Run what is missing of the migrations, then seed the tiers."""
    with db.writer.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
        if _version(connection) != newest():
            _upgrade(connection)
    db.write(users_and_keys.seed)


def _version(connection: Connection) -> str | None:
    """The form that the database has; None before the first."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def newest() -> str:
    """The last of the versions, whose files are named by their numbers."""
    return max(path.name for path in VERSIONS.glob("[0-9]*.py"))[:4]


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  a tenth of the API's start, and seldom needed

    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
