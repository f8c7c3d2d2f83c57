"""What the scheduler did and has still to do: occurrences of tasks, and reminders that are due."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Index,
    String,
    UniqueConstraint,
    bindparam,
    case,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db import organizations
from db.activities import Activity
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
    ran = func.max(case((col(Occurrence.state) != "begun", Occurrence.scheduled_for)))
    statement = (
        select(col(Occurrence.task), ran, func.min(col(Occurrence.scheduled_for)))
        .where(col(Occurrence.task).in_(tasks))
        .group_by(col(Occurrence.task))
    )
    return {task: last or begun for task, last, begun in session.execute(statement)}


def recorded(session: Session, task: str) -> Sequence[Occurrence]:
    """Every occurrence of a task, the oldest first."""
    statement = select(Occurrence).where(col(Occurrence.task) == task).order_by(col(Occurrence.scheduled_for))
    return session.execute(statement).scalars().all()


def forget(session: Session, before: datetime) -> int:
    """Delete occurrences older than `before`, but never the last one of a task. How many went."""
    last = (
        select(col(Occurrence.task), func.max(col(Occurrence.scheduled_for)).label("at"))
        .group_by(col(Occurrence.task))
        .subquery()
    )
    kept = select(last.c.task).where(
        last.c.task == col(Occurrence.task), last.c.at == col(Occurrence.scheduled_for)
    )
    done = session.execute(
        delete(Occurrence).where(col(Occurrence.scheduled_for) < before, ~kept.exists()),
        execution_options={"synchronize_session": False},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


NOTE = "note"
"""Kind of a reminder that carries its message; its subject is the key under which it is told once."""


class Reminder(SQLModel, table=True):
    """One thing to tell one member at `due_at`; not told any more after `expires_at`."""

    __table_args__ = (
        UniqueConstraint("member_id", "kind", "subject"),
        Index("ix_reminder_due", "state", "due_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id")
    kind: str  # check_in_opens, activity_day, activity_hour, NOTE, ...
    subject: str  # "activity:17"
    due_at: datetime
    expires_at: datetime | None = None
    state: str = "waiting"  # waiting, told, expired, withdrawn
    content: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # of a NOTE: the message


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
    same = select(col(Reminder.id)).where(
        col(Reminder.member_id) == member_id, col(Reminder.kind) == kind, col(Reminder.subject) == subject
    )
    if session.execute(same).first():
        return False
    session.add(Reminder(member_id=member_id, kind=kind, subject=subject, due_at=due_at, expires_at=expires_at))
    session.flush()
    return True


def due_members(session: Session, kinds: Collection[str], now: datetime, most: int) -> Sequence[int]:
    """Members for whom a waiting reminder of one of `kinds` is due, the longest waiting first."""
    statement = (
        select(col(Reminder.member_id))
        .where(col(Reminder.state) == "waiting", col(Reminder.due_at) <= now, col(Reminder.kind).in_(kinds))
        .group_by(col(Reminder.member_id))
        .order_by(func.min(col(Reminder.due_at)), col(Reminder.member_id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def waiting(
    session: Session, member_ids: Collection[int], kinds: Collection[str], until: datetime
) -> Sequence[Reminder]:
    """Waiting reminders of these members that fall due by `until`, each member's in the order of time."""
    statement = (
        select(Reminder)
        .where(
            col(Reminder.member_id).in_(member_ids),
            col(Reminder.state) == "waiting",
            col(Reminder.due_at) <= until,
            col(Reminder.kind).in_(kinds),
        )
        .order_by(col(Reminder.member_id), col(Reminder.due_at), col(Reminder.id))
    )
    return session.execute(statement).scalars().all()


def settle(session: Session, reminder_ids: Collection[int], state: str) -> None:
    """Move reminders to their end: told, expired or withdrawn."""
    session.execute(
        update(Reminder).where(col(Reminder.id).in_(reminder_ids)).values(state=state),
        execution_options={"synchronize_session": False},
    )


def withdraw(session: Session, subject: str, member_id: int | None = None) -> int:
    """Take back what waits about a subject, of one member or of all; how many."""
    statement = update(Reminder).where(col(Reminder.subject) == subject, col(Reminder.state) == "waiting")
    if member_id is not None:
        statement = statement.where(col(Reminder.member_id) == member_id)
    done = session.execute(statement.values(state="withdrawn"), execution_options={"synchronize_session": False})
    return int(done.rowcount)  # type: ignore[attr-defined]


def forget_reminders(session: Session, before: datetime, *, notes_before: datetime) -> int:
    """Delete reminders that came to their end and were due before `before`; how many.

    notes_before: the same for notes, which are kept longer: their keys say what was told already.
    """
    is_note = col(Reminder.kind) == NOTE
    done = session.execute(
        delete(Reminder).where(
            col(Reminder.state) != "waiting",
            or_(is_note & (col(Reminder.due_at) < notes_before), ~is_note & (col(Reminder.due_at) < before)),
        ),
        execution_options={"synchronize_session": False},
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def postpone(session: Session, reminder_ids: Collection[int], due_at: datetime) -> None:
    """Let reminders wait until `due_at`."""
    session.execute(
        update(Reminder).where(col(Reminder.id).in_(reminder_ids)).values(due_at=due_at),
        execution_options={"synchronize_session": False},
    )


PLANNED = "reminders:"
"""Task name, before an activity's id, of the occurrence that says: its reminders are planned."""


def to_plan(session: Session, now: datetime, until: datetime, most: int) -> Sequence[Activity]:
    """Activities that begin in (now, until] and have no reminders yet, the next one first."""
    planned = select(col(Occurrence.task)).where(
        col(Occurrence.task) == literal(PLANNED) + cast(col(Activity.id), String),
        col(Occurrence.scheduled_for) == col(Activity.starts_at),
    )
    statement = (
        select(Activity)
        .where(
            col(Activity.starts_at) > now,
            col(Activity.starts_at) <= until,
            col(Activity.state) == "planned",
            ~planned.exists(),
        )
        .order_by(col(Activity.starts_at), col(Activity.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def remind_all(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note many reminders; those that stand already stay as they are."""
    if rows:
        dialect = session.get_bind().dialect.name
        session.execute(
            _insert(dialect, Reminder).on_conflict_do_nothing(index_elements=["member_id", "kind", "subject"]),
            [{"state": "waiting", **row} for row in rows],
        )


_NAMES = tuple(Occurrence.__table__.columns.keys())  # type: ignore[attr-defined]
DONE = "done"
"""Note of an occurrence whose work was cut into parts and is finished."""


_LAST_RUN = Prepared(  # asked every minute for each task that works in parts
    select(Occurrence.__table__)  # type: ignore[attr-defined]
    .where(col(Occurrence.task) == bindparam("task"), col(Occurrence.state) == "done")
    .order_by(col(Occurrence.scheduled_for).desc())
    .limit(1)
)


def unfinished(session: Session, task: str) -> Occurrence | None:
    """The last occurrence of a task when its parts are not finished; its note says how far they are."""
    row = _LAST_RUN.row(session, task=task)
    last = Occurrence(**dict(zip(_NAMES, row, strict=True))) if row is not None else None
    return last if last is not None and last.note != DONE else None


def advance(session: Session, occurrence: Occurrence, note: str) -> bool:
    """Move the note on; False when another process has just moved it."""
    changed = session.execute(
        update(Occurrence)
        .where(
            col(Occurrence.task) == occurrence.task,
            col(Occurrence.scheduled_for) == occurrence.scheduled_for,
            col(Occurrence.note) == occurrence.note,
        )
        .values(note=note),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def next_branches(session: Session, task: str, most: int) -> tuple[Occurrence, Sequence[int]] | None:
    """The run of a task that is under way, and its next branches, which no other process gets.

    None: nothing is under way, no branch is left (then the run is over), or another process has just taken these.
    """
    run = unfinished(session, task)
    if run is None:
        return None
    ids = organizations.branches_after(session, int(run.note or 0), most)
    taken = advance(session, run, str(ids[-1]) if ids else DONE)
    return (run, ids) if taken and ids else None
