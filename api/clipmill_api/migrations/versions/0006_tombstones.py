"""Add tombstones: blobs that removed rows named."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create tombstones."""
    op.create_table(
        "tombstones",
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("marked_at", UtcDateTime(), nullable=False),
        sa.Column("delete_after", UtcDateTime(), nullable=False),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("owner", "sha256", name=op.f("pk_tombstones")),
    )
    op.create_index(
        op.f("ix_tombstones_deleted_at_delete_after"), "tombstones", ["deleted_at", "delete_after"]
    )


def downgrade() -> None:
    """Drop tombstones: an older API deletes the bytes at its start."""
    op.drop_table("tombstones")
