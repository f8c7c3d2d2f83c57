"""Cases of the negative list: a log of what was posted, each line with the cause that posted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

UNDO = "undo:"  # begins the cause of a line that takes another one back


class Negative(SQLModel, table=True):
    """One posting; taken back by a line with the opposite count on the same day. Lines are never changed."""

    __table_args__ = (
        # One cause posts one item of one organisation once, however often it is repeated.
        UniqueConstraint("organization_id", "item_id", "cause"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)
    item_id: str
    day: date  # of the fact, not of the posting
    count: int
    note: str = ""
    cause: str | None = None  # "inspection:5", "sheet:3:7", "undo:inspection:5"; None: written before causes were
    recorded_by: int | None = Field(default=None, foreign_key="member.id")  # None: the service itself
    recorded_at: datetime


def post(
    session: Session,
    *,
    organization_id: int,
    item_id: str,
    day: date,
    count: int,
    cause: str,
    recorded_at: datetime,
    note: str = "",
    recorded_by: int | None = None,
) -> bool:
    """Add a line of `count` cases on `day`; False when this cause has posted this item here before.

    Safe when two processes post the same cause at once: one of them gets False.
    """
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    adding = dialect.insert(Negative).values(
        organization_id=organization_id,
        item_id=item_id,
        day=day,
        count=count,
        note=note,
        cause=cause,
        recorded_by=recorded_by,
        recorded_at=recorded_at,
    )
    once = adding.on_conflict_do_nothing(index_elements=["organization_id", "item_id", "cause"])
    return session.execute(once.returning(col(Negative.id))).first() is not None


def post_many(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add many lines at once, each as `post` does; a row has its arguments by name.

    The caller knows that none of these causes has posted before: a second time fails the transaction.
    """
    if rows:
        session.flush()
        session.execute(insert(Negative), [{"note": "", "recorded_by": None, **row} for row in rows])


def take_back(
    session: Session,
    *,
    organization_id: int,
    item_id: str,
    cause: str,
    recorded_at: datetime,
    note: str = "",
    recorded_by: int | None = None,
) -> bool:
    """Add the opposite of what `cause` posted, on its day; False when it posted nothing, or it was done before."""
    line = posted(session, organization_id, item_id, cause)
    if line is None:
        return False
    return post(
        session,
        organization_id=organization_id,
        item_id=item_id,
        day=line.day,
        count=-line.count,
        cause=UNDO + cause,
        recorded_at=recorded_at,
        note=note,
        recorded_by=recorded_by,
    )


def posted(session: Session, organization_id: int, item_id: str, cause: str) -> Negative | None:
    """The line that this cause posted, whether it was taken back or not; None when there is none."""
    statement = select(Negative).where(
        col(Negative.organization_id) == organization_id,
        col(Negative.item_id) == item_id,
        col(Negative.cause) == cause,
    )
    return session.execute(statement).scalar_one_or_none()


def lines(session: Session, organization_id: int, first: date, last: date) -> Sequence[Negative]:
    """Every line about the organisation with a day from `first` to `last`, the oldest day first."""
    statement = (
        select(Negative)
        .where(col(Negative.organization_id) == organization_id, col(Negative.day).between(first, last))
        .order_by(col(Negative.day), col(Negative.id))
    )
    return session.execute(statement).scalars().all()
