"""What waits until there is enough of it for a batch; see `db.mass`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, insert, select, update
from sqlmodel import Session, col

from db.accounts import Chat
from db.addressing import Addressing
from db.deliveries import Attempt, Delivery
from db.mass import MASS_LANE, alone, count, way
from db.sending import Claimed, is_in

NOT_GATHERED = ("queued", "retry", "claimed")


@dataclass(frozen=True, slots=True)
class Gathering:
    """What waits for a batch of one letter. since: the first of them; coming: more is still being planned."""

    letter_id: int
    channel: str
    count: int
    since: datetime
    coming: bool


def gather(session: Session, one: Claimed, *, channel: str, address: str, now: datetime) -> bool:
    """Let a claimed delivery wait for its letter's next batch; False when it is no longer ours."""
    ours = (col(Delivery.id) == one.id, col(Delivery.fence) == one.fence, col(Delivery.state) == "claimed")
    values = {"state": "queued", "lane": MASS_LANE, "channel": channel, "address": address, "lease_until": None}
    return count(session, update(Delivery).where(*ours).values(**values, not_before=now)) == 1


def ungather(session: Session, one: Claimed, *, lane: int, now: datetime) -> None:
    """Let a claimed delivery go its way alone, after all."""
    ours = (col(Delivery.id) == one.id, col(Delivery.fence) == one.fence, col(Delivery.state) == "claimed")
    count(session, update(Delivery).where(*ours).values(**alone(lane, now)))


def refuse(session: Session, one: Claimed, *, lane: int, channel: str, reason: str, now: datetime) -> None:
    """Let a claimed delivery take its next way, and never this one again."""
    tried = {"delivery_id": one.id, "channel": way(channel), "address": one.address or "", "fence": one.fence}
    session.execute(insert(Attempt), [{**tried, "started_at": now, "outcome": f"permanent:{reason}"}])
    ours = (col(Delivery.id) == one.id, col(Delivery.fence) == one.fence, col(Delivery.state) == "claimed")
    values = {**alone(lane, now), "reason": reason, "attempts": Delivery.attempts + 1}
    count(session, update(Delivery).where(*ours).values(**values))


def gatherings(session: Session, now: datetime) -> list[Gathering]:
    """What waits for a batch, the oldest first."""
    first = func.min(col(Delivery.not_before))
    statement = (
        select(col(Delivery.letter_id), col(Delivery.channel), func.count(), first)
        .where(col(Delivery.state) == "queued", col(Delivery.lane) == MASS_LANE, col(Delivery.not_before) <= now)
        .group_by(col(Delivery.letter_id), col(Delivery.channel))
        .order_by(first)
    )
    found = session.execute(statement).all()
    return [Gathering(row[0], row[1], row[2], row[3], _coming(session, row[0], now)) for row in found]


def claim(session: Session, waiting: Gathering, *, now: datetime, most: int) -> tuple[str, Sequence[Claimed]]:
    """(language, rows): up to `most` of what waits, all in the language of the first, now claimed."""
    language = func.coalesce(col(Chat.language), "zh")  # a chat that is gone: planned anew, it goes elsewhere
    here = and_(col(Chat.channel) == col(Delivery.channel), col(Chat.address) == col(Delivery.address))
    chosen = (
        select(col(Delivery.id), language)
        .outerjoin(Chat, here)
        .where(
            col(Delivery.state) == "queued",
            col(Delivery.lane) == MASS_LANE,
            col(Delivery.letter_id) == waiting.letter_id,
            col(Delivery.channel) == waiting.channel,
            col(Delivery.not_before) <= now,
        )
        .order_by(col(Delivery.id))
    )
    first = session.execute(chosen.limit(1)).first()
    if first is None:
        return "", []
    ids = select(chosen.where(language == first[1]).limit(most).subquery().c.id)
    changed = session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(ids), is_in("queued"))
        .values(state="claimed", fence=Delivery.fence + 1, lease_until=now)
        .returning(*(getattr(Delivery, name) for name in Claimed.__slots__))
        .execution_options(synchronize_session=False)
    )
    return str(first[1]), sorted((Claimed(*row) for row in changed), key=lambda one: one.id)


def _coming(session: Session, letter_id: int, now: datetime) -> bool:
    """Whether more of a letter may still gather: its rows are being written, or wait to be planned."""
    written = select(col(Addressing.key)).where(
        col(Addressing.letter_id) == letter_id, col(Addressing.what) == "letter"
    )
    if session.execute(written.limit(1)).first() is not None:
        return True
    statement = select(col(Delivery.id)).where(
        col(Delivery.letter_id) == letter_id,
        col(Delivery.state).in_(NOT_GATHERED),
        col(Delivery.lane) < MASS_LANE,
        col(Delivery.not_before) <= now,
    )
    return session.execute(statement.limit(1)).first() is not None
