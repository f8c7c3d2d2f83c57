"""What was noted about activities, and when: an append-only log, so that a past day can be replayed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, Session, SQLModel, col

from db.activities import Activity


class ActivityRecord(SQLModel, table=True):
    """The figures of an activity from an instant on. Lines are never changed or deleted."""

    __tablename__ = "activity_record"
    id: int | None = Field(default=None, primary_key=True)
    activity_id: int = Field(foreign_key="activity.id", index=True)
    state: str
    approved: bool
    should_attend: int | None = None
    attended: int | None = None
    recorded_at: datetime


def keep_first(session: Session, activity: Activity) -> None:
    """Before figures are noted anew: those of an activity that was closed before this log was kept stay known."""
    assert activity.id is not None
    known = select(col(ActivityRecord.id)).where(col(ActivityRecord.activity_id) == activity.id).limit(1)
    if activity.should_attend is not None and session.execute(known).first() is None:
        note(session, activity.id, activity.ends_at)


def note(session: Session, activity_id: int, at: datetime) -> None:
    """Write down how the activity stands now. Call it whenever its state, approval or figures have changed."""
    session.flush()
    names = ("id", "state", "approved", "should_attend", "attended")
    row = session.execute(
        select(*(col(getattr(Activity, name)) for name in names)).where(col(Activity.id) == activity_id)
    )
    _, state, approved, should_attend, attended = row.one()
    session.add(
        ActivityRecord(
            activity_id=activity_id,
            state=state,
            approved=approved,
            should_attend=should_attend,
            attended=attended,
            recorded_at=at,
        )
    )
