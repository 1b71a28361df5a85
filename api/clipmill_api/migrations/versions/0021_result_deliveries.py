"""Add the deliveries of results to buckets of their owners."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "result_deliveries",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("credential", sa.String(length=63), nullable=False),
        sa.Column("folder", sa.String(length=500), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("media_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.String(length=255), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_result_deliveries_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_deliveries")),
        sa.UniqueConstraint(
            "compilation_id",
            "generation",
            "filename",
            name=op.f("uq_result_deliveries_compilation_id_generation_filename"),
        ),
    )
    op.create_index(
        op.f("ix_result_deliveries_next_attempt_at"), "result_deliveries", ["next_attempt_at"]
    )
    op.create_index(op.f("ix_result_deliveries_created_at"), "result_deliveries", ["created_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("result_deliveries")
