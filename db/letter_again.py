"""Sending a letter once more to those whom it certainly did not reach: new rows under a key of their own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import and_, literal, or_, select, update
from sqlmodel import Session, col

from db import deliveries
from db.deliveries import MAILBOX, MAILBOX_LANE, Delivery
from db.letters import Letter

UNTRIED = ("", "no_chat", "window_closed", "no_way")
"""Why something waits in a mailbox that was never tried: trying it again would end there again."""
IN_DOUBT = ("poison",)  # its processes died over it: nobody knows how far they came


def certainly_not(kind: str, state: str, reason: str) -> bool:
    """Whether a letter was tried for these people and certainly did not reach them; see `letter_counts.Count`."""
    if kind == "mailbox":
        return reason not in UNTRIED
    return state == "failed" and reason not in IN_DOUBT


def was_sent(session: Session, key: str) -> bool:
    """Whether rows of this key have been written."""
    return session.execute(select(literal(1)).where(col(Delivery.key) == key).limit(1)).first() is not None


def send(
    session: Session, letter: Letter, *, key: str, now: datetime, branches: Collection[int] | None = None
) -> int:
    """Write new rows for exactly those people; how many. branches: only for those who count for one of these.

    The old rows end first, so that a mailbox which hands one over at this moment finds nothing; from then on the
    new rows stand for these people in the report.
    """
    assert letter.id is not None
    here = (col(Delivery.letter_id) == letter.id, _counts_for(branches))
    _change(session, (*here, *_certainly_not()), state="cancelled", reason="sent_again", finished_at=now)
    ended = (*here, col(Delivery.state) == "cancelled", col(Delivery.reason) == "sent_again")
    people: Any = select(col(Delivery.member_id), col(Delivery.counts_for)).where(*ended)
    added = deliveries.enqueue_for_all(
        session,
        people,
        key=key,
        letter_id=letter.id,
        lane=letter.lane,
        urgent=letter.urgent,
        not_before=now,
        expires_at=letter.expires_at,
    )
    _change(session, (*ended, col(Delivery.key) != key), counts_for=None)
    return added


def _counts_for(branches: Collection[int] | None) -> Any:
    if branches is None:
        return col(Delivery.counts_for).is_not(None)
    return col(Delivery.counts_for).in_(branches)


def _certainly_not() -> tuple[Any, ...]:
    refused = and_(
        col(Delivery.state) == "queued",
        col(Delivery.lane) == MAILBOX_LANE,
        col(Delivery.channel) == MAILBOX,
        col(Delivery.reason).not_in(UNTRIED),
    )
    failed = and_(col(Delivery.state) == "failed", col(Delivery.reason).not_in(IN_DOUBT))
    return (
        col(Delivery.state).in_(("queued", "failed")),  # for the index
        or_(refused, failed),
    )


def _change(session: Session, where: tuple[Any, ...], **values: Any) -> None:
    session.execute(update(Delivery).where(*where).values(**values).execution_options(synchronize_session=False))
