"""Messages that wait for their member's next digest: reminders that carry their own words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from db.occurrences import NOTE, Reminder
from db.prepared import Prepared


def _adding(dialect: str) -> Any:
    names = ("member_id", "subject", "content", "due_at", "expires_at")
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    adding = insert(Reminder).values(kind=NOTE, state="waiting", **{name: bindparam(name) for name in names})
    return adding.on_conflict_do_nothing(index_elements=["member_id", "kind", "subject"])


_NOTE = Prepared(_adding)


def note(
    session: Session,
    *,
    member_id: int,
    key: str,
    content: dict[str, Any],
    due_at: datetime,
    expires_at: datetime | None,
) -> bool:
    """Note a message for the member's digest; False when the member has one of this key, told or not."""
    values = {"member_id": member_id, "subject": key, "content": content}
    return bool(_NOTE.count(session, **values, due_at=due_at, expires_at=expires_at))
