"""Add when results expire: of compilations, by default of tiers, and the newest of an owner."""

import sqlalchemy as sa
from alembic import op

from clipmill_api.timestamps import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIMES = ("expires_at", "removed_at")


def upgrade() -> None:
    """Add the columns. What has ended before is kept, as it was promised then."""
    for name in TIMES:
        op.add_column("compilations", sa.Column(name, UtcDateTime(), nullable=True))
        op.create_index(op.f(f"ix_compilations_{name}"), "compilations", [name])
    op.add_column("tiers", sa.Column("result_days", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("newest_results", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("users", "newest_results")
    op.drop_column("tiers", "result_days")
    for name in TIMES:
        op.drop_index(f"ix_compilations_{name}", "compilations")
        op.drop_column("compilations", name)
