"""What decides whether branches are reminded of a duty: their people, their Party groups, what is done already."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import extract, func, or_, select
from sqlmodel import Field, Session, SQLModel, col

from db.activities import Activity
from db.attendance import Attendance
from db.members import Member, Membership
from db.once import add_once
from db.organizations import Organization


class DutyDone(SQLModel, table=True):
    """A branch's word that it has done a duty of which nothing else in the service would show it."""

    __tablename__ = "duty_done"
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    duty: str = Field(primary_key=True)  # its id in the calendar of duties; never renamed
    period: str = Field(primary_key=True)  # 2026, 2026-Q2, 2026-06
    by: int = Field(foreign_key="member.id")
    at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """An active member of a branch of whom it may have to be reminded."""

    organization_id: int
    member_id: int
    mobile: bool
    probationary: bool
    admitted_on: date | None


def people(
    session: Session, organization_ids: Collection[int], today: date, months: Collection[int]
) -> list[Person]:
    """Mobile and probationary members of these branches, and those who were admitted in one of `months`."""
    names = (col(Member.mobile), col(Member.probationary), col(Member.admitted_on))
    statement = (
        select(col(Membership.organization_id), col(Member.id), *names)
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.organization_id).in_(organization_ids),
            col(Membership.from_day) <= today,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > today),
            col(Member.status) == "active",
            or_(
                col(Member.mobile),
                col(Member.probationary),
                extract("month", col(Member.admitted_on)).in_(months),
            ),
        )
        .order_by(col(Member.id))
    )
    return [Person(*row) for row in session.execute(statement)]


def without(session: Session, organization_id: int, kind: str, begin: datetime, end: datetime, day: date) -> int:
    """How many active members of the branch on `day` were at none of its activities of a kind in [begin, end)."""
    came = (
        select(col(Attendance.member_id))
        .join(Activity, col(Activity.id) == col(Attendance.activity_id))
        .where(
            col(Activity.organization_id) == organization_id,
            col(Activity.kinds).contains(kind, autoescape=True),
            col(Activity.state) != "cancelled",
            col(Activity.starts_at) >= begin,
            col(Activity.starts_at) < end,
            col(Attendance.state) == "present",
        )
    )
    statement = (
        select(func.count())
        .select_from(Membership)
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.organization_id) == organization_id,
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
            col(Member.status) == "active",
            col(Member.id).not_in(came),
        )
    )
    return int(session.execute(statement).scalar_one())


def with_groups(session: Session, organization_ids: Sequence[int]) -> set[int]:
    """Those of the organisations that have Party groups under them."""
    statement = select(col(Organization.parent_id)).where(
        col(Organization.parent_id).in_(organization_ids),
        col(Organization.level) == "party_group",
        col(Organization.closed_on).is_(None),
    )
    return {row for row in session.execute(statement).scalars() if row is not None}


def done(session: Session, organization_id: int, duty: str, period: str, by: int, at: datetime) -> bool:
    """Note that the duty of the period is done; False when that was noted before."""
    row = {"organization_id": organization_id, "duty": duty, "period": period, "by": by, "at": at}
    return add_once(session, DutyDone, row)


def all_done(
    session: Session, organization_ids: Collection[int], periods: Collection[str]
) -> set[tuple[int, str, str]]:
    """(branch, duty, period) of what these branches say is done in these periods."""
    statement = select(col(DutyDone.organization_id), col(DutyDone.duty), col(DutyDone.period)).where(
        col(DutyDone.organization_id).in_(organization_ids), col(DutyDone.period).in_(periods)
    )
    return {(row[0], row[1], row[2]) for row in session.execute(statement)}
