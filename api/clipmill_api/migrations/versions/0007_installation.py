"""Add the installation's id, which the blob store holds as well."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create installation."""
    op.create_table(
        "installation",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("number = 1", name=op.f("ck_installation_only_row")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_installation")),
    )


def downgrade() -> None:
    """Drop installation."""
    op.drop_table("installation")
