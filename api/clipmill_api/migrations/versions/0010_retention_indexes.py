"""Add the indexes that retention and the end of a revision need."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = (
    ("uploads", "compilation_id"),
    ("uploads", "created_at"),
    ("media", "thumbnail_id"),
    ("log_lines", "at"),
    ("revisions", "completed_at"),
    ("idempotency", "created_at"),
)


def upgrade() -> None:
    """Create the indexes."""
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Drop the indexes."""
    for table, column in INDEXES:
        op.drop_index(op.f(f"ix_{table}_{column}"), table)
