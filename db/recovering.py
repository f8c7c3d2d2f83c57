"""What becomes of deliveries whose process died, was overtaken, or lost its database in the middle."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlmodel import Session, col

from db import consents
from db.deliveries import Attempt, Delivery
from db.mass import MASS_LANE

DEATHS_MAX = 3  # a row that was in the hands of so many dying processes is set aside
_INTENTS = update(Delivery).where(col(Delivery.state) == "sending", col(Delivery.lane) != MASS_LANE)
# What goes with many others is seen to by `notices.mass`: its batch has a key of its own.


def inherit(session: Session, now: datetime, *, keyed: Collection[str] = ()) -> tuple[int, int]:
    """(doubtful, brought back): what the former sender left, once its fence is old.

    Nobody knows what became of an open intent: it is in doubt for ever. On `keyed` channels, which refuse
    repetitions, it comes back, and so does what was only claimed; after DEATHS_MAX it failed.
    """
    _count(session, _INTENTS.where(col(Delivery.channel).in_(keyed)).values(state="claimed", lease_until=None))
    doubtful = _count(session, _INTENTS.values(state="ambiguous", reason="process_died", finished_at=now))
    return doubtful, _bring_back(session, now, [col(Delivery.state) == "claimed"])


def expire(session: Session, now: datetime) -> int:
    """Bring back what has been claimed for longer than its lease; how many. Too often counts as in `inherit`."""
    over = or_(col(Delivery.lease_until).is_(None), col(Delivery.lease_until) <= now)
    return _bring_back(session, now, [col(Delivery.state) == "claimed", over])


def put_straight(session: Session, kept: Collection[int]) -> int:
    """Give back what the sender holds without knowing it; how many.

    After a commit of which it never heard. `kept`: the ids that it has in hand or under way. It sent nothing
    of the others, so they are not in doubt, and no death counts against them.
    """
    others = col(Delivery.id).not_in(kept)
    intended = select(col(Delivery.id)).where(
        col(Delivery.state) == "sending", col(Delivery.lane) != MASS_LANE, others
    )
    unsent = update(Attempt).where(col(Attempt.outcome) == "", col(Attempt.delivery_id).in_(intended))
    _count(session, unsent.values(outcome="not_sent"))
    consents.give_back(session, intended)
    back = {"state": "queued", "lease_until": None}
    intents = _count(session, _INTENTS.where(others).values(**back, attempts=Delivery.attempts - 1))
    claims = update(Delivery).where(col(Delivery.state) == "claimed", others)
    return intents + _count(session, claims.values(**back))


def _bring_back(session: Session, now: datetime, left: list[Any]) -> int:
    poison = {"state": "failed", "reason": "poison", "finished_at": now, "died": Delivery.died + 1}
    _count(session, update(Delivery).where(*left, col(Delivery.died) >= DEATHS_MAX - 1).values(**poison))
    back = update(Delivery).where(*left).values(state="queued", died=Delivery.died + 1, lease_until=None)
    return _count(session, back)


def _count(session: Session, statement: Any) -> int:
    return int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
