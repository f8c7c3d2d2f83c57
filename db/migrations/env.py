"""Runs revisions on the connection that `db.migrate` hands over; there is no other way in."""

from __future__ import annotations

from alembic import context

from db import schema
from db.migrate import is_ours

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema.metadata,
    render_as_batch=True,  # SQLite changes a table by building it anew
    include_object=is_ours,
)
with context.begin_transaction():
    context.run_migrations()
