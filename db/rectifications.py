"""Rectification cards: what a branch has to put right after a finding, by when, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.inspections import Inspection, changed
from db.organizations import Organization

STATES = ("open", "handed_in", "closed", "dropped")


class Rectification(SQLModel, table=True):
    """One card. It lives beside its finding: it may close before the finding is posted, or long after."""

    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_rectification_step", "state", "step_on"),
        Index("ix_rectification_organization_id", "organization_id", "state"),
    )
    inspection_id: int = Field(foreign_key="inspection.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    due_on: date  # the last day, in full
    state: str = "open"
    step_on: date | None = None  # when the service says something by itself again; None: it has said all
    picture_id: int | None = Field(default=None, foreign_key="picture.id")  # how it looks now
    words: str = ""
    handed_in_by: int | None = Field(default=None, foreign_key="member.id")
    handed_in_at: datetime | None = None
    sent_back_reason: str = ""
    sent_back_at: datetime | None = None
    overdue_at: datetime | None = None  # when it was taken to the committee; stays when it is put right later
    overdue_posted_by: int | None = Field(default=None, foreign_key="member.id")
    closed_by: int | None = Field(default=None, foreign_key="member.id")
    closed_at: datetime | None = None


Card = tuple[Rectification, Inspection, Organization]


def add(session: Session, card: Rectification) -> None:
    """Store a new card."""
    session.add(card)
    session.flush()


def of_inspection(session: Session, inspection_id: int | None) -> Rectification | None:
    """The card of an inspection as it is now; None when there is none."""
    statement = select(Rectification).where(col(Rectification.inspection_id) == inspection_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def _in(inspection_id: int, *states: str) -> Any:
    return update(Rectification).where(
        col(Rectification.inspection_id) == inspection_id, col(Rectification.state).in_(states)
    )


def hand_in(
    session: Session, inspection_id: int, *, member_id: int, picture_id: int, words: str, now: datetime
) -> bool:
    """Hand in how it looks now; False when the card is not open."""
    values = {"picture_id": picture_id, "words": words, "handed_in_by": member_id, "handed_in_at": now}
    return changed(session, _in(inspection_id, "open").values(state="handed_in", **values))


def accept(session: Session, inspection_id: int, *, member_id: int, now: datetime) -> bool:
    """Close the card; False when nothing is handed in, or somebody has looked at it before."""
    done = _in(inspection_id, "handed_in").values(state="closed", closed_by=member_id, closed_at=now, step_on=None)
    return changed(session, done)


def send_back(
    session: Session, inspection_id: int, *, reason: str, now: datetime, due_on: date, step_on: date
) -> bool:
    """Open the card again with a reason; False when nothing is handed in, or somebody has looked at it before."""
    again = _in(inspection_id, "handed_in").values(
        state="open", sent_back_reason=reason, sent_back_at=now, due_on=due_on, step_on=step_on
    )
    return changed(session, again)


def extend(session: Session, inspection_id: int, due_on: date, step_on: date | None) -> bool:
    """Move the deadline of an open card."""
    return changed(session, _in(inspection_id, "open").values(due_on=due_on, step_on=step_on))


def drop(session: Session, inspection_id: int) -> bool:
    """The finding is gone: there is nothing to put right."""
    return changed(session, _in(inspection_id, "open", "handed_in").values(state="dropped", step_on=None))


def due_steps(session: Session, today: date, most: int) -> Sequence[Rectification]:
    """Open cards about which something has to be said, the oldest step first."""
    statement = (
        select(Rectification)
        .where(col(Rectification.state) == "open", col(Rectification.step_on) <= today)
        .order_by(col(Rectification.step_on), col(Rectification.inspection_id))
        .limit(most)
    )
    return session.execute(statement).scalars().all()


def advance(session: Session, card: Rectification, step_on: date | None, **values: Any) -> bool:
    """Go on to the next step; False when another process has taken this one."""
    here = _in(card.inspection_id, "open").where(col(Rectification.step_on) == card.step_on)
    return changed(session, here.values(step_on=step_on, **values))


def mark_overdue_posted(session: Session, inspection_id: int, member_id: int) -> bool:
    """Note who posted that the card was overdue; False when it was not overdue, or was posted before."""
    overdue = update(Rectification).where(
        col(Rectification.inspection_id) == inspection_id,
        col(Rectification.state) != "dropped",
        col(Rectification.overdue_at).is_not(None),
        col(Rectification.overdue_posted_by).is_(None),
    )
    return changed(session, overdue.values(overdue_posted_by=member_id))


# Lists


def _cards(session: Session, *conditions: Any, most: int) -> Sequence[Card]:
    statement = (
        select(Rectification, Inspection, Organization)
        .join(Inspection, col(Inspection.id) == col(Rectification.inspection_id))
        .join(Organization, col(Organization.id) == col(Rectification.organization_id))
        .where(*conditions)
        .order_by(col(Rectification.due_on), col(Rectification.inspection_id))
        .limit(most)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


def _here(paths: Sequence[str]) -> Any:
    return or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths))


def alive_under(session: Session, paths: Sequence[str], most: int) -> Sequence[Card]:
    """Cards of these subtrees that are not closed, the most urgent first."""
    if not paths:
        return ()
    alive = col(Rectification.state).in_(("open", "handed_in"))
    return _cards(session, alive, _here(paths), most=most)


def handed_in_to(session: Session, inspector_id: int, most: int) -> Sequence[Card]:
    """What branches have handed in for this inspector to look at."""
    handed_in = col(Rectification.state) == "handed_in"
    return _cards(session, handed_in, col(Inspection.inspector_id) == inspector_id, most=most)


def handed_in_under(session: Session, paths: Sequence[str], most: int) -> Sequence[Card]:
    """What branches of these subtrees have handed in, to whomever."""
    if not paths:
        return ()
    return _cards(session, col(Rectification.state) == "handed_in", _here(paths), most=most)


def overdue_under(session: Session, paths: Sequence[str], most: int) -> Sequence[Card]:
    """Overdue cards of posted findings in these subtrees whose delay nobody has posted yet."""
    if not paths:
        return ()
    overdue = col(Rectification.overdue_at).is_not(None)
    unposted = col(Rectification.overdue_posted_by).is_(None)
    stands = col(Inspection.state) == "posted"
    return _cards(
        session, overdue, unposted, stands, col(Rectification.state) != "dropped", _here(paths), most=most
    )
