"""Add the clip key of the source of which a media file holds an excerpt."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("media", sa.Column("excerpt_of", sa.String(length=2100), nullable=True))
    op.create_index(op.f("ix_media_owner_excerpt_of"), "media", ["owner", "excerpt_of"])


def downgrade() -> None:
    """Remove them."""
    op.drop_index(op.f("ix_media_owner_excerpt_of"), "media")
    op.drop_column("media", "excerpt_of")
