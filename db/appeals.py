"""Appeals of a line of the ledger: once per line, by its member, decided by somebody who did not book it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId
from db.once import add_once
from db.organizations import Organization
from db.wishes import changed


class Appeal(SQLModel, table=True):
    """What a member says against one line, and what became of it."""

    __table_args__ = (
        CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="state"),
        Index("ix_appeal_state", "state", "goes_to"),
    )
    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = Field(foreign_key="entry.id", unique=True, sa_type=BigId)
    member_id: int = Field(foreign_key="member.id", index=True)
    organization_id: int = Field(foreign_key="organization.id")  # the branch; who decides stands above it
    booked_by: int | None = Field(default=None, foreign_key="member.id")  # who confirmed the line; decides not
    goes_to: str  # role that decides: committee_reviewer, or district_org_department
    words: str
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    state: str = "open"
    made_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None
    answer: str = ""


def cause_of(appeal_id: int) -> str:
    """The ledger's cause of the right line that takes the place of a wrong one."""
    return f"appeal:{appeal_id}"


def make(session: Session, **values: Any) -> bool:
    """Write an appeal (the columns of `Appeal`); False when the line was appealed before."""
    return add_once(session, Appeal, {"state": "open", "answer": "", **values})


def of_entry(session: Session, entry_id: int) -> Appeal | None:
    """The appeal of this line as it is now."""
    statement = select(Appeal).where(col(Appeal.entry_id) == entry_id).execution_options(populate_existing=True)
    return session.execute(statement).scalar_one_or_none()


def by_id(session: Session, appeal_id: int | None) -> Appeal | None:
    """The appeal as it is now."""
    statement = select(Appeal).where(col(Appeal.id) == appeal_id).execution_options(populate_existing=True)
    return session.execute(statement).scalar_one_or_none()


def decide(session: Session, one: Appeal, *, by: int, accepted: bool, now: datetime, answer: str) -> bool:
    """Answer it. False: answered meanwhile, booked by the same person, or one's own."""
    statement = (
        update(Appeal)
        .where(
            col(Appeal.id) == one.id,
            col(Appeal.state) == "open",
            col(Appeal.member_id) != by,
            or_(col(Appeal.booked_by).is_(None), col(Appeal.booked_by) != by),
        )
        .values(state="accepted" if accepted else "rejected", decided_by=by, decided_at=now, answer=answer)
    )
    return changed(session, statement)


def to_decide(session: Session, reach: Sequence[tuple[str, str]], by: int, *, most: int) -> Sequence[Appeal]:
    """Open appeals for (role, path of its node), the oldest first; never one's own, or of a line one booked."""
    if not reach:
        return ()
    mine = or_(
        *(
            (col(Appeal.goes_to) == role) & col(Organization.path).startswith(path, autoescape=True)
            for role, path in reach
        )
    )
    statement = (
        select(Appeal)
        .join(Organization, col(Organization.id) == col(Appeal.organization_id))
        .where(
            col(Appeal.state) == "open",
            col(Appeal.member_id) != by,
            or_(col(Appeal.booked_by).is_(None), col(Appeal.booked_by) != by),
            mine,
        )
        .order_by(col(Appeal.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def undecided(session: Session, since: datetime, before: datetime) -> Sequence[Appeal]:
    """Open appeals that were made in [since, before), the oldest first."""
    statement = select(Appeal).where(
        col(Appeal.state) == "open", col(Appeal.made_at) >= since, col(Appeal.made_at) < before
    )
    return session.execute(statement.order_by(col(Appeal.id))).scalars().all()


def add_picture(session: Session, entry_id: int, picture_id: int) -> bool:
    """Put a picture to an open appeal that has none; False otherwise."""
    statement = update(Appeal).where(
        col(Appeal.entry_id) == entry_id, col(Appeal.state) == "open", col(Appeal.picture_id).is_(None)
    )
    return changed(session, statement.values(picture_id=picture_id))
