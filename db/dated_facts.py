"""Dated facts: a day about a member or an applicant from which something follows in days or months.

A member's facts follow the member into the next branch. An applicant is no member and has initials or a number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, and_, delete, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member, Membership

STANDS, IS_OPEN = "state != 'replaced' AND member_id IS NOT NULL", "state = 'open' AND member_id IS NULL"
HEARD_OF = ("active", "lost_contact")  # whoever has left, moved away or died is nobody's reminder


class DatedFact(SQLModel, table=True):
    """One day of one kind; open until somebody says it is done, drops it, or another day takes its place."""

    __tablename__ = "dated_fact"
    __table_args__ = (
        CheckConstraint("(member_id IS NULL) = (label <> '')", name="whose"),
        CheckConstraint("state IN ('open', 'done', 'dropped', 'replaced')", name="state"),
        Index(
            "uq_dated_fact_member",
            "member_id",
            "kind",
            unique=True,
            sqlite_where=text(STANDS),
            postgresql_where=text(STANDS),
        ),
        Index(
            "uq_dated_fact_label",
            "organization_id",
            "kind",
            "label",
            unique=True,
            sqlite_where=text(IS_OPEN),
            postgresql_where=text(IS_OPEN),
        ),
        Index("ix_dated_fact_member_id", "member_id"),
        Index("ix_dated_fact_organization_id", "organization_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")  # where it was noted
    member_id: int | None = Field(default=None, foreign_key="member.id")
    kind: str  # an id of the kinds; never renamed
    day: date
    label: str = ""  # initials or a number, of an applicant; never a name
    state: str = "open"  # open, done, dropped (it was a mistake), replaced (another day counts, or none)
    noted_by: int | None = Field(default=None, foreign_key="member.id")  # None: it came with the roll
    noted_at: datetime
    ended_by: int | None = Field(default=None, foreign_key="member.id")
    ended_at: datetime | None = None


class Destination(SQLModel, table=True):
    """The branch to which a member's letter of transfer goes, where the roll names one of this city."""

    member_id: int = Field(foreign_key="member.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")


@dataclass(frozen=True, slots=True)
class Standing:
    """An open fact, the branch whose it is today, and whether a message to the member is of use.

    destination: the branch to which the member's letter of transfer goes; None: unknown, or elsewhere.
    """

    fact: DatedFact
    organization_id: int
    reachable: bool
    destination: int | None = None


def standing(session: Session, organization_ids: Collection[int], today: date) -> list[Standing]:
    """The open facts of these branches and of those who belong to them on `today`, in the order of their days."""
    members_facts = (
        select(DatedFact, col(Membership.organization_id), col(Member.status), col(Destination.organization_id))
        .join(Membership, col(Membership.member_id) == col(DatedFact.member_id))
        .join(Member, col(Member.id) == col(DatedFact.member_id))
        .outerjoin(Destination, col(Destination.member_id) == col(DatedFact.member_id))
        .where(
            col(DatedFact.state) == "open",
            col(Membership.organization_id).in_(organization_ids),
            col(Membership.from_day) <= today,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > today),
            col(Member.status).in_(HEARD_OF),
        )
    )
    applicants = select(DatedFact).where(
        col(DatedFact.state) == "open",
        col(DatedFact.member_id).is_(None),
        col(DatedFact.organization_id).in_(organization_ids),
    )
    found = [
        Standing(fact, branch, status == "active", there)
        for fact, branch, status, there in session.execute(members_facts)
    ]
    found += [Standing(one, one.organization_id, False) for one in session.execute(applicants).scalars()]
    return sorted(found, key=lambda one: (one.fact.day, one.fact.id or 0))


def note(session: Session, fact: DatedFact) -> bool:
    """Add an open fact; False when the same is open already."""
    try:
        with session.begin_nested():
            session.add(fact)
            session.flush()
    except IntegrityError:
        return False
    return True


def end(session: Session, fact: DatedFact, state: str, by: int, at: datetime, *, again_on: date | None) -> bool:
    """End an open fact; False when somebody else has. again_on: from when it counts anew, None for never."""
    if not _end(session, col(DatedFact.id) == fact.id, ("open",), "replaced" if again_on else state, at, by):
        return False
    session.expire(fact)
    if again_on is not None:
        whose: dict[str, Any] = {"organization_id": fact.organization_id, "member_id": fact.member_id}
        note(session, DatedFact(kind=fact.kind, day=again_on, noted_by=by, noted_at=at, label=fact.label, **whose))
    return True


def from_roll(
    session: Session, member_id: int, organization_id: int, kind: str, day: date | None, at: datetime
) -> None:
    """What the roll says of a member's day takes the place of what stood. None: there is no such day."""
    _end(session, _of(member_id, kind), ("open", "done", "dropped"), "replaced", at)
    if day is not None:
        whose: dict[str, Any] = {"organization_id": organization_id, "member_id": member_id}
        session.add(DatedFact(kind=kind, day=day, noted_at=at, **whose))


def destinations(session: Session) -> dict[int, int]:
    """Per member the branch to which a letter of transfer goes."""
    statement = select(col(Destination.member_id), col(Destination.organization_id))
    return {row[0]: row[1] for row in session.execute(statement)}


def send_to(session: Session, member_id: int, organization_id: int | None) -> None:
    """Note the branch to which the member's letter of transfer goes; None: none, or one elsewhere."""
    session.execute(delete(Destination).where(col(Destination.member_id) == member_id))
    if organization_id is not None:
        session.add(Destination(member_id=member_id, organization_id=organization_id))


def arrived(session: Session, member_id: int, kind: str, at: datetime) -> None:
    """What the member's open fact of this kind waited for has come about by itself."""
    _end(session, _of(member_id, kind), ("open",), "done", at)


def forget(session: Session, before: datetime) -> int:
    """Delete what ended before that instant; how many. A member's last day stays: the roll is held against it."""
    gone = delete(DatedFact).where(
        col(DatedFact.ended_at) < before,
        col(DatedFact.state) != "open",
        or_(col(DatedFact.member_id).is_(None), col(DatedFact.state) == "replaced"),
    )
    return session.execute(gone).rowcount  # type: ignore[attr-defined, no-any-return]


def days_of_members(session: Session, member_id: int | None = None) -> dict[int, dict[str, date]]:
    """Per member and kind the day that stands, whether it is done or not; nobody without any.

    member_id: of this member alone.
    """
    whose = col(DatedFact.member_id).is_not(None) if member_id is None else col(DatedFact.member_id) == member_id
    statement = select(col(DatedFact.member_id), col(DatedFact.kind), col(DatedFact.day))
    found: dict[int, dict[str, date]] = defaultdict(dict)
    for member_id, kind, day in session.execute(statement.where(whose, col(DatedFact.state) != "replaced")):
        found[member_id][kind] = day
    return found


def _of(member_id: int, kind: str) -> Any:
    return and_(col(DatedFact.member_id) == member_id, col(DatedFact.kind) == kind)


def _end(
    session: Session, which: Any, states: Sequence[str], state: str, at: datetime, by: int | None = None
) -> bool:
    done = session.execute(
        update(DatedFact)
        .where(which, col(DatedFact.state).in_(states))
        .values(state=state, ended_by=by, ended_at=at),
        execution_options={"synchronize_session": False},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]
