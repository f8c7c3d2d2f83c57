"""Corrections of values in locked periods: one officer of the district proposes, another one confirms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, Update, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.declarations import changed


class ValueCorrection(SQLModel, table=True):
    """One correction. It is recorded as a new line of the values' log when it is confirmed."""

    __tablename__ = "value_correction"
    __table_args__ = (Index("ix_value_correction_state", "state"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    indicator_id: str
    period: str
    value: str  # empty: nothing counts any more
    reason: str
    state: str = "draft"  # draft, proposed, confirmed, refused
    proposed_by: int = Field(foreign_key="member.id")
    proposed_at: datetime
    decided_by: int | None = Field(default=None, foreign_key="member.id")
    decided_at: datetime | None = None


def by_id(session: Session, correction_id: int | None) -> ValueCorrection | None:
    """The correction as it is now."""
    statement = select(ValueCorrection).where(col(ValueCorrection.id) == correction_id)
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def proposed(session: Session, *, most: int = 6) -> Sequence[ValueCorrection]:
    """Corrections that wait for a second officer, the oldest first."""
    statement = select(ValueCorrection).where(col(ValueCorrection.state) == "proposed")
    return session.execute(statement.order_by(col(ValueCorrection.id)).limit(most)).scalars().all()


def propose(session: Session, correction_id: int, member_id: int) -> bool:
    """Hand a draft in for the second officer; False when that was done before, or it is somebody else's."""
    own = _in_state(correction_id, "draft").where(col(ValueCorrection.proposed_by) == member_id)
    return changed(session, own.values(state="proposed"))


def decide(session: Session, correction_id: int, member_id: int, now: datetime, *, confirmed: bool) -> bool:
    """Confirm or refuse what another officer proposed; False when it is decided, or the member's own."""
    others = _in_state(correction_id, "proposed").where(col(ValueCorrection.proposed_by) != member_id)
    state = "confirmed" if confirmed else "refused"
    return changed(session, others.values(state=state, decided_by=member_id, decided_at=now))


def _in_state(correction_id: int, state: str) -> Update:
    return update(ValueCorrection).where(
        col(ValueCorrection.id) == correction_id, col(ValueCorrection.state) == state
    )
