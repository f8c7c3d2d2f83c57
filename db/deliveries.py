"""The outbox: one row per letter, member and part, and one row per try. `db.sending` moves them on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Index,
    Select,
    UniqueConstraint,
    bindparam,
    func,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
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
MAILBOX = "mailbox"
MAILBOX_LANE = 9  # beyond the lanes that are claimed, so that what waits for long costs no claim a look
_COUNTS, _FURTHER = text("counts_for IS NOT NULL"), text("part > 1")


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
        # Only a row that is sent anew changes in these: on the way they cost nothing.
        Index("ix_delivery_counts_for", "letter_id", "counts_for", sqlite_where=_COUNTS, postgresql_where=_COUNTS),
        Index("ix_delivery_further", "letter_id", sqlite_where=_FURTHER, postgresql_where=_FURTHER),
    )
    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    key: str  # "letter:12", "letter:12:chase:2026-06-15", "reminder:activity:17:hour"
    # No keys to letter and member: asking for each row took PostgreSQL a third of a city letter's time, and locked
    # every member. Nobody deletes a member, or a letter that was sent; `db.invariants` looks.
    letter_id: int | None = None
    member_id: int
    part: int = 1  # the next part of a long text is written when the one before has arrived
    content: dict[str, Any] | None = Field(
        default=None, sa_column=Column(JSON(none_as_null=True))
    )  # a Message, with "then" the parts that follow; None: the letter's own
    lane: int = 2  # 0 notes and urgent letters, 1 branch letters, 2 city letters, MAILBOX_LANE
    urgent: bool = False  # goes out in quiet hours, too
    state: str = "queued"  # one of STATES
    channel: str | None = None  # chosen by the planner; MAILBOX: handed over with the next reply
    address: str | None = None
    not_before: datetime
    expires_at: datetime | None = None
    fence: int = 0  # raised by every claim; an outcome with an old fence changes nothing
    lease_until: datetime | None = None
    attempts: int = 0  # tries that began
    died: int = 0  # claims whose process ended before it decided; see db.recovering.DEATHS_MAX
    reason: str = ""  # why it is not sent: short and stable
    platform_id: str = ""
    finished_at: datetime | None = None
    counts_for: int | None = None
    # The branch at the time, for which the row counts in a report; None: a note, reminder, further part, sent anew


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
    names = ["key", "letter_id", "member_id", "part", "content", "lane", "urgent", "channel", "address"]
    names += ["not_before", "expires_at"]
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return (
        insert(Delivery)
        .values(**values, state="queued", fence=0, attempts=0, died=0, reason="", platform_id="")
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
    part: int = 1,
    letter_id: int | None = None,
    channel: str | None = None,
    address: str | None = None,
) -> bool:
    """Add one row that carries its own message. False when the member has a row of this key already."""
    added = _ENQUEUE.count(
        session,
        key=key,
        member_id=member_id,
        part=part,
        letter_id=letter_id,
        content=content,
        lane=lane,
        urgent=urgent,
        channel=channel,
        address=address,
        not_before=not_before,
        expires_at=expires_at,
    )
    return added == 1


def enqueue_for_all(
    session: Session,
    recipients: Select[Any],
    *,
    key: str,
    letter_id: int,
    lane: int,
    urgent: bool,
    not_before: datetime,
    expires_at: datetime | None,
) -> int:
    """One row of the letter for every member id that `recipients` selects, in one statement; how many are new.

    A second selected column is the branch for which the row counts.
    """
    chosen = recipients.subquery()
    branch = tuple(chosen.c)[1:2]
    constants = {
        "key": literal(key),
        "letter_id": literal(letter_id),
        "part": literal(1),
        "lane": literal(lane),
        "urgent": literal(urgent),
        "state": literal("queued"),
        "not_before": literal(not_before, Delivery.__table__.c.not_before.type),  # type: ignore[attr-defined]
        "expires_at": literal(expires_at, Delivery.__table__.c.expires_at.type)  # type: ignore[attr-defined]
        if expires_at
        else null(),
        **dict.fromkeys(("fence", "attempts", "died"), literal(0)),
        **dict.fromkeys(("reason", "platform_id"), literal("")),
    }
    # SQLite needs a WHERE before ON CONFLICT, else it reads the ON as part of a join.
    rows = select(chosen.c[0], *constants.values(), *branch).where(chosen.c[0].is_not(None))
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    adding = insert(Delivery).from_select(
        ["member_id", *constants, *("counts_for" for _ in branch)], rows, include_defaults=False
    )
    # Looking for each row first costs PostgreSQL a seventh of the time, and almost never does one stand already.
    try:
        with session.begin_nested():
            return _written(session, adding)
    except IntegrityError:
        return _written(session, adding.on_conflict_do_nothing(index_elements=["key", "member_id", "part"]))


def _written(session: Session, adding: Any) -> int:
    return int(session.execute(adding.execution_options(preserve_rowcount=True)).rowcount)  # type: ignore[attr-defined]


def oldest_in_mailbox(session: Session, member_id: int, now: datetime) -> Delivery | None:
    """The oldest delivery that waits in the member's mailbox and has not expired."""
    statement = (
        select(Delivery)
        .where(
            col(Delivery.member_id) == member_id,
            col(Delivery.state) == "queued",
            col(Delivery.channel) == MAILBOX,
            or_(col(Delivery.expires_at).is_(None), col(Delivery.expires_at) > now),
        )
        .order_by(col(Delivery.id))
        .limit(1)
    )
    return session.execute(statement).scalars().first()


def hand_over(session: Session, delivery: Delivery, channel: str, address: str, now: datetime) -> bool:
    """Mark a mailbox delivery as sent with a reply; False when somebody else took it meanwhile."""
    return _leave_mailbox(
        session,
        delivery,
        state="sent",
        channel=channel,
        address=address,
        finished_at=now,
        attempts=Delivery.attempts + 1,
    )


def withhold(session: Session, delivery: Delivery, *, state: str, reason: str, now: datetime) -> bool:
    """End a mailbox delivery without handing it over (its topic was left meanwhile)."""
    return _leave_mailbox(session, delivery, state=state, reason=reason, finished_at=now)


def _leave_mailbox(session: Session, delivery: Delivery, **values: Any) -> bool:
    changed = session.execute(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery.id,
            col(Delivery.state) == "queued",
            col(Delivery.channel) == MAILBOX,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def of_letter(session: Session, letter_id: int, member_id: int) -> Delivery | None:
    """The row that stands for this member in the letter's report; None for somebody whom it was not written to."""
    statement = (
        select(Delivery)
        .where(
            col(Delivery.member_id) == member_id,
            col(Delivery.letter_id) + 0 == letter_id,  # as in `letter_counts.row_of`
            or_(col(Delivery.counts_for).is_not(None), col(Delivery.key) == f"letter:{letter_id}"),
            col(Delivery.part) == 1,
        )
        .order_by(col(Delivery.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalar_one_or_none()


def arrived(session: Session, delivery_id: int) -> bool:
    """Its member has answered it, so a doubtful delivery did arrive. False when there was no doubt."""
    changed = session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.state) == "ambiguous")
        .values(state="sent", reason="answered")
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def expire_mailbox(session: Session, now: datetime) -> int:
    """End what has waited in mailboxes for too long; how many rows."""
    changed = session.execute(
        update(Delivery)
        .where(
            col(Delivery.state) == "queued",
            col(Delivery.lane) == MAILBOX_LANE,
            col(Delivery.expires_at) <= now,
        )
        .values(state="expired", reason="too_late", finished_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def count_by_state(session: Session) -> dict[str, int]:
    """How many rows are in each state."""
    rows = session.execute(select(col(Delivery.state), func.count()).group_by(col(Delivery.state)))
    return {row[0]: int(row[1]) for row in rows}
