"""Add why a compilation is removed: by a person, rather than because it has expired."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what was removed before had expired."""
    op.add_column("compilations", sa.Column("removal_reason", sa.String(255), nullable=True))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("compilations", "removal_reason")
