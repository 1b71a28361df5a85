"""Upgrade a database to the newest version by Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from clipmill_api.database import Database
from clipmill_api.errors import StartRefused
from clipmill_api.queries import users_and_keys

if TYPE_CHECKING:
    from alembic.config import Config

VERSIONS = Path(__file__).parent / "migrations" / "versions"
# PostgreSQL's advisory lock for migrations: any number that is the same in all replicas.
LOCK_ID = 0x636C6970


def alembic_config() -> Config:
    """Return Alembic's settings: the folder of the migrations, and nothing else."""
    from alembic.config import Config  # noqa: PLC0415  only needed for a migration

    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    return config


def migrate(db: Database) -> None:
    """Run the missing migrations and seed the tiers. Replicas that start at once wait in turn.

    Raises:
        StartRefused: The database is newer than this program.
    """
    with db.migration() as connection:
        if not db.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": LOCK_ID})
        version = _current_version(connection)
        if version is not None and version > newest_version():
            raise StartRefused(
                f"the database has version {version}, which a newer release made: this one knows"
                f" {newest_version()}. Start that release, or restore a backup made before it"
            )
        if version != newest_version():
            upgrade(connection, "head")
    db.write(users_and_keys.seed_tiers)


def _current_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def newest_version() -> str:
    """Return the number of the last migration; the files' names begin with their numbers."""
    return max(path.name for path in VERSIONS.glob("[0-9]*.py"))[:4]


def upgrade(connection: Connection, version: str) -> None:
    """Run the migrations up to a version (`head`: all) in the connection's transaction."""
    from alembic import command  # noqa: PLC0415  a tenth of the API's start-up time

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, version)
