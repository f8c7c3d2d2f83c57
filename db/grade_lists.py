"""The grades of a branch's democratic review: a list that the secretary fills in and the committee confirms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, delete, or_, select, text, update
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization
from db.wishes import changed

NOT_RATED = ""


class GradeList(SQLModel, table=True):
    """The review of one branch in one year. At most one list of a branch and year waits or is confirmed."""

    __tablename__ = "grade_list"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'submitted', 'confirmed', 'returned')", name="state"),
        Index(
            "uq_grade_list_alive",
            "organization_id",
            "year",
            unique=True,
            sqlite_where=text("state <> 'returned'"),
            postgresql_where=text("state <> 'returned'"),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    year: int
    activity_id: int = Field(foreign_key="activity.id")  # the review that was held
    state: str = "draft"
    entered_by: int = Field(foreign_key="member.id")
    submitted_at: datetime | None = None
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_as: str = ""
    decided_at: datetime | None = None
    note: str = ""  # why it was returned


class MemberGrade(SQLModel, table=True):
    """One member's grade on one list."""

    __tablename__ = "member_grade"
    __table_args__ = (Index("ix_member_grade_member_id", "member_id"),)
    list_id: int = Field(foreign_key="grade_list.id", primary_key=True)
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    grade: str = NOT_RATED  # id of the grade; empty: not rated


def cause_of(year: int) -> str:
    """The ledger's cause of a grade: one a year, wherever it was given."""
    return f"review:{year}"


def alive(session: Session, organization_id: int, year: int) -> GradeList | None:
    """The branch's list of the year that was not returned."""
    statement = (
        select(GradeList)
        .where(col(GradeList.organization_id) == organization_id, col(GradeList.year) == year)
        .where(col(GradeList.state) != "returned")
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one_or_none()


def by_id(session: Session, list_id: int | None) -> GradeList | None:
    """The list as it is now."""
    statement = select(GradeList).where(col(GradeList.id) == list_id).execution_options(populate_existing=True)
    return session.execute(statement).scalar_one_or_none()


def begin(
    session: Session, *, organization_id: int, year: int, activity_id: int, by: int, grades: Mapping[int, str]
) -> GradeList:
    """A new draft with these grades by member."""
    made = GradeList(organization_id=organization_id, year=year, activity_id=activity_id, entered_by=by)
    session.add(made)
    session.flush()
    assert made.id is not None
    session.add_all(MemberGrade(list_id=made.id, member_id=member, grade=one) for member, one in grades.items())
    session.flush()
    return made


def grades_of(session: Session, list_id: int) -> dict[int, str]:
    """Grades by member, in the order of the members' ids."""
    statement = (
        select(col(MemberGrade.member_id), col(MemberGrade.grade))
        .where(col(MemberGrade.list_id) == list_id)
        .order_by(col(MemberGrade.member_id))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def grade(session: Session, list_id: int, member_ids: Sequence[int], given: str) -> None:
    """Give these members a grade on a draft."""
    giving = (
        update(MemberGrade)
        .where(col(MemberGrade.list_id) == list_id, col(MemberGrade.member_id).in_(member_ids))
        .values(grade=given)
    )
    session.execute(giving, execution_options={"synchronize_session": False})


def drop(session: Session, one: GradeList) -> None:
    """Give a draft up."""
    session.execute(delete(MemberGrade).where(col(MemberGrade.list_id) == one.id))
    session.execute(delete(GradeList).where(col(GradeList.id) == one.id, col(GradeList.state) == "draft"))


def submit(session: Session, one: GradeList, now: datetime) -> bool:
    """Hand the draft in; False when it was handed in before."""
    return _leave(session, one, "draft", state="submitted", submitted_at=now)


def confirm(session: Session, one: GradeList, *, by: int, role: str, now: datetime) -> bool:
    """Confirm it; False when it was decided meanwhile, or is one's own."""
    if by == one.entered_by:
        return False
    return _leave(session, one, "submitted", state="confirmed", decided_by=by, decided_as=role, decided_at=now)


def give_back(session: Session, one: GradeList, *, by: int, role: str, now: datetime, why: str) -> bool:
    """Return it with a reason; False when it was decided meanwhile, or is one's own."""
    if by == one.entered_by:
        return False
    values = {"decided_by": by, "decided_as": role, "decided_at": now, "note": why}
    return _leave(session, one, "submitted", state="returned", **values)


def _leave(session: Session, one: GradeList, was: str, **values: Any) -> bool:
    leaving = update(GradeList).where(col(GradeList.id) == one.id, col(GradeList.state) == was)
    return changed(session, leaving.values(**values))


def to_confirm(session: Session, paths: Sequence[str], by: int, *, most: int) -> Sequence[GradeList]:
    """Lists handed in within these subtrees by somebody else, the oldest first."""
    if not paths:
        return ()
    under = or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths))
    statement = (
        select(GradeList)
        .join(Organization, col(Organization.id) == col(GradeList.organization_id))
        .where(col(GradeList.state) == "submitted", col(GradeList.entered_by) != by, under)
        .order_by(col(GradeList.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()
