"""Alembic's script for a migration in the transaction of `upgrade`."""

from alembic import context

# SQLite changes a table by copying it.
context.configure(connection=context.config.attributes["connection"], render_as_batch=True)
context.run_migrations()
