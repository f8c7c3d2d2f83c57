"""Veto events: what takes away a branch's stars of a year beside too few activities. Two people stand for each.

No index knows of them: the score stays what the arithmetic says, and only what is shown as stars is none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Index, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Session, SQLModel, col

ALIVE = "state IN ('reported', 'confirmed')"


class VetoEvent(SQLModel, table=True):
    """One event in one year: reported by one person of the district with evidence, decided by another."""

    __tablename__ = "veto_event"
    __table_args__ = (
        # The same thing takes away the stars once, whoever reports it at the same time.
        Index(
            "uq_veto_event_alive",
            "organization_id",
            "year",
            "kind",
            unique=True,
            sqlite_where=text(ALIVE),
            postgresql_where=text(ALIVE),
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    year: int
    kind: str  # an id of the rules of the year close; never renamed
    note: str  # what happened and which document says so
    picture_id: int | None = Field(default=None, foreign_key="picture.id")
    state: str = "reported"  # reported, confirmed, rejected, withdrawn (after it was confirmed)
    reported_by: int = Field(foreign_key="member.id")
    reported_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None


def report(session: Session, event: VetoEvent) -> bool:
    """Add an event that waits for a second person; False when the same one stands already."""
    try:
        with session.begin_nested():
            session.add(event)
            session.flush()
    except IntegrityError:
        return False
    return True


def get(session: Session, event_id: int | None) -> VetoEvent | None:
    """The event with this id."""
    return session.get(VetoEvent, event_id) if event_id is not None else None


def decide(session: Session, event_id: int, state: str, by: int, at: datetime) -> bool:
    """Confirm or reject what somebody else has reported; False when it is decided, or one's own."""
    changed = session.execute(
        update(VetoEvent)
        .where(col(VetoEvent.id) == event_id, col(VetoEvent.state) == "reported", col(VetoEvent.reported_by) != by)
        .values(state=state, decided_by=by, decided_at=at),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def waiting(session: Session, year: int) -> Sequence[VetoEvent]:
    """Events of the year that a second person has to decide, the oldest first."""
    statement = select(VetoEvent).where(col(VetoEvent.year) == year, col(VetoEvent.state) == "reported")
    return session.execute(statement.order_by(col(VetoEvent.id))).scalars().all()


def confirmed(
    session: Session, year: int, organization_ids: Collection[int] | None = None
) -> dict[int, list[str]]:
    """Per branch the kinds of its confirmed events of the year. None: of every branch."""
    statement = select(col(VetoEvent.organization_id), col(VetoEvent.kind)).where(
        col(VetoEvent.year) == year, col(VetoEvent.state) == "confirmed"
    )
    if organization_ids is not None:
        statement = statement.where(col(VetoEvent.organization_id).in_(organization_ids))
    found: dict[int, list[str]] = {}
    for organization_id, kind in session.execute(statement.order_by(col(VetoEvent.id))):
        found.setdefault(organization_id, []).append(kind)
    return found


def event_of(organization_id: Mapped[int], year: int) -> ColumnElement[bool]:
    """For a query: whether this organisation has a confirmed event of the year."""
    return (
        select(col(VetoEvent.id))
        .where(
            col(VetoEvent.organization_id) == organization_id,
            col(VetoEvent.year) == year,
            col(VetoEvent.state) == "confirmed",
        )
        .exists()
    )
