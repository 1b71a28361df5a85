"""When a key was created and last used."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; of existing keys nothing is known."""
    op.add_column("keys", sa.Column("created_at", UtcDateTime(), nullable=True))
    op.add_column("keys", sa.Column("last_used_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("keys", "last_used_at")
    op.drop_column("keys", "created_at")
