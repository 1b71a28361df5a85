"""Add the trace that a revision belongs to."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
COLUMNS = ("traceparent", "trace_parent")


def upgrade() -> None:
    """Add the columns."""
    for name in COLUMNS:
        op.add_column("revisions", sa.Column(name, sa.String(length=55), nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in COLUMNS:
        op.drop_column("revisions", name)
