"""How the pioneer index counts for a member, and since when: a log, so that a past day can be replayed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.members import Member


class ModeRecord(SQLModel, table=True):
    """A member's mode changed at this instant. Lines are never changed or deleted."""

    __tablename__ = "mode_record"
    __table_args__ = (CheckConstraint("mode IN ('normal', 'rate', 'exempt')", name="mode"),)
    id: int | None = Field(default=None, primary_key=True)
    member_id: int = Field(foreign_key="member.id", index=True)
    mode: str  # one of db.members.MODES
    was: str  # until then
    recorded_at: datetime


def change(session: Session, member_id: int, mode: str, at: datetime) -> bool:
    """Let this mode count from now on; False when it does already. The one way to change `Member.mode`."""
    held = select(col(Member.mode)).where(col(Member.id) == member_id).with_for_update()
    was = session.execute(held).scalar_one()
    if was == mode:
        return False
    session.add(ModeRecord(member_id=member_id, mode=mode, was=was, recorded_at=at))
    session.execute(
        update(Member).where(col(Member.id) == member_id).values(mode=mode),
        execution_options={"synchronize_session": "fetch"},
    )
    session.flush()
    return True


def as_known(session: Session, at: datetime) -> dict[int, str]:
    """The mode at the instant `at` of every member whose mode was ever changed."""
    found: dict[int, str] = {}
    lines = select(
        col(ModeRecord.member_id), col(ModeRecord.mode), col(ModeRecord.was), col(ModeRecord.recorded_at)
    )
    for member_id, mode, was, recorded_at in session.execute(lines.order_by(col(ModeRecord.id))):
        if recorded_at <= at:
            found[member_id] = mode
        else:
            found.setdefault(member_id, was)
    return found
