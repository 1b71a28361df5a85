"""Add credentials of owners."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create credentials."""
    op.create_table(
        "credentials",
        sa.Column("owner", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("hosts", sa.JSON(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["users.name"], name=op.f("fk_credentials_owner")),
        sa.PrimaryKeyConstraint("owner", "name", name=op.f("pk_credentials")),
    )


def downgrade() -> None:
    """Drop credentials."""
    op.drop_table("credentials")
