"""Daily topics that a branch has thought of itself: a list, used from the top."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Index, delete, select, update
from sqlmodel import Field, Session, SQLModel, col


class GroupTopic(SQLModel, table=True):
    """One line of a branch's list. used_on: the day on which it was posted, None while it waits."""

    __tablename__ = "group_topic"
    __table_args__ = (Index("ix_group_topic_organization_id", "organization_id", "used_on"),)
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    text: str
    added_by: int = Field(foreign_key="member.id")
    added_at: datetime
    used_on: date | None = None


def waiting(session: Session, organization_id: int) -> Sequence[GroupTopic]:
    """The lines that were not posted yet, the next one first."""
    statement = (
        select(GroupTopic)
        .where(col(GroupTopic.organization_id) == organization_id, col(GroupTopic.used_on).is_(None))
        .order_by(col(GroupTopic.id))
    )
    return session.execute(statement).scalars().all()


def add(session: Session, organization_id: int, texts: Sequence[str], member_id: int, now: datetime) -> None:
    """Put lines at the end of the list."""
    for text in texts:
        session.add(GroupTopic(organization_id=organization_id, text=text, added_by=member_id, added_at=now))
        session.flush()


def use(session: Session, topic_id: int, day: date) -> bool:
    """Note that the line is posted on `day`; False when it was used before."""
    using = update(GroupTopic).where(col(GroupTopic.id) == topic_id, col(GroupTopic.used_on).is_(None))
    done = session.execute(using.values(used_on=day).execution_options(synchronize_session=False))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def clear(session: Session, organization_id: int) -> int:
    """Delete what waits in the list; how many lines."""
    waits = (col(GroupTopic.organization_id) == organization_id, col(GroupTopic.used_on).is_(None))
    gone = session.execute(delete(GroupTopic).where(*waits).execution_options(synchronize_session=False))
    return int(gone.rowcount)  # type: ignore[attr-defined]
