"""Keys of claimed tasks, and what each task may read and write."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the task of a key, and the scope of a task."""
    op.add_column("keys", sa.Column("task_index", sa.BigInteger(), nullable=True))
    op.add_column("keys", sa.Column("epoch", sa.BigInteger(), nullable=True))
    op.add_column("tasks", sa.Column("scope", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Delete the keys of tasks, whose pods claim again, and drop the columns."""
    op.execute("DELETE FROM keys WHERE task_index IS NOT NULL")
    op.drop_column("tasks", "scope")
    op.drop_column("keys", "epoch")
    op.drop_column("keys", "task_index")
