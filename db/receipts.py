"""What became of a letter: who got it, who read it, who answered, and whom it did not reach and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from db import letter_counts
from db.audiences import UNBOUND, audience, members_in, without_chat
from db.deliveries import MAILBOX, Delivery
from db.letters import Letter, Receipt
from db.members import Member

ACTS = ("read", "ack", "help")


def note(session: Session, letter_id: int, member_id: int, act: str, at: datetime) -> Receipt:
    """Note that a recipient read, acked or asked for help; the first time of each stands. Acting is reading."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"read_at": at, "acked_at": at if act == "ack" else None, "help_at": at if act == "help" else None}
    adding = insert(Receipt).values(letter_id=letter_id, member_id=member_id, answer="", **values)
    kept = {name: func.coalesce(getattr(Receipt, name), adding.excluded[name]) for name in values}
    session.execute(adding.on_conflict_do_update(index_elements=["letter_id", "member_id"], set_=kept))
    found = session.get(Receipt, (letter_id, member_id), populate_existing=True)
    assert found is not None
    return found


def of(session: Session, letter_id: int, member_id: int) -> Receipt | None:
    """What this recipient has done with the letter so far."""
    return session.get(Receipt, (letter_id, member_id), populate_existing=True)


def last_asking(session: Session, member_id: int) -> int | None:
    """The last letter that reached the member, asks for an answer, and was not acked yet; None when there is none.

    One in doubt counts: it may well have arrived, and its answer is what tells. One that was stopped or taken back
    waits for nobody any more.
    """
    again = aliased(Letter)
    corrected = select(literal(1)).where(col(again.corrects) == col(Letter.id), col(again.sent_at).is_not(None))
    statement = (
        select(col(Delivery.letter_id))
        .join(Letter, col(Letter.id) == col(Delivery.letter_id))
        .outerjoin(
            Receipt,
            (col(Receipt.letter_id) == col(Delivery.letter_id)) & (col(Receipt.member_id) == member_id),
        )
        .where(
            col(Delivery.member_id) == member_id,
            col(Delivery.state).in_(("sent", "ambiguous")),
            col(Letter.ask) == "ack",
            col(Letter.state) != "stopped",
            ~corrected.exists(),
            col(Receipt.acked_at).is_(None),
        )
        .order_by(col(Delivery.finished_at).desc(), col(Delivery.id).desc())
        .limit(1)
    )
    return session.execute(statement).scalar()


@dataclass(slots=True)
class Tally:
    """People by what became of a letter.

    waiting: still to be sent. mailbox: reason -> people who get it with their next message. not_sent: reason ->
    people whom it was not or not surely sent to. unread: got it and did not act on it. partly: got a part only.
    as_of: since when the figures of a large letter stand; None for this very moment.
    """

    sent: int = 0
    read: int = 0
    acked: int = 0
    help: int = 0
    waiting: int = 0
    partly: int = 0
    mailbox: dict[str, int] = field(default_factory=dict)
    not_sent: dict[str, int] = field(default_factory=dict)
    as_of: datetime | None = None

    @property
    def unread(self) -> int:
        """People who got it and did not act on it."""
        return self.sent - self.read


def tally(session: Session, letter_id: int) -> Tally:
    """The figures of a letter; those of a large one as they were counted last (see `db.letter_counts`)."""
    letter = session.get(Letter, letter_id)
    assert letter is not None
    counted = letter_counts.figures(session, letter)
    found = Tally(
        sent=counted.people("sent"),
        read=counted.did("read"),
        acked=counted.did("acked"),
        help=counted.did("help"),
        waiting=counted.people("waiting"),
        partly=_broken_off(session, letter_id),
        as_of=counted.as_of,
    )
    for one in counted.counts:
        if one.kind == "mailbox":
            found.mailbox[one.reason] = found.mailbox.get(one.reason, 0) + one.people
        elif one.kind in ("ambiguous", "not_sent"):
            why = one.state if one.state in ("ambiguous", "expired", "cancelled") else one.reason
            found.not_sent[why] = found.not_sent.get(why, 0) + one.people
    return found


def unread(session: Session, letter_id: int) -> Select[Any]:
    """A query of the ids of the members who got the letter and did not act on it."""
    read = _receipt_with(col(Receipt.read_at))
    return (
        select(col(Delivery.member_id))
        .where(*_first_parts(letter_id), col(Delivery.state) == "sent", ~read)
        .order_by(col(Delivery.member_id))
    )


def was_chased(session: Session, key: str) -> bool:
    """Whether this chase has been written."""
    return session.execute(select(literal(1)).where(col(Delivery.key) == key).limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Line:
    """One recipient of a letter. state: acked, help, read, sent, mailbox, waiting, or why it was not sent."""

    member_id: int
    name: str
    state: str


def lines(session: Session, letter_id: int, *, only: str | None, most: int, offset: int) -> Sequence[Line]:
    """Recipients by name. only: `unread` (those whom `Tally.unread` counts), `help`, or None for everybody."""
    statement = (
        select(
            col(Member.id),
            col(Member.name),
            col(Delivery.state),
            col(Delivery.channel),
            col(Delivery.reason),
            col(Receipt.read_at),
            col(Receipt.acked_at),
            col(Receipt.help_at),
        )
        .select_from(Delivery)
        .join(Member, col(Member.id) == col(Delivery.member_id))
        .outerjoin(Receipt, (col(Receipt.letter_id) == col(Delivery.letter_id)) & _same_member())
        .where(*_first_parts(letter_id))
    )
    if only == "unread":
        statement = statement.where(col(Delivery.state) == "sent", col(Receipt.read_at).is_(None))
    elif only == "help":
        statement = statement.where(col(Receipt.help_at).is_not(None))
    rows = session.execute(statement.order_by(col(Member.id)).limit(most).offset(offset))
    return [Line(row[0], row[1], _state(*row[2:])) for row in rows]


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody who did not get a letter. kind, state, reason: as in `letter_counts.Count`, or UNBOUND, ""."""

    member_id: int
    name: str
    kind: str
    state: str
    reason: str


def missed(session: Session, letter_id: int, day: date, *, most: int, offset: int = 0) -> Sequence[Missed]:
    """Those who did not get the letter or not surely, and on whose behalf nothing more is going on.

    Among them whoever belongs to the audience on `day`, has bound no chat, and so was never written to.
    """
    boxed = and_(col(Delivery.state) == "queued", col(Delivery.channel) == MAILBOX)
    ended = col(Delivery.state).in_(("failed", "ambiguous", "suppressed", "expired", "cancelled"))
    written: Any = (
        select(
            col(Member.id).label("id"), col(Delivery.state).label("state"), col(Delivery.reason).label("reason")
        )
        .join(Delivery, col(Delivery.member_id) == col(Member.id))
        .where(*_first_parts(letter_id), or_(boxed, ended))
    )
    found = written.union_all(_unbound(session, letter_id, day)).subquery()
    statement = (
        select(col(Member.id), col(Member.name), found.c.state, found.c.reason)
        .join(found, found.c.id == col(Member.id))
        .order_by(col(Member.id))
        .limit(most)
        .offset(offset)
    )
    kinds = {"queued": "mailbox", "ambiguous": "ambiguous", UNBOUND: UNBOUND}
    return [
        Missed(row[0], row[1], kinds.get(row[2], "not_sent"), row[2], row[3]) for row in session.execute(statement)
    ]


def _unbound(session: Session, letter_id: int, day: date) -> Any:
    """A query of (id, UNBOUND, no reason) of the audience on `day` without a chat and without a row."""
    letter = session.get(Letter, letter_id)
    assert letter is not None
    chosen = without_chat(members_in(session, audience(letter.audience), day)).subquery()
    row = letter_counts.row_of(letter_id, chosen.c[0])
    return select(chosen.c[0], literal(UNBOUND), literal("")).where(~select(literal(1)).where(*row).exists())


def _state(
    state: str,
    channel: str | None,
    reason: str,
    read_at: datetime | None,
    acked_at: datetime | None,
    help_at: datetime | None,
) -> str:
    if help_at:
        return "help"
    if acked_at:
        return "acked"
    if read_at:
        return "read"
    if state == "queued" and channel == MAILBOX:
        return "mailbox"
    if state in ("queued", "claimed", "sending", "retry"):
        return "waiting"
    return reason if state in ("suppressed", "failed") else state


def _first_parts(letter_id: int) -> tuple[Any, ...]:
    """The rows that stand for one recipient each; reminders and further parts do not."""
    return (col(Delivery.letter_id) == letter_id, col(Delivery.counts_for).is_not(None))


def _same_member() -> Any:
    return col(Receipt.member_id) == col(Delivery.member_id)


def _receipt_with(moment: Any) -> Any:
    same = (col(Receipt.letter_id) == col(Delivery.letter_id), _same_member(), moment.is_not(None))
    return select(literal(1)).select_from(Receipt).where(*same).exists()


def _broken_off(session: Session, letter_id: int) -> int:
    """How many got the beginning of a long letter and not its end."""
    statement = select(func.count(func.distinct(col(Delivery.member_id)))).where(
        col(Delivery.letter_id) == letter_id,
        col(Delivery.part) > 1,
        ~col(Delivery.key).contains(":chase:"),
        col(Delivery.state).in_(("failed", "ambiguous", "cancelled", "expired")),
    )
    return int(session.execute(statement).scalar_one())
