"""Adding a row once, whoever else adds it at the same moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel


def add_once(session: Session, model: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Insert the row; False when one with the same key (or another unique value) stands already."""
    session.flush()
    table = model.__table__  # type: ignore[attr-defined]
    insert: Any = postgresql.insert if session.connection().dialect.name == "postgresql" else sqlite.insert
    first = next(iter(table.primary_key.columns))
    adding = insert(table).values(**values).on_conflict_do_nothing().returning(first)
    return session.connection().execute(adding).first() is not None
