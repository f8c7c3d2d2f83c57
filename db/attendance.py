"""Who attended what: one row per member and activity, whatever way it was recorded."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.prepared import Prepared

MODES = ("onsite", "remote", "make_up", "leave")


class Attendance(SQLModel, table=True):
    """A member's attendance. Undoing keeps the row with state `undone`; coming again raises `round`."""

    __table_args__ = (
        CheckConstraint("mode IN ('onsite', 'remote', 'make_up', 'leave')", name="mode"),
        Index("ix_attendance_member_id", "member_id", "recorded_at"),
    )
    activity_id: int = Field(foreign_key="activity.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    mode: str
    state: str = "present"  # present, undone
    round: int = 1  # how many times it was recorded anew; part of the ledger's cause
    recorded_at: datetime
    evidence: str = ""  # how it was shown: code, button, scan, seat, secretary


def _add(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    names = ("activity_id", "member_id", "mode", "state", "round", "recorded_at", "evidence")
    return (
        insert(Attendance)
        .values({name: bindparam(name) for name in names})
        .on_conflict_do_nothing(index_elements=["activity_id", "member_id"])
    )


_ADD = Prepared(_add)
_FOUND = Prepared(
    select(
        col(Attendance.state), col(Attendance.round), col(Attendance.recorded_at), col(Attendance.mode)
    ).where(
        Attendance.activity_id == bindparam("activity_id"), Attendance.member_id == bindparam("member_id")
    )
)


def record(
    session: Session, *, activity_id: int, member_id: int, mode: str, evidence: str, at: datetime
) -> int | None:
    """Record attendance: the round (1, or more after an undo), or None when it stands already."""
    fresh = _ADD.count(
        session,
        activity_id=activity_id,
        member_id=member_id,
        mode=mode,
        state="present",
        round=1,
        recorded_at=at,
        evidence=evidence,
    )
    if fresh:
        return 1
    again = session.execute(
        update(Attendance)
        .where(
            col(Attendance.activity_id) == activity_id,
            col(Attendance.member_id) == member_id,
            col(Attendance.state) == "undone",
        )
        .values(state="present", round=Attendance.round + 1, recorded_at=at, mode=mode, evidence=evidence)
        .returning(col(Attendance.round))
    ).scalar()
    return int(again) if again is not None else None


def found(session: Session, activity_id: int, member_id: int) -> tuple[str, int, datetime, str] | None:
    """(state, round, when it was recorded, mode), or None without a row."""
    row = _FOUND.row(session, activity_id=activity_id, member_id=member_id)
    return (row[0], row[1], row[2], row[3]) if row else None


def undo(session: Session, activity_id: int, member_id: int) -> int | None:
    """Take attendance back: the round that is undone, or None when there is nothing to undo."""
    statement = (
        update(Attendance)
        .where(
            col(Attendance.activity_id) == activity_id,
            col(Attendance.member_id) == member_id,
            col(Attendance.state) == "present",
        )
        .values(state="undone")
        .returning(col(Attendance.round))
    )
    gone = session.execute(statement).scalar()
    return int(gone) if gone is not None else None
