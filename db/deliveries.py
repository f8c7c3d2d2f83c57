"""The outbox: one row per letter, member and part, and one row per try."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import BigId
from db.prepared import Prepared

STATES = (
    "queued",
    "claimed",
    "sending",
    "sent",
    "retry",
    "failed",
    "ambiguous",
    "suppressed",
    "expired",
    "cancelled",
)
TERMINAL = ("sent", "failed", "ambiguous", "suppressed", "expired", "cancelled")


class Delivery(SQLModel, table=True):
    """One part of one letter for one member. The member is the unit: two chats never get it twice.

    Notes of the service (a reminder, a wish that was claimed) use the same row without a letter: then `key`
    says what it is about and `content` holds the message.
    """

    __table_args__ = (
        CheckConstraint(
            "state IN ('queued','claimed','sending','sent','retry','failed','ambiguous','suppressed','expired',"
            "'cancelled')",
            name="state",
        ),
        UniqueConstraint("key", "member_id", "part"),
        Index("ix_delivery_due", "state", "lane", "not_before", "id"),
        Index("ix_delivery_letter_id", "letter_id", "state"),
        Index("ix_delivery_member_id", "member_id", "state"),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    key: str  # "letter:12", "reminder:activity:17:hour"
    letter_id: int | None = Field(default=None, foreign_key="letter.id")
    member_id: int = Field(foreign_key="member.id")
    part: int = 1
    content: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON)
    )  # a Message; None: the letter's own
    lane: int = 2  # 0 notes and urgent letters, 1 branch letters, 2 city letters, 9 the mailbox: never claimed
    urgent: bool = False  # goes out in quiet hours, too
    state: str = "queued"  # one of STATES
    channel: str | None = None  # chosen by the planner; "mailbox": handed over with the next reply
    address: str | None = None
    not_before: datetime
    expires_at: datetime | None = None
    fence: int = 0  # raised by every claim; an outcome with an old fence changes nothing
    lease_until: datetime | None = None
    attempts: int = 0  # tries that began
    died: int = 0  # claims whose process ended before an intent; at 3 the row is set aside
    reason: str = ""  # why it is failed, suppressed or ambiguous: short and stable
    platform_id: str = ""
    finished_at: datetime | None = None


class Attempt(SQLModel, table=True):
    """One try to send a delivery: written before the request, completed after it."""

    __table_args__ = (Index("ix_attempt_delivery_id", "delivery_id"),)
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    delivery_id: int = Field(foreign_key="delivery.id", sa_type=BigId)
    channel: str
    address: str = ""
    fence: int
    started_at: datetime
    outcome: str = ""  # empty while it runs or when the process died in it; "sent", "permanent:blocked", ...


def _enqueue(dialect: str) -> Any:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    names = ("key", "member_id", "content", "lane", "urgent", "not_before", "expires_at")
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return (
        insert(Delivery)
        .values(**values, part=1, state="queued", fence=0, attempts=0, died=0, reason="", platform_id="")
        .on_conflict_do_nothing(index_elements=["key", "member_id", "part"])
    )


_ENQUEUE = Prepared(_enqueue)


def enqueue(
    session: Session,
    *,
    key: str,
    member_id: int,
    content: dict[str, Any],
    lane: int,
    urgent: bool,
    not_before: datetime,
    expires_at: datetime | None,
) -> bool:
    """Add one row that carries its own message. False when the member has a row of this key already."""
    added = _ENQUEUE.count(
        session,
        key=key,
        member_id=member_id,
        content=content,
        lane=lane,
        urgent=urgent,
        not_before=not_before,
        expires_at=expires_at,
    )
    return added == 1


def oldest_in_mailbox(session: Session, member_id: int, now: datetime) -> Delivery | None:
    """The oldest delivery that waits in the member's mailbox and has not expired; with its content filled."""
    statement = (
        select(Delivery)
        .where(
            Delivery.member_id == member_id,
            Delivery.state == "queued",
            Delivery.channel == "mailbox",
            or_(col(Delivery.expires_at).is_(None), col(Delivery.expires_at) > now),
        )
        .order_by(col(Delivery.id))
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def hand_over(session: Session, delivery: Delivery, channel: str, address: str, now: datetime) -> bool:
    """Mark a mailbox delivery as sent with a reply; False when somebody else took it meanwhile."""
    changed = session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery.id, Delivery.state == "queued", Delivery.channel == "mailbox")
        .values(state="sent", channel=channel, address=address, finished_at=now, attempts=Delivery.attempts + 1)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]
