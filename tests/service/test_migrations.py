"""Migrations create exactly the tables of the code, and keep the rows of older databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.orm import Session

from clipmill_api.database import Database
from clipmill_api.migrate import alembic_config, migrate, newest_version, upgrade
from clipmill_api.tables import (
    Base,
    ClipRow,
    CompilationRow,
    FetchLockRow,
    IdempotencyRow,
    KeyRow,
    LogLineRow,
    MediaRow,
    ProcessingJobRow,
    RenderUsageRow,
    ResultMediaRow,
    RevisionRow,
    SegmentRow,
    TaskRow,
    UploadRow,
    UserRow,
)
from harness import Harness, running
from stored_release import restore_release

TIME = "2026-11-27T07:01:33.928763Z"
LATER = "2026-12-01T00:00:00.000000Z"
AT = datetime(2026, 11, 27, 7, 1, 33, 928763, UTC)
AT_LATER = datetime(2026, 12, 1, tzinfo=UTC)

# Rows of a database at version 0003 at version 0003, one or more per table.
ROWS_OF_0003 = f"""
INSERT INTO tiers (name, apply_watermark) VALUES ('Free', false);
INSERT INTO users VALUES ('ada', 'Free', 7, '{TIME}');
INSERT INTO keys VALUES ('s-1', 'ab', 'user', 'ada', NULL, NULL, NULL, NULL, NULL);
INSERT INTO keys VALUES ('s-2', 'cd', 'job', 'ada', 'c-1', 1, 'fetch', '{LATER}', '{TIME}');
INSERT INTO compilations VALUES ('c-1', 'u1', 'ada', 'default', 'one', 1, 1, NULL, '{TIME}');
INSERT INTO revisions (compilation_id, generation, spec, terms, state, percent, pieces_reused,
    outputs, created_at, completed_at, rendering_at, reached_at)
  VALUES ('c-1', 1, '{{"title": "say \\"pieces\\": it"}}', '{{"tier": "Free"}}', 'Succeeded',
    100, 3, '[{{"name": "main", "pieces": {{"total": 4}}}}]', '{TIME}', '{LATER}', '{TIME}', NULL);
INSERT INTO media VALUES
  ('m-1', 'ada', 'clip', 'a.mp4', 5, 'ef', NULL, NULL, NULL, NULL, '{TIME}');
INSERT INTO clips VALUES
  ('k-1', 'c-1', 1, 0, 2, 'a', NULL, NULL, NULL, 'Ready', 'm-1', NULL, NULL, NULL, false);
INSERT INTO pieces VALUES ('ada', 'key', 'ef', 5, '{TIME}', '{LATER}');
INSERT INTO uploads VALUES ('u-1', 'ada', '{{"purpose": "piece", "filename": "piece_key",
  "piece_key": "k"}}', 'ff', 5, 0, true, NULL, 'k', 'c-1', '{TIME}');
INSERT INTO parts VALUES ('c-1', 1, 'fetch', 0, 2, 'pod', '{LATER}', 50, true);
INSERT INTO fetch_locks VALUES ('ada', 'key', 'k-1', '{LATER}');
INSERT INTO log_lines VALUES (1, 'c-1', 1, '{TIME}', 'line');
INSERT INTO jobs VALUES
  ('j-1', 'x', 'render', 'c-1', 'ada', 'completed', 100, '{{}}', NULL, 0, '{TIME}', '{LATER}');
INSERT INTO render_usage VALUES ('c-1', 1, 'ada', 5, '{TIME}');
INSERT INTO result_media VALUES ('c-1', 1, 'main', 'm-1', 'ada', 'clip', 'm-1', '{TIME}');
INSERT INTO idempotency VALUES ('ada', 'key', 'ab', 'c-1', '{TIME}')
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("fresh_postgres")
        url = server.replace("postgresql://", "postgresql+psycopg://")
    database = Database(url)
    yield database
    database.close()


def structure(engine: Engine) -> dict[str, Any]:
    """Columns, constraints and indexes of each table, with their names."""
    inspector = inspect(engine)
    tables = set(inspector.get_table_names()) - {"alembic_version"}
    return {
        table: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"])
                for column in inspector.get_columns(table)
            },
            "primary key": inspector.get_pk_constraint(table),
            "foreign keys": by_name(inspector.get_foreign_keys(table)),
            "unique": by_name(inspector.get_unique_constraints(table)),
            "checks": {check["name"] for check in inspector.get_check_constraints(table)},
            "indexes": by_name(inspector.get_indexes(table)),
        }
        for table in tables
    }


def by_name(reflected: Any) -> dict[str, Any]:
    """The reflected constraints by their names."""
    return {constraint["name"]: constraint for constraint in reflected}


def run(connection: Connection, script: str) -> None:
    """Run the statements of a script, one after the other."""
    for statement in script.split(";\n"):
        connection.exec_driver_sql(statement)


def test_migrations_agree_with_the_tables(api: Harness) -> None:
    """Alembic finds nothing to add, drop or change."""
    with api.ctx.db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_migrated_database_equals_a_new_one(database: Database, tmp_path: Path) -> None:
    """Types and the names of constraints and indexes too."""
    with database.migration() as connection:
        upgrade(connection, "head")
    migrated = structure(database.engine)
    with database.migration() as connection:
        Base.metadata.drop_all(connection)
        Base.metadata.create_all(connection)
    assert migrated == structure(database.engine)


def test_migrating_twice_changes_nothing(api: Harness) -> None:
    """A second start runs no migration and keeps an administrator's changes."""
    before = api.rows("SELECT name, render_limit_s FROM tiers ORDER BY name")
    migrate(api.ctx.db)
    assert api.rows("SELECT name, render_limit_s FROM tiers ORDER BY name") == before
    assert {"name": "Free", "render_limit_s": 1800} in before


def test_there_is_one_head() -> None:
    """No two migrations follow the same one, and the last file is the newest version."""
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [newest_version()]


EXPECTED: list[tuple[type[Base], Any, dict[str, Any]]] = [
    (UserRow, "ada", {"created_at": AT, "storage_used_bytes": 7}),
    (KeyRow, "s-1", {"expires_at": None, "revoked_at": None}),
    (KeyRow, "s-2", {"expires_at": AT_LATER, "revoked_at": AT, "stage": "fetch"}),
    (CompilationRow, "c-1", {"created_at": AT, "outbox": None}),
    (
        RevisionRow,
        ("c-1", 1),
        {
            "spec": {"title": 'say "pieces": it'},
            "output_policy": {"tier": "Free"},
            "segments_reused": 3,
            "outputs": [{"name": "main", "segments": {"total": 4}}],
            "created_at": AT,
            "completed_at": AT_LATER,
            "rendering_at": AT,
            "reached_at": None,
        },
    ),
    (MediaRow, "m-1", {"created_at": AT, "filename": "a.mp4"}),
    (ClipRow, "k-1", {"task_index": 2, "media_id": "m-1"}),
    (SegmentRow, ("ada", "key"), {"created_at": AT, "used_at": AT_LATER, "size_bytes": 5}),
    (
        UploadRow,
        "u-1",
        {
            "request": {"purpose": "segment", "filename": "piece_key", "segment_key": "k"},
            "segment_key": "k",
            "created_at": AT,
            "complete": True,
        },
    ),
    (TaskRow, ("c-1", 1, "fetch", 0), {"epoch": 2, "lease_until": AT_LATER, "done": True}),
    (FetchLockRow, ("ada", "key"), {"clip_id": "k-1", "until": AT_LATER}),
    (LogLineRow, 1, {"at": AT, "line": "line"}),
    (ProcessingJobRow, "j-1", {"started_at": AT, "completed_at": AT_LATER}),
    (RenderUsageRow, ("c-1", 1), {"seconds": 5, "created_at": AT}),
    (ResultMediaRow, ("c-1", 1, "main", "m-1"), {"kind": "clip", "created_at": AT}),
    (IdempotencyRow, ("ada", "key"), {"compilation_id": "c-1", "created_at": AT}),
]


def test_rows_of_an_older_database_stay(database: Database) -> None:
    """Every row reads back with its new names and with times in UTC."""
    with database.migration() as connection:
        upgrade(connection, "0003")
        run(connection, ROWS_OF_0003)
    migrate(database)
    with Session(database.engine) as session:
        for table, key, values in EXPECTED:
            row = session.get_one(table, key)
            assert {name: getattr(row, name) for name in values} == values, table


def test_a_broken_reference_is_refused(database: Database) -> None:
    """A migration that leaves a row without its parent does not commit."""
    migrate(database)
    columns = "(name, tier, storage_used_bytes, created_at)"
    values = "('ada', 'NoSuchTier', 0, '2026-11-27 07:01:33.928763')"
    insert = f"INSERT INTO users {columns} VALUES {values}"
    with pytest.raises(Exception, match=r"(?i)foreign key"), database.migration() as connection:
        connection.exec_driver_sql(insert)
    with Session(database.engine) as session:
        assert session.get(UserRow, "ada") is None


def test_the_api_serves_the_database_of_release_0_1_0(tmp_path: Path) -> None:
    """Plan, result and library of a compilation that 0.1.0 rendered."""
    restore_release("0.1.0", tmp_path)
    with running(tmp_path) as api:
        user = api.client(api.admin.create_key("local"))
        (view,) = user.compilations().items
        assert (view.state, view.created_at) == ("Succeeded", TIME)
        assert (view.outputs[0].frames, view.outputs[0].segments.rendered) == (141, 4)
        assert user.plan(view.id).outputs[0].frames == 141
        assert len(user.library(limit=100).items) == 10
