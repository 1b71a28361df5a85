"""Add links to outputs, so that they can be listed and revoked."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create share_links."""
    op.create_table(
        "share_links",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("compilation_id", sa.String(length=255), nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("media_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["compilation_id"], ["compilations.id"], name=op.f("fk_share_links_compilation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share_links")),
    )
    for column in ("compilation_id", "expires_at"):
        op.create_index(op.f(f"ix_share_links_{column}"), "share_links", [column])


def downgrade() -> None:
    """Drop share_links."""
    op.drop_table("share_links")
