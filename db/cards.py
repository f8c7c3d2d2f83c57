"""Cards that were shown: how many in a day, and the platform's word on each. `db.consents` counts the leave."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Index, delete, null, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db import consents
from db.accounts import Chat
from db.deliveries import Attempt, Delivery

_NEW = text("settled_at IS NULL")


def way(channel: str, name: str) -> str:
    """What a way of cards in a channel's chats is called: a channel of its own, so that it can refuse alone."""
    return f"{channel}:{name}"


class CardCount(SQLModel, table=True):
    """How many cards went out on a way on a day of the platform."""

    __tablename__ = "card_count"
    way: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    taken: int


class CardReport(SQLModel, table=True):
    """The platform's word on one card; it may come before we know that the platform took it."""

    __tablename__ = "card_report"
    __table_args__ = (Index("ix_card_report_new", "reported_at", sqlite_where=_NEW, postgresql_where=_NEW),)
    way: str = Field(primary_key=True)
    platform_id: str = Field(primary_key=True)
    address: str
    shown: bool
    reason: str = ""  # why not
    reported_at: datetime
    settled_at: datetime | None = None


def taken(session: Session, way: str, day: date) -> int:
    """How many cards have gone out on this way on the day."""
    found = session.get(CardCount, (way, day), populate_existing=True)
    return found.taken if found is not None else 0


def take(session: Session, way: str, day: date, a_day: int) -> bool:
    """Count one more; False when the day has had `a_day` already."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    adding = insert(CardCount).values(way=way, day=day, taken=1)
    counted = adding.on_conflict_do_update(
        index_elements=["way", "day"], set_={"taken": CardCount.taken + 1}, where=col(CardCount.taken) < a_day
    )
    return _count(session, counted) == 1


def book(session: Session, report: CardReport) -> bool:
    """Keep the platform's word on a card; False for one on which it has spoken already."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = report.model_dump(exclude={"settled_at"})
    return _count(session, insert(CardReport).values(values).on_conflict_do_nothing()) == 1


def unsettled(session: Session, most: int) -> Sequence[CardReport]:
    """The words that are not booked on their deliveries yet, the oldest first."""
    statement = select(CardReport).where(col(CardReport.settled_at).is_(None))
    return session.execute(statement.order_by(col(CardReport.reported_at)).limit(most)).scalars().all()


def sent_to(session: Session, report: CardReport, slack: timedelta) -> Sequence[tuple[int, str]]:
    """(delivery, the platform's number) of the card with the report's number, else of all to that person then.

    A platform that gives no number when it takes a card leaves it empty.
    """
    member = select(col(Chat.member_id)).where(
        col(Chat.channel) == report.way.partition(":")[0], col(Chat.address) == report.address
    )
    here = (
        col(Delivery.member_id).in_(member),
        col(Delivery.state) == "sent",
        col(Delivery.channel) == report.way,
        col(Delivery.address) == report.address,
    )
    then = col(Delivery.finished_at).between(report.reported_at - slack, report.reported_at + slack)
    named = col(Delivery.platform_id) == report.platform_id
    columns = select(col(Delivery.id), col(Delivery.platform_id))
    rows = session.execute(columns.where(*here, or_(named, then)).order_by(col(Delivery.id)))
    found = [(row[0], row[1]) for row in rows]
    return [one for one in found if one[1] == report.platform_id] or found


def number(session: Session, delivery_id: int, platform_id: str) -> None:
    """Note the platform's number of a card that was shown."""
    session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "sent")
        .values(platform_id=platform_id)
        .execution_options(synchronize_session=False)
    )


def not_shown(session: Session, delivery_id: int, report: CardReport, now: datetime) -> bool:
    """The card certainly did not reach its person: the delivery takes its next way. False when it has moved on."""
    back = {"state": "queued", "channel": null(), "address": null(), "finished_at": null(), "platform_id": ""}
    ours = (col(Delivery.id) == delivery_id, col(Delivery.state) == "sent", col(Delivery.channel) == report.way)
    changed = update(Delivery).where(*ours).values(**back, reason=report.reason, not_before=now)
    if not _count(session, changed):
        return False
    tried = (col(Attempt.delivery_id) == delivery_id, col(Attempt.channel) == report.way)
    _count(session, update(Attempt).where(*tried).values(outcome=f"permanent:{report.reason}"))
    consents.close(session, delivery_id, now)
    return True


def settle(session: Session, report: CardReport, now: datetime) -> None:
    """Nothing more follows from this report."""
    report.settled_at = now
    session.add(report)


def forget(session: Session, before: datetime) -> int:
    """Drop the words on cards and the counts of days from before then; how many words."""
    _count(session, delete(CardCount).where(col(CardCount.day) < before.date()))
    return _count(session, delete(CardReport).where(col(CardReport.reported_at) < before))


def _count(session: Session, statement: Any) -> int:
    # Without being told to, an insert on PostgreSQL forgets how many rows it made.
    told = statement.execution_options(synchronize_session=False, preserve_rowcount=True)
    return int(session.execute(told).rowcount)  # type: ignore[attr-defined]
