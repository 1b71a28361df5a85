"""Alembic's entry point: run the migrations in the transaction of the given connection."""

from alembic import context

from clipmill_api.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
