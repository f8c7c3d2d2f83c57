"""The close of a year: opened, confirmed committee by committee, objected to, confirmed as a whole, frozen.

`YearResult` is append-only: the first line of a branch or member is what the close froze, every later one a
correction that two people stand for. The last line counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, func, insert, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.organizations import Organization
from db.polls import insert_into


class YearClose(SQLModel, table=True):
    """One year. open: being confirmed; freezing: results are written in parts; closed: done."""

    __tablename__ = "year_close"
    year: int = Field(primary_key=True)
    state: str = "open"
    opened_by: int = Field(foreign_key="member.id")
    opened_at: datetime
    confirmed_by: int | None = Field(default=None, foreign_key="member.id")
    confirmed_at: datetime | None = None
    branch_after: int = 0  # how far results are written: the last branch, then the last member
    member_after: int = 0


class YearCommittee(SQLModel, table=True):
    """What one committee's reviewer has to confirm: the branches under this node."""

    __tablename__ = "year_committee"
    year: int = Field(foreign_key="year_close.year", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True)
    state: str = "open"  # open, confirmed
    confirmed_by: int | None = Field(default=None, foreign_key="member.id")
    confirmed_at: datetime | None = None
    objections_until: date | None = None  # the last day to object
    told_after: int = 0  # the last branch whose members were told
    told: bool = False


class YearResult(SQLModel, table=True):
    """Score and stars of one branch or one member, as the close froze them or as a correction says."""

    __tablename__ = "year_result"
    __table_args__ = (
        UniqueConstraint("year", "organization_id", "version"),
        UniqueConstraint("year", "member_id", "version"),
        CheckConstraint("(organization_id IS NULL) <> (member_id IS NULL)", name="one_subject"),
        Index("ix_year_result_member_id", "member_id"),
        Index("ix_year_result_organization_id", "organization_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    year: int
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    member_id: int | None = Field(default=None, foreign_key="member.id")
    version: int  # 1: the close; 2, 3, ...: corrections
    score: int  # hundredths
    stars: int
    veto: bool = False
    rules: str
    figures: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    reason: str = ""
    recorded_by: int = Field(foreign_key="member.id")
    second_by: int | None = Field(default=None, foreign_key="member.id")  # of a correction
    recorded_at: datetime


class YearObjection(SQLModel, table=True):
    """A member's objection to the stars of the own branch, before they are final."""

    __tablename__ = "year_objection"
    __table_args__ = (
        UniqueConstraint("year", "organization_id", "member_id"),
        Index("ix_year_objection_state", "year", "state"),
    )
    id: int | None = Field(default=None, primary_key=True)
    year: int
    organization_id: int = Field(foreign_key="organization.id")
    member_id: int = Field(foreign_key="member.id")
    words: str
    state: str = "open"  # open, answered
    made_at: datetime
    answer: str = ""
    answered_by: int | None = Field(default=None, foreign_key="member.id")
    answered_at: datetime | None = None


class YearCorrection(SQLModel, table=True):
    """A correction of a frozen result that waits for its second person."""

    __tablename__ = "year_correction"
    id: int | None = Field(default=None, primary_key=True)
    result_id: int = Field(foreign_key="year_result.id", unique=True)  # the line that it corrects; each line once
    stars: int
    reason: str
    state: str = "proposed"  # proposed, confirmed, rejected
    proposed_by: int = Field(foreign_key="member.id")
    proposed_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None


def get(session: Session, year: int) -> YearClose | None:
    """The close of the year; None when nobody has opened it."""
    return session.get(YearClose, year)


def open_year(session: Session, year: int, by: int, now: datetime, committees: Sequence[int]) -> bool:
    """Open the close with one row per committee; False when it was opened before."""
    row = insert_into(session, YearClose).values(
        year=year, state="open", opened_by=by, opened_at=now, branch_after=0, member_after=0
    )
    made = row.on_conflict_do_nothing(index_elements=["year"]).returning(col(YearClose.year))
    if session.execute(made).scalar() is None:
        return False
    rows = [
        {"year": year, "organization_id": one, "state": "open", "told_after": 0, "told": False}
        for one in committees
    ]
    if rows:
        session.execute(insert(YearCommittee), rows)
    return True


def committees_with_branches(session: Session) -> Sequence[int]:
    """The nodes that confirm: for every branch the committee it stands under, or the node above it without one."""
    nodes = {one.id: one for one in session.execute(select(Organization)).scalars() if one.field is None}
    found: set[int] = set()
    for path in session.execute(
        select(col(Organization.path)).where(
            col(Organization.field).is_not(None), col(Organization.closed_on).is_(None)
        )
    ).scalars():
        above = [nodes[number] for part in path.strip("/").split("/") if (number := int(part)) in nodes]
        committees = [one for one in above if one.level == "committee"] or above
        if committees and committees[-1].id is not None:
            found.add(committees[-1].id)
    return sorted(found)


def committee(session: Session, year: int, organization_id: int | None) -> YearCommittee | None:
    """The committee's part of the close."""
    return session.get(YearCommittee, (year, organization_id)) if organization_id is not None else None


def committees(session: Session, year: int) -> Sequence[tuple[YearCommittee, Organization]]:
    """Every committee's part with its node, in the order of their ids."""
    statement = (
        select(YearCommittee, Organization)
        .join(Organization, col(Organization.id) == col(YearCommittee.organization_id))
        .where(col(YearCommittee.year) == year)
        .order_by(col(Organization.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def confirm_committee(
    session: Session, year: int, organization_id: int, by: int, now: datetime, objections_until: date
) -> bool:
    """The committee stands for its branches from now on; False when it did before, or the year is past that."""
    open_year_only = select(col(YearClose.year)).where(col(YearClose.year) == year, col(YearClose.state) == "open")
    if session.execute(open_year_only.with_for_update()).first() is None:
        return False
    changed = session.execute(
        update(YearCommittee)
        .where(
            col(YearCommittee.year) == year,
            col(YearCommittee.organization_id) == organization_id,
            col(YearCommittee.state) == "open",
        )
        .values(state="confirmed", confirmed_by=by, confirmed_at=now, objections_until=objections_until),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def object_to(session: Session, objection: YearObjection) -> bool:
    """Note an objection; False when the member made one about this branch and year, or the year is past that."""
    alive = select(col(YearClose.year)).where(
        col(YearClose.year) == objection.year, col(YearClose.state) == "open"
    )
    # Locked, so that no objection slips in behind the confirmation of the whole.
    if session.execute(alive.with_for_update()).first() is None:
        return False
    row = insert_into(session, YearObjection).values(
        year=objection.year,
        organization_id=objection.organization_id,
        member_id=objection.member_id,
        words=objection.words,
        state="open",
        made_at=objection.made_at,
        answer="",
    )
    key = ["year", "organization_id", "member_id"]
    made = row.on_conflict_do_nothing(index_elements=key).returning(col(YearObjection.id))
    return session.execute(made).scalar() is not None


def objection(session: Session, objection_id: int | None) -> YearObjection | None:
    """The objection with this id."""
    return session.get(YearObjection, objection_id) if objection_id is not None else None


def objections(session: Session, year: int, path: str, most: int) -> Sequence[tuple[YearObjection, Organization]]:
    """Open objections to branches under `path`, the oldest first."""
    statement = (
        select(YearObjection, Organization)
        .join(Organization, col(Organization.id) == col(YearObjection.organization_id))
        .where(
            col(YearObjection.year) == year,
            col(YearObjection.state) == "open",
            col(Organization.path).startswith(path, autoescape=True),
        )
        .order_by(col(YearObjection.id))
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def count_objections(session: Session, year: int) -> int:
    """How many objections of the year nobody has answered."""
    statement = select(func.count()).where(col(YearObjection.year) == year, col(YearObjection.state) == "open")
    return int(session.execute(statement).scalar_one())


def answer(session: Session, objection_id: int, words: str, by: int, now: datetime) -> bool:
    """Answer an objection; False when it was answered, or is one's own."""
    changed = session.execute(
        update(YearObjection)
        .where(
            col(YearObjection.id) == objection_id,
            col(YearObjection.state) == "open",
            col(YearObjection.member_id) != by,
        )
        .values(state="answered", answer=words, answered_by=by, answered_at=now),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def begin_freezing(session: Session, year: int, by: int, now: datetime) -> bool:
    """The district stands for the whole; False when it did before. What stands in the way is asked before."""
    changed = session.execute(
        update(YearClose)
        .where(col(YearClose.year) == year, col(YearClose.state) == "open")
        .values(state="freezing", confirmed_by=by, confirmed_at=now),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def freezing(session: Session) -> YearClose | None:
    """The year whose results are being written."""
    statement = select(YearClose).where(col(YearClose.state) == "freezing").order_by(col(YearClose.year)).limit(1)
    return session.execute(statement).scalars().first()


def advance(session: Session, one: YearClose, **values: Any) -> bool:
    """Move the writing of results on; False when another process has just moved it."""
    changed = session.execute(
        update(YearClose)
        .where(
            col(YearClose.year) == one.year,
            col(YearClose.state) == "freezing",
            col(YearClose.branch_after) == one.branch_after,
            col(YearClose.member_after) == one.member_after,
        )
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
