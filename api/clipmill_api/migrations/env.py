"""Alembic's way in: uses the connection it is given, within its transaction."""

from alembic import context

from clipmill_api.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
