"""What the scheduler did and has still to do: occurrences of tasks, and reminders that are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, bindparam, case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.prepared import Prepared


class Occurrence(SQLModel, table=True):
    """One run of one task for one instant. Written in one transaction with the effect, so it happens once."""

    task: str = Field(primary_key=True)
    scheduled_for: datetime = Field(primary_key=True)
    ran_at: datetime
    state: str = "done"  # begun (first start), done, skipped (too late by the task's policy), failed (given up)
    note: str = ""


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


_RECORD = Prepared(
    lambda dialect: (
        _insert(dialect, Occurrence)
        .values({name: bindparam(name) for name in ("task", "scheduled_for", "ran_at", "state", "note")})
        .on_conflict_do_nothing(index_elements=["task", "scheduled_for"])
    )
)


def record(
    session: Session, task: str, scheduled_for: datetime, *, ran_at: datetime, state: str = "done", note: str = ""
) -> bool:
    """Write the row of one occurrence; False when it stands already: then another one has done it."""
    values = {"task": task, "scheduled_for": scheduled_for, "ran_at": ran_at, "state": state, "note": note}
    return bool(_RECORD.count(session, **values))


def last_of(session: Session, tasks: Collection[str]) -> dict[str, datetime]:
    """The latest occurrence of each task; where only its beginning is recorded, the earliest beginning."""
    ran = func.max(case((Occurrence.state != "begun", Occurrence.scheduled_for)))
    statement = (
        select(col(Occurrence.task), ran, func.min(Occurrence.scheduled_for))
        .where(col(Occurrence.task).in_(tasks))
        .group_by(col(Occurrence.task))
    )
    return {task: last or begun for task, last, begun in session.execute(statement)}


def recorded(session: Session, task: str) -> Sequence[Occurrence]:
    """Every occurrence of a task, the oldest first."""
    statement = select(Occurrence).where(Occurrence.task == task).order_by(col(Occurrence.scheduled_for))
    return session.execute(statement).scalars().all()


def forget(session: Session, before: datetime) -> int:
    """Delete occurrences older than `before`, but never the last one of a task. How many went."""
    last = (
        select(col(Occurrence.task), func.max(Occurrence.scheduled_for).label("at"))
        .group_by(col(Occurrence.task))
        .subquery()
    )
    kept = select(last.c.task).where(last.c.task == Occurrence.task, last.c.at == Occurrence.scheduled_for)
    done = session.execute(
        delete(Occurrence).where(col(Occurrence.scheduled_for) < before, ~kept.exists()),
        execution_options={"synchronize_session": False},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


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
    session.add(Reminder(member_id=member_id, kind=kind, subject=subject, due_at=due_at, expires_at=expires_at))
    session.flush()
    return True
