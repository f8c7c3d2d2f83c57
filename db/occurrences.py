"""What the scheduler did and has still to do: occurrences of tasks, and reminders that are due."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, select
from sqlmodel import Field, Session, SQLModel


class Occurrence(SQLModel, table=True):
    """One run of one task for one instant. Written in one transaction with the effect, so it happens once."""

    task: str = Field(primary_key=True)
    scheduled_for: datetime = Field(primary_key=True)
    ran_at: datetime
    state: str = "done"  # done, skipped (too late by the task's policy)
    note: str = ""


class Reminder(SQLModel, table=True):
    """One thing to tell one member at `due_at`; not told any more after `expires_at`."""

    __table_args__ = (
        UniqueConstraint("member_id", "kind", "subject"),
        Index("ix_reminder_due", "state", "due_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    kind: str  # check_in_opens, activity_day, activity_hour, ...
    subject: str  # "activity:17"
    due_at: datetime
    expires_at: datetime | None = None
    state: str = "waiting"  # waiting, told, expired, withdrawn


def remind(
    session: Session,
    *,
    member_id: int,
    kind: str,
    subject: str,
    due_at: datetime,
    expires_at: datetime | None = None,
) -> bool:
    """Note one reminder; False when the member has it already."""
    same = select(Reminder.id).where(
        Reminder.member_id == member_id, Reminder.kind == kind, Reminder.subject == subject
    )
    if session.execute(same).first():
        return False
    session.add(
        Reminder(member_id=member_id, kind=kind, subject=subject, due_at=due_at, expires_at=expires_at)
    )
    session.flush()
    return True
