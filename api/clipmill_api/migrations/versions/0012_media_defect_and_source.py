"""Why a clip of the library cannot be played, and what the platform says of a fetched clip."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; existing media can be played, and nothing is known of their sources."""
    op.add_column("media", sa.Column("defect", sa.JSON(), nullable=True))
    op.add_column("media", sa.Column("source", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("media", "source")
    op.drop_column("media", "defect")
