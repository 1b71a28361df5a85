"""When a generation began to render, and when it came as far as it is"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two moments of each generation."""
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rendering_at", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("reached_at", sa.String(length=255), nullable=True))


def downgrade() -> None:
    """Without them."""
    with op.batch_alter_table("revisions", schema=None) as batch_op:
        batch_op.drop_column("reached_at")
        batch_op.drop_column("rendering_at")
