"""The steps of `db.sending` for many deliveries at once: what a fast account begins and ends in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.sql.expression import ColumnElement
from sqlmodel import Session, col

from db.accounts import Chat
from db.deliveries import Attempt, Delivery
from db.given import as_rows, given
from db.prepared import Prepared
from db.sending import is_in


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent where. cost: messages of the chat's window that it takes, 0 on one without."""

    delivery_id: int
    fence: int
    channel: str
    address: str
    cost: int


def _ours(rows: Any, was: str) -> list[ColumnElement[bool]]:
    """Those of the given rows whose claim still stands."""
    return [col(Delivery.id) == rows.c.which, col(Delivery.fence) == rows.c.held, is_in(was)]


def _intend(dialect: str) -> Any:
    rows = given(dialect, which=int, held=int, channel=str, address=str)
    return (
        update(Delivery)
        .where(*_ours(rows, "claimed"))
        .values(
            state="sending",
            channel=rows.c.channel,
            address=rows.c.address,
            attempts=Delivery.attempts + 1,
            lease_until=None,
        )
        .returning(col(Delivery.id))
    )


def _attempt(dialect: str) -> Any:
    rows = given(dialect, which=int, held=int, channel=str, address=str)
    started_at = bindparam("started_at", type_=Attempt.__table__.c.started_at.type)  # type: ignore[attr-defined]
    chosen = select(rows.c.which, rows.c.held, rows.c.channel, rows.c.address, started_at, bindparam("outcome"))
    names = ["delivery_id", "fence", "channel", "address", "started_at", "outcome"]
    return insert(Attempt).from_select(names, chosen, include_defaults=False)


def _sent(dialect: str) -> Any:
    rows = given(dialect, which=int, held=int, platform_id=str)
    return (
        update(Delivery)
        .where(*_ours(rows, "sending"))
        .values(
            state="sent",
            reason="",
            finished_at=bindparam("finished_at"),
            platform_id=rows.c.platform_id,
            lease_until=None,
        )
    )


def _attempt_ended(dialect: str) -> Any:
    rows = given(dialect, which=int, held=int)
    return (
        update(Attempt)
        .where(col(Attempt.delivery_id) == rows.c.which, col(Attempt.fence) == rows.c.held)
        .values(outcome=bindparam("ended"))
    )


_INTEND, _ATTEMPT, _SENT, _ATTEMPT_ENDED = (Prepared(one) for one in (_intend, _attempt, _sent, _attempt_ended))
_THIS_CHAT = (col(Chat.channel) == bindparam("channel"), col(Chat.address) == bindparam("address"))
_COUNT_IN_WINDOW = Prepared(
    update(Chat).where(*_THIS_CHAT).values(window_sent=Chat.window_sent + bindparam("cost"))
)


def intend_all(session: Session, intents: Sequence[Intent], now: datetime) -> list[bool]:
    """Note what is about to be sent; False for each delivery that is no longer ours (stopped, overtaken)."""
    wanted = as_rows((one.delivery_id, one.fence, one.channel, one.address) for one in intents)
    sending = {row[0] for row in _INTEND.rows(session, rows=wanted)}
    begun = [one for one in intents if one.delivery_id in sending]
    tries = as_rows((one.delivery_id, one.fence, one.channel, one.address) for one in begun)
    _ATTEMPT.count(session, rows=tries, started_at=now, outcome="")
    counted = [{"channel": one.channel, "address": one.address, "cost": one.cost} for one in begun if one.cost]
    _COUNT_IN_WINDOW.many(session, counted)
    return [one.delivery_id in sending for one in intents]


def sent(session: Session, arrived: Sequence[tuple[int, int, str]], now: datetime) -> int:
    """Write that these (delivery, fence, the platform's id) have arrived; how many were still ours.

    Their tries are marked in any case: what is known of a try stays true, whoever decides about the row by now.
    """
    if not arrived:
        return 0
    rows = as_rows(arrived)
    _ATTEMPT_ENDED.count(session, rows=rows, ended="sent")
    return _SENT.count(session, rows=rows, finished_at=now)
