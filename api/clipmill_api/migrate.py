"""Bring a database to the newest form by Alembic; two that start at once take turns."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from clipmill_api.database import Database
from clipmill_api.queries import people

TURN = 0x636C6970
"""Any number, the same for all: PostgreSQL's advisory lock for migrating."""


def config() -> Config:
    """Alembic's settings: where the versions lie, and nothing else."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def migrate(db: Database) -> None:
    """Run what is missing of the migrations, then seed the tiers."""
    with db.writer.begin() as connection:
        if not db.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
        settings = config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "head")
    db.write(people.seed)
