"""The audit log: what people with a role did, each line chained to the one before by a hash."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Field, Session, SQLModel, col

LOCK = 0x48584C47  # PostgreSQL's advisory lock of whoever adds a line, until the transaction ends


class AuditEvent(SQLModel, table=True):
    """One line of the log."""

    __tablename__ = "audit_event"
    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    actor_id: int | None = None  # a member; None: the service or the operator's command line
    action: str  # "letter.sent", "redemption.handed_over"
    subject: str  # "letter:12"
    detail: str  # JSON, keys sorted
    previous: str
    hash: str


def fingerprint(previous: str, at: datetime, actor_id: int | None, action: str, subject: str, detail: str) -> str:
    """SHA-256 over the previous line's hash and this line's content, in hexadecimal digits."""
    content = json.dumps([previous, at.isoformat(), actor_id, action, subject, detail], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()


def record(
    session: Session, *, at: datetime, actor_id: int | None, action: str, subject: str, **detail: Any
) -> None:
    """Add a line. `detail` must be plain JSON without secrets."""
    _wait_for_others(session)
    last = session.execute(select(col(AuditEvent.hash)).order_by(col(AuditEvent.id).desc()).limit(1)).scalar()
    previous = last or ""
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    session.add(
        AuditEvent(
            at=at,
            actor_id=actor_id,
            action=action,
            subject=subject,
            detail=text,
            previous=previous,
            hash=fingerprint(previous, at, actor_id, action, subject, text),
        )
    )
    session.flush()


def _wait_for_others(session: Session) -> None:
    """Two lines written at once would both follow from the same one: the chain would fork."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
