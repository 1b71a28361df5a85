"""Rename pieces to segments, parts to tasks and terms to output policy.

The two tables are copied instead of renamed, so that their constraints get new names as well.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename tables, columns and the fields of stored JSON."""
    _copy_pieces_to_segments()
    _copy_parts_to_tasks()
    op.alter_column("uploads", "piece_key", new_column_name="segment_key")
    op.alter_column("revisions", "pieces_reused", new_column_name="segments_reused")
    op.alter_column("revisions", "terms", new_column_name="output_policy")
    op.alter_column("clips", "part", new_column_name="task_index")
    # Quotes within a JSON string are escaped: these patterns match fields, never a user's text.
    _replace_in_json("uploads", "request", '"piece_key":', '"segment_key":')
    _replace_in_json("uploads", "request", '"purpose": "piece"', '"purpose": "segment"')
    _replace_in_json("revisions", "outputs", '"pieces":', '"segments":')


def _copy_pieces_to_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.Column("used_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_segments_owner")),
        sa.PrimaryKeyConstraint("owner", "key", name=op.f("pk_segments")),
    )
    columns = "owner, key, sha256, size_bytes, created_at, used_at"
    op.execute(f"INSERT INTO segments ({columns}) SELECT {columns} FROM pieces")  # noqa: S608
    op.drop_table("pieces")
    op.create_index(op.f("ix_segments_owner_sha256"), "segments", ["owner", "sha256"])
    op.create_index(op.f("ix_segments_used_at"), "segments", ["used_at"])


def _copy_parts_to_tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.String(length=255), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(length=255), nullable=False),
        sa.Column("lease_until", sa.String(length=255), nullable=False),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "compilation_id", "generation", "stage", "index", name=op.f("pk_tasks")
        ),
    )
    key = 'compilation_id, generation, stage, "index"'
    columns = f"{key}, epoch, holder, lease_until, percent, done"
    op.execute(f"INSERT INTO tasks ({columns}) SELECT {columns} FROM parts")  # noqa: S608
    op.drop_table("parts")


def _replace_in_json(table: str, column: str, old: str, new: str) -> None:
    rows = sa.table(table, sa.column(column, sa.JSON))
    text = sa.cast(rows.c[column], sa.Text)
    changed: sa.ColumnElement[str] = sa.func.replace(text, old, new)
    if op.get_bind().dialect.name == "postgresql":
        changed = sa.cast(changed, sa.JSON)
    op.execute(rows.update().where(text.contains(old)).values({column: changed}))


def downgrade() -> None:
    """Refuse: an older API needs the backup that was made before the upgrade."""
    raise NotImplementedError("restore the backup made before the upgrade")
