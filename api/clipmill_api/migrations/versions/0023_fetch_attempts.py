"""Add the failed attempts of fetch tasks, of which one pod may do several."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "tasks", sa.Column("failures", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.add_column("tasks", sa.Column("retry_at", UtcDateTime(), nullable=True))
    op.add_column("tasks", sa.Column("job_index", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Remove them."""
    for name in ("job_index", "retry_at", "failures"):
        op.drop_column("tasks", name)
