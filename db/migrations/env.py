"""Runs revisions on the connection that `db.migrate` hands over; there is no other way in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, event

from db import schema
from db.failpoints import reach
from db.migrate import is_ours

given: Connection = context.config.attributes["connection"]


@event.listens_for(given, "after_cursor_execute")
def _copied(_connection: object, _cursor: object, statement: str, *_: object) -> None:
    """A statement has been carried out: was it one that fills a table from others?"""
    if statement.lstrip().startswith("INSERT INTO") and "SELECT" in statement:
        reach("migrate.after_copy")


context.configure(
    connection=given,
    target_metadata=schema.metadata,
    render_as_batch=True,  # SQLite changes a table by building it anew
    include_object=is_ours,
)
with context.begin_transaction():
    context.run_migrations()
