"""The migrations make exactly the tables, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from clipmill_api.migrate import config, migrate, newest
from clipmill_api.tables import Base
from harness import Harness


def test_migrations_agree_with_the_tables(api: Harness) -> None:
    """Nothing is left for Alembic to add, drop or change."""
    with api.ctx.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(api: Harness) -> None:
    """A second start finds its work done, and an administrator's change stays."""
    before = api.rows("SELECT name, render_limit_s FROM tiers ORDER BY name")
    migrate(api.ctx.db)
    assert api.rows("SELECT name, render_limit_s FROM tiers ORDER BY name") == before
    assert {"name": "Free", "render_limit_s": 1800} in before


def test_there_is_one_head() -> None:
    """Two developers' migrations did not fork, and the last file is the newest form."""
    assert ScriptDirectory.from_config(config()).get_heads() == [newest()]
