"""Letters that have gone out somehow, for the tests of reports: every row ends as the test says."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from db import receipts
from db.accounts import Chat
from db.deliveries import Delivery
from tests.cast import NOON
from tests.notices.sending import queued

SENT, BLOCKED, DOUBT = ("sent", "web", ""), ("queued", "mailbox", "blocked"), ("ambiguous", "web", "read_timeout")
WAITING = ("queued", None, "")


def end(session: Session, letter_id: int, states: list[Any]) -> list[int]:
    """Put the rows of a letter into these (state, channel, reason), by the ids of their members; the members."""
    rows = session.exec(
        select(Delivery)
        .where(col(Delivery.letter_id) == letter_id, col(Delivery.counts_for).is_not(None))
        .order_by(col(Delivery.member_id))
    ).all()
    for row, (state, channel, reason) in zip(rows, states, strict=False):
        row.state, row.channel, row.reason = state, channel, reason
        row.lane = 9 if channel == "mailbox" else row.lane
        session.add(row)
    session.flush()
    return [row.member_id for row in rows]


def queue(session: Session, told: dict[str, Any]) -> int:
    """A letter with `more`, its rows in `states`; the first `read` of its people have read it. Its id."""
    letter_id = queued(session, **told.get("more", {}))
    people = end(session, letter_id, told["states"])
    for member_id in people[: told.get("read", 0)]:
        receipts.note(session, letter_id, member_id, "read", NOON)
    return letter_id


def bind_browsers(session: Session, member_id: int) -> None:
    """Give every browser that has spoken and has no member to this one."""
    for chat in session.exec(select(Chat).where(col(Chat.member_id).is_(None))).all():
        chat.member_id = member_id
        session.add(chat)
