"""Add the times from which the end of a render is estimated."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them to revisions."""
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rendering_at", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("reached_at", sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Drop them."""
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_column("reached_at")
        batch_op.drop_column("rendering_at")
