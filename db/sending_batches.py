"""The steps of `db.sending` for many deliveries at once: what a fast account begins and ends in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from db.deliveries import Delivery
from db.sending import ATTEMPT, ATTEMPT_ENDED, COUNT_IN_WINDOW, END, INTEND


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be sent where. cost: messages of the chat's window that it takes, 0 on one without."""

    delivery_id: int
    fence: int
    channel: str
    address: str
    cost: int


def intend_all(session: Session, intents: Sequence[Intent], now: datetime) -> list[bool]:
    """Note what is about to be sent; False for each delivery that is no longer ours (stopped, overtaken)."""
    held = [
        {
            "which": one.delivery_id,
            "held": one.fence,
            "was": "claimed",
            "channel": one.channel,
            "address": one.address,
        }
        for one in intents
    ]
    ours = [True] * len(intents)
    if INTEND.many(session, held) != len(intents):
        found = select(col(Delivery.id), col(Delivery.fence)).where(
            col(Delivery.id).in_([one.delivery_id for one in intents]), col(Delivery.state) == "sending"
        )
        sending = {(row[0], row[1]) for row in session.execute(found)}
        ours = [(one.delivery_id, one.fence) in sending for one in intents]
    begun = [one for one, is_ours in zip(intents, ours, strict=True) if is_ours]
    same = {"started_at": now, "outcome": ""}
    ATTEMPT.many(
        session,
        [
            {
                "delivery_id": one.delivery_id,
                "channel": one.channel,
                "address": one.address,
                "fence": one.fence,
                **same,
            }
            for one in begun
        ],
    )
    counted = [{"channel": one.channel, "address": one.address, "cost": one.cost} for one in begun if one.cost]
    COUNT_IN_WINDOW.many(session, counted)
    return ours


def sent(session: Session, arrived: Sequence[tuple[int, int, str]], now: datetime) -> int:
    """Write that these (delivery, fence, the platform's id) have arrived; how many were still ours.

    Their tries are marked in any case: what is known of a try stays true, whoever decides about the row by now.
    """
    end = {"was": "sending", "state": "sent", "reason": "", "finished_at": now}
    ended = [{"which": which, "held": held, "platform_id": its, **end} for which, held, its in arrived]
    ATTEMPT_ENDED.many(session, [{"which": which, "held": held, "outcome": "sent"} for which, held, _ in arrived])
    return END.many(session, ended)
