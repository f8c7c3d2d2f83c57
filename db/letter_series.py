"""Standing letters: those that come again by the calendar, and those that answer what happens to a member."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint, cast, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.letters import Letter
from db.members import Member, Membership
from db.organizations import Organization


class LetterTrigger(SQLModel, table=True):
    """That something happened to a member, and that a standing letter has answered it: once for each cause."""

    __tablename__ = "letter_trigger"
    __table_args__ = (UniqueConstraint("series_id", "member_id", "cause"),)
    id: int | None = Field(default=None, primary_key=True)
    series_id: int = Field(foreign_key="letter.id")
    member_id: int = Field(foreign_key="member.id")
    cause: str  # "membership:17", "birthday:2026"
    noted_at: datetime


def due(session: Session, now: datetime, most: int) -> Sequence[Letter]:
    """Standing letters whose time has come, the one that waits longest first."""
    statement = (
        select(Letter)
        .where(col(Letter.state) == "standing", col(Letter.next_at) <= now)
        .order_by(col(Letter.next_at), col(Letter.id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def look_again(session: Session, letter: Letter, next_at: datetime | None) -> None:
    """Note when a standing letter is due again; None: never, it has ended."""
    values: dict[str, Any] = {"next_at": next_at} if next_at is not None else {"next_at": None, "state": "done"}
    session.execute(
        update(Letter)
        .where(col(Letter.id) == letter.id, col(Letter.state) == "standing")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(letter)


def of_author(session: Session, author_id: int) -> Sequence[Letter]:
    """The standing letters of this author, the oldest first."""
    statement = (
        select(Letter)
        .where(col(Letter.author_id) == author_id, col(Letter.state) == "standing")
        .order_by(col(Letter.id))
    )
    return session.execute(statement).scalars().all()


def concerning(session: Session, member_id: int, most: int) -> Sequence[Letter]:
    """The standing letters that the member wrote or approved, the newest first."""
    statement = (
        select(Letter)
        .where(
            col(Letter.state) == "standing",
            or_(col(Letter.author_id) == member_id, col(Letter.approved_by) == member_id),
        )
        .order_by(col(Letter.id).desc())
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def made(session: Session, series_id: int) -> Sequence[Letter]:
    """The letters that a standing one has made, the oldest first."""
    statement = select(Letter).where(col(Letter.series_id) == series_id).order_by(col(Letter.id))
    return session.execute(statement).scalars().all()


def note(session: Session, series_id: int, member_id: int, cause: str, at: datetime) -> bool:
    """Take this cause for the standing letter; False when it was taken before."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    adding = insert(LetterTrigger).values(series_id=series_id, member_id=member_id, cause=cause, noted_at=at)
    done = session.execute(
        adding.on_conflict_do_nothing(index_elements=["series_id", "member_id", "cause"]).execution_options(
            preserve_rowcount=True
        )
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def arrivals(
    session: Session,
    series_id: int,
    path: str,
    *,
    first: bool,
    days: tuple[date, date],
    since: datetime,
    most: int,
) -> Sequence[tuple[int, int]]:
    """(member, membership) of people who came into the subtree and whom this standing letter has not answered.

    first: those who never belonged anywhere before (joined); else those who did (transferred). days: the first and
    the last day on which the membership may begin. since: when it was written down at the earliest.
    """
    earlier = Membership.__table__.alias()  # type: ignore[attr-defined]
    before = (
        select(earlier.c.id)
        .where(earlier.c.member_id == col(Membership.member_id), earlier.c.from_day < col(Membership.from_day))
        .exists()
    )
    answered = select(col(LetterTrigger.id)).where(
        col(LetterTrigger.series_id) == series_id, col(LetterTrigger.member_id) == col(Membership.member_id)
    )
    statement = (
        select(col(Membership.member_id), col(Membership.id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(
            col(Organization.path).startswith(path, autoescape=True),
            col(Member.status) == "active",
            col(Membership.from_day) >= days[0],
            col(Membership.from_day) <= days[1],
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > days[1]),
            col(Membership.recorded_at) >= since,
            ~before if first else before,
            ~answered.where(_cause_is_this()).exists(),
        )
        .order_by(col(Membership.id))
        .limit(most)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def _cause_is_this() -> Any:
    return col(LetterTrigger.cause) == literal("membership:") + cast(col(Membership.id), String)


def belonging(session: Session, path: str, member_ids: Collection[int], day: date) -> set[int]:
    """Those of the members who belong into the subtree on `day`."""
    statement = (
        select(col(Membership.member_id))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(
            col(Membership.member_id).in_(member_ids),
            col(Organization.path).startswith(path, autoescape=True),
            col(Membership.from_day) <= day,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > day),
        )
    )
    return set(session.execute(statement).scalars())
