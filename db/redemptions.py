"""What becomes of a redemption: looked at, handed over, cancelled by its member, or expired; each ends once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlmodel import Session, col

from db import ledger
from db.organizations import Organization
from db.rewards import Redemption, Reward, cause_of


class Found(NamedTuple):
    """A redemption with what it is for."""

    redemption: Redemption
    reward: Reward


def _one(session: Session, condition: Any) -> Found | None:
    statement = select(Redemption, Reward).join(Reward, col(Reward.id) == Redemption.reward_id).where(condition)
    row = session.execute(statement.execution_options(populate_existing=True)).first()
    return Found(*row) if row else None


def by_id(session: Session, redemption_id: int | None) -> Found | None:
    """The redemption as it is now."""
    return _one(session, col(Redemption.id) == redemption_id)


def by_code(session: Session, code: str | None) -> Found | None:
    """The redemption with this pick-up code (as stored, without the dash)."""
    return _one(session, col(Redemption.pickup_code) == code) if code else None


def of_member(session: Session, member_id: int, redemption_id: int | None) -> Found | None:
    """The member's own redemption; somebody else's is as unknown as one that never was."""
    found = by_id(session, redemption_id)
    return found if found and found.redemption.member_id == member_id else None


def recent(session: Session, member_id: int, *, most: int = 5) -> Sequence[Found]:
    """The member's redemptions of goods: what waits first, then the newest."""
    statement = (
        select(Redemption, Reward)
        .join(Reward, col(Reward.id) == Redemption.reward_id)
        .where(col(Redemption.member_id) == member_id, col(Reward.kind) == "goods")
        .order_by((col(Redemption.state) == "held").desc(), col(Redemption.id).desc())
        .limit(most)
    )
    return [Found(*row) for row in session.execute(statement)]


def kept_by(session: Session, reward: Reward) -> Organization:
    """The organisation whose stock this is."""
    found = session.get(Organization, reward.organization_id)
    assert found is not None
    return found


def hand_over(session: Session, redemption_id: int, *, keeper_id: int, now: datetime) -> bool:
    """Close a held piece as handed over. False when it is not held any more, or its time is over."""
    statement = (
        update(Redemption)
        .where(
            col(Redemption.id) == redemption_id,
            col(Redemption.state) == "held",
            col(Redemption.expires_at) > now,
        )
        .values(state="handed_over", closed_at=now, keeper_id=keeper_id)
        .execution_options(synchronize_session="fetch")
    )
    return bool(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def cancel(session: Session, redemption_id: int, *, now: datetime, day: date) -> bool:
    """Close a held piece as cancelled; points and piece go back. False when it is not held any more."""
    closed = _close(session, [redemption_id], "cancelled", now)
    _give_back(session, closed, now, day)
    return bool(closed)


def expired(session: Session, *, now: datetime, day: date, most: int) -> Sequence[Found]:
    """Close up to `most` held pieces whose time is over; points and pieces go back. Those that were closed."""
    due = (
        select(col(Redemption.id))
        .where(col(Redemption.state) == "held", col(Redemption.expires_at) <= now)
        .order_by(col(Redemption.expires_at), col(Redemption.id))
        .limit(most)
    )
    closed = _close(session, list(session.execute(due).scalars()), "expired", now)
    _give_back(session, closed, now, day)
    return [found for one in closed if (found := by_id(session, one.id))]


def soon_over(session: Session, *, now: datetime, until: datetime) -> Sequence[Found]:
    """Held pieces whose time ends after `now`, at the latest at `until`, the most urgent first."""
    statement = (
        select(Redemption, Reward)
        .join(Reward, col(Reward.id) == Redemption.reward_id)
        .where(
            col(Redemption.state) == "held",
            col(Redemption.expires_at) > now,
            col(Redemption.expires_at) <= until,
        )
        .order_by(col(Redemption.expires_at), col(Redemption.id))
    )
    return [Found(*row) for row in session.execute(statement)]


def _close(session: Session, ids: Sequence[int], state: str, now: datetime) -> Sequence[Redemption]:
    """Move held redemptions to `state`; those that this call moved, which nobody else has moved or will."""
    statement = (
        update(Redemption)
        .where(col(Redemption.id).in_(ids), col(Redemption.state) == "held")
        .values(state=state, closed_at=now)
        .returning(Redemption)
        .execution_options(synchronize_session="fetch", populate_existing=True)
    )
    return session.execute(statement).scalars().all()


def _give_back(session: Session, closed: Sequence[Redemption], now: datetime, day: date) -> None:
    """Points first, then pieces, each in the order of ids: the order in which an order locks them, too."""
    names: dict[int, str] = {}
    for one in sorted(closed, key=lambda one: one.member_id):
        if one.reward_id not in names:
            reward = session.get(Reward, one.reward_id)
            assert reward is not None
            names[one.reward_id] = reward.name
        ledger.book(
            session,
            member_id=one.member_id,
            rule_id="REFUND",
            cause=cause_of(one),
            points=one.points,
            hundredths=0,
            day=day,
            booked_at=now,
            in_index=False,
            reason=names[one.reward_id],
        )
    pieces = Counter(one.reward_id for one in closed)
    for reward_id in sorted(pieces):
        statement = update(Reward).where(col(Reward.id) == reward_id)
        session.execute(statement.values(stock=col(Reward.stock) + pieces[reward_id]))
