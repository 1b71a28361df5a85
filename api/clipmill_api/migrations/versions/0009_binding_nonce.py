"""A nonce by which the resource of a submission is bound once."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COMPILATIONS = sa.table(
    "compilations",
    sa.column("id"),
    sa.column("outbox"),
    sa.column("resource_generation"),
    sa.column("binding_nonce"),
)


def upgrade() -> None:
    """Add the column, with a nonce for each submission whose resource is still to be created."""
    op.add_column("compilations", sa.Column("binding_nonce", sa.String(255), nullable=True))
    columns, connection = COMPILATIONS.c, op.get_bind()
    waiting = sa.select(columns.id).where(
        columns.outbox.is_not(None), columns.resource_generation == 0
    )
    for compilation_id in connection.scalars(waiting).all():
        update = COMPILATIONS.update().where(columns.id == compilation_id)
        connection.execute(update.values(binding_nonce=secrets.token_urlsafe(32)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("compilations", "binding_nonce")
