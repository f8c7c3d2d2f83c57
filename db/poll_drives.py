"""Polls of a whole subtree: opened in parts, and how far they are; never what was answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import UniqueConstraint, func, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Role
from db.organizations import Organization
from db.polls import Poll, insert_into


class PollDrive(SQLModel, table=True):
    """Polls that somebody above opened for a whole subtree; the branches are taken in parts."""

    __tablename__ = "poll_drive"
    __table_args__ = (UniqueConstraint("organization_id", "year"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")  # the node: everything under it
    year: int
    opened_by: int = Field(foreign_key="member.id")
    opened_at: datetime
    closes_at: datetime
    after_id: int = 0  # the last branch that was taken
    done: bool = False


def drive(
    session: Session, *, organization_id: int, year: int, opened_by: int, opened_at: datetime, closes_at: datetime
) -> bool:
    """Note that the polls of a whole subtree are to be opened; False when that was noted before."""
    row = insert_into(session, PollDrive).values(
        organization_id=organization_id,
        year=year,
        opened_by=opened_by,
        opened_at=opened_at,
        closes_at=closes_at,
        after_id=0,
        done=False,
    )
    made = row.on_conflict_do_nothing(index_elements=["organization_id", "year"]).returning(col(PollDrive.id))
    return session.execute(made).scalar() is not None


def next_drive(session: Session) -> PollDrive | None:
    """The oldest drive whose branches are not all taken."""
    statement = select(PollDrive).where(col(PollDrive.done).is_(False)).order_by(col(PollDrive.id)).limit(1)
    return session.execute(statement).scalars().first()


def advance(session: Session, one: PollDrive, after_id: int, *, done: bool) -> bool:
    """Move a drive on; False when another process has just moved it."""
    changed = session.execute(
        update(PollDrive)
        .where(
            col(PollDrive.id) == one.id, col(PollDrive.after_id) == one.after_id, col(PollDrive.done).is_(False)
        )
        .values(after_id=after_id, done=done),
        execution_options={"synchronize_session": False},
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def branches_after(session: Session, path: str, after_id: int, most: int) -> Sequence[int]:
    """Ids of the next branches under `path`."""
    statement = (
        select(col(Organization.id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Organization.field).is_not(None),
            col(Organization.id) > after_id,
            col(Organization.closed_on).is_(None),
        )
        .order_by(col(Organization.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def progress(session: Session, path: str, year: int) -> tuple[int, int, int]:
    """(branches, polls opened, polls closed) of the year under `path`."""
    branches = select(col(Organization.id)).where(
        col(Organization.path).startswith(path, autoescape=True), col(Organization.field).is_not(None)
    )
    total = session.execute(select(func.count()).select_from(branches.subquery())).scalar_one()
    rows = session.execute(
        select(col(Poll.state), func.count())
        .where(col(Poll.year) == year, col(Poll.organization_id).in_(branches))
        .group_by(col(Poll.state))
    )
    found = {row[0]: int(row[1]) for row in rows}
    return int(total), sum(found.values()), found.get("closed", 0)


def without_voice(
    session: Session, path: str, year: int, voice: str, now: datetime, most: int
) -> Sequence[Organization]:
    """Branches under `path` whose open poll still lacks this voice."""
    column = col(Poll.self_score) if voice == "self_score" else col(Poll.superior)
    statement = (
        select(Organization)
        .join(Poll, col(Poll.organization_id) == col(Organization.id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Poll.year) == year,
            col(Poll.state) == "open",
            col(Poll.closes_at) > now,
            column.is_(None),
        )
        .order_by(col(Organization.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def role_holders(session: Session, role: str, day: date) -> Sequence[int]:
    """Active members who hold the role on any node on `day`, in the order of their ids."""
    statement = (
        select(col(Role.member_id))
        .join(Member, col(Member.id) == col(Role.member_id))
        .where(
            col(Role.role) == role,
            col(Role.from_day) <= day,
            or_(col(Role.to_day).is_(None), col(Role.to_day) > day),
            col(Member.status) == "active",
        )
        .distinct()
        .order_by(col(Role.member_id))
    )
    return session.execute(statement).scalars().all()
