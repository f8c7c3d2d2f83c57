"""Who attended what: one row per member and activity, whatever way it was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import CheckConstraint, Index, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member
from db.prepared import Prepared

MODES = ("onsite", "remote", "make_up", "leave")
CAME = ("onsite", "remote")
"""Modes that count as having been there. Making up later and leave do not."""


class Attendance(SQLModel, table=True):
    """A member's attendance. Undoing keeps the row with state `undone`; coming again raises `round`.

    Leave has mode `leave` and is never `present`: asked by the member, then excused or refused.
    """

    __table_args__ = (
        CheckConstraint("mode IN ('onsite', 'remote', 'make_up', 'leave')", name="mode"),
        Index("ix_attendance_member_id", "member_id", "recorded_at"),
    )
    activity_id: int = Field(foreign_key="activity.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    mode: str
    state: str = "present"  # present, undone; leave: asked, excused, refused
    round: int = 1  # how many times presence was recorded; part of the ledger's cause
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
    select(col(Attendance.state), col(Attendance.round), col(Attendance.recorded_at), col(Attendance.mode)).where(
        col(Attendance.activity_id) == bindparam("activity_id"),
        col(Attendance.member_id) == bindparam("member_id"),
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
            col(Attendance.state) != "present",  # undone, or on leave and came all the same
        )
        .values(state="present", round=Attendance.round + 1, recorded_at=at, mode=mode, evidence=evidence)
        .returning(col(Attendance.round))
    ).scalar()
    return int(again) if again is not None else None


def found(session: Session, activity_id: int, member_id: int) -> tuple[str, int, datetime, str] | None:
    """(state, round, when it was recorded, mode), or None without a row."""
    row = _FOUND.row(session, activity_id=activity_id, member_id=member_id)
    return (row[0], row[1], row[2], row[3]) if row else None


def last_present(session: Session, member_id: int) -> int | None:
    """The activity where the member's presence was recorded last, by whatever way; None when there is none."""
    statement = (
        select(col(Attendance.activity_id))
        .where(col(Attendance.member_id) == member_id, col(Attendance.state) == "present")
        .order_by(col(Attendance.recorded_at).desc(), col(Attendance.activity_id).desc())
        .limit(1)
    )
    return session.execute(statement).scalar()


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


def leave(session: Session, *, activity_id: int, member_id: int, state: str, reason: str, at: datetime) -> bool:
    """Note leave that is `asked` or `excused`; a new reason replaces an old one. False for one who is there."""
    row = session.get(Attendance, (activity_id, member_id))
    if row is None:
        session.add(
            Attendance(
                activity_id=activity_id,
                member_id=member_id,
                mode="leave",
                state=state,
                round=0,
                recorded_at=at,
                evidence=reason,
            )
        )
        session.flush()
        return True
    changed = session.execute(
        update(Attendance)
        .where(
            col(Attendance.activity_id) == activity_id,
            col(Attendance.member_id) == member_id,
            col(Attendance.state) != "present",
        )
        .values(mode="leave", state=state, evidence=reason, recorded_at=at),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def decide_leave(session: Session, activity_id: int, member_id: int, *, granted: bool) -> bool:
    """Grant or refuse leave that was asked; False when nothing is asked any more."""
    return _move_leave(session, activity_id, member_id, ("asked",), "excused" if granted else "refused")


def withdraw_leave(session: Session, activity_id: int, member_id: int) -> bool:
    """Take a request or granted leave back; False when there is none."""
    return _move_leave(session, activity_id, member_id, ("asked", "excused"), "undone")


def _move_leave(session: Session, activity_id: int, member_id: int, was: Sequence[str], to: str) -> bool:
    changed = session.execute(
        update(Attendance)
        .where(
            col(Attendance.activity_id) == activity_id,
            col(Attendance.member_id) == member_id,
            col(Attendance.mode) == "leave",
            col(Attendance.state).in_(was),
        )
        .values(state=to),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


class Recorded(NamedTuple):
    """One row of an activity's list."""

    member_id: int
    name: str
    mode: str
    state: str
    recorded_at: datetime
    evidence: str


def roll(session: Session, activity_id: int) -> Sequence[Recorded]:
    """Everybody with a row, in the order in which they came."""
    statement = (
        select(
            col(Attendance.member_id),
            col(Member.name),
            col(Attendance.mode),
            col(Attendance.state),
            col(Attendance.recorded_at),
            col(Attendance.evidence),
        )
        .join(Member, col(Member.id) == col(Attendance.member_id))
        .where(col(Attendance.activity_id) == activity_id)
        .order_by(col(Attendance.recorded_at), col(Attendance.member_id))
    )
    return [Recorded(*row) for row in session.execute(statement)]


def present(session: Session, activity_id: int) -> Counter[str]:
    """How many are recorded as present, by mode."""
    statement = (
        select(col(Attendance.mode), func.count())
        .where(col(Attendance.activity_id) == activity_id, col(Attendance.state) == "present")
        .group_by(col(Attendance.mode))
    )
    return Counter({row[0]: row[1] for row in session.execute(statement)})


def settled(session: Session, activity_ids: Collection[int], member_ids: Collection[int]) -> set[tuple[int, int]]:
    """(activity, member) of those who are there, on leave, or have asked for it: nobody to be reminded."""
    statement = select(col(Attendance.activity_id), col(Attendance.member_id)).where(
        col(Attendance.activity_id).in_(activity_ids),
        col(Attendance.member_id).in_(member_ids),
        col(Attendance.state).in_(("present", "asked", "excused")),
    )
    return {(row[0], row[1]) for row in session.execute(statement)}


def rounds(session: Session, activity_id: int) -> Sequence[tuple[int, str, int, bool]]:
    """(member, mode, round, still recorded as present) of everybody who ever was, in the order of their ids."""
    statement = (
        select(col(Attendance.member_id), col(Attendance.mode), col(Attendance.round), col(Attendance.state))
        .where(col(Attendance.activity_id) == activity_id, col(Attendance.round) > 0)
        .order_by(col(Attendance.member_id))
    )
    return [(row[0], row[1], row[2], row[3] == "present") for row in session.execute(statement)]
