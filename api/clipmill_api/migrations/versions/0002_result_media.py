"""Add the index of media files that results play."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create result_media."""
    op.create_table(
        "result_media",
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("output", sa.String(length=255), nullable=False),
        sa.Column("media_id", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=255), nullable=False),
        sa.Column("result_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["compilation_id"],
            ["compilations.id"],
            name=op.f("fk_result_media_compilation_id"),
        ),
        sa.PrimaryKeyConstraint(
            "compilation_id", "generation", "output", "media_id", name=op.f("pk_result_media")
        ),
    )
    with op.batch_alter_table("result_media", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_result_media_owner_media_id_created_at"),
            ["owner", "media_id", "created_at"],
            unique=False,
        )


def downgrade() -> None:
    """Drop result_media."""
    with op.batch_alter_table("result_media", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_result_media_owner_media_id_created_at"))

    op.drop_table("result_media")
