"""Rewards with price and stock, projects that points support, and redemptions with their pick-up codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db import ledger
from db.failpoints import reach
from db.ledger import Wallet
from db.pickup_codes import new_code

HOLD_FOR = timedelta(days=15)  # a piece waits so long at the desk, then somebody else may have it
OPEN_MAX = 2  # pieces that wait for one member at once: nobody empties the shelf before others see it


class Reward(SQLModel, table=True):
    """Something to have for points: goods at a price, or a project that any number of points supports."""

    __table_args__ = (
        CheckConstraint("stock IS NULL OR stock >= 0", name="stock_not_negative"),
        CheckConstraint("kind IN ('goods', 'project')", name="kind"),
    )
    id: int | None = Field(default=None, primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", index=True)  # offered in this subtree
    kind: str  # goods, project
    name: str
    price: int | None = None  # points; None for a project
    stock: int | None = None  # pieces on hand and not held for anybody; None for a project
    received: int = 0  # pieces ever taken into stock: received = stock + held + handed over
    goal: int | None = None  # points that a project needs
    raised: int = 0  # points given to the project so far
    per_member: int | None = None  # most pieces that one member may have in a year
    place: str = ""  # where it is handed over
    active: bool = True


class Redemption(SQLModel, table=True):
    """One exchange: held -> handed_over | expired | cancelled, exactly once. A project is given to at once."""

    __table_args__ = (
        CheckConstraint("state IN ('held', 'handed_over', 'expired', 'cancelled')", name="state"),
        UniqueConstraint("member_id", "nonce"),  # one preview confirms once, however often it is pressed
        Index("ix_redemption_member_id", "member_id", "state"),
        Index("ix_redemption_state", "state", "expires_at"),
    )
    id: int | None = Field(default=None, primary_key=True)
    reward_id: int = Field(foreign_key="reward.id", index=True)
    member_id: int = Field(foreign_key="member.id")
    points: int
    state: str = "held"
    nonce: str | None = None  # of the preview that was confirmed; None: made by an import
    pickup_code: str | None = Field(default=None, unique=True)  # eight characters; None for a project
    created_at: datetime
    expires_at: datetime | None = None
    closed_at: datetime | None = None
    keeper_id: int | None = Field(default=None, foreign_key="member.id")


Refusal = Literal[
    "unknown", "changed", "sold_out", "not_enough", "too_many_open", "too_many_in_year", "beyond_goal"
]
"""Why nothing was exchanged. In every case nothing was written either."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a member confirmed: `points` is the price that the preview showed, or what a project is to get.

    nonce: of the preview; the same one is the same order. year_began_at: since when `per_member` counts.
    """

    reward_id: int
    member_id: int
    branch_path: str
    points: int
    nonce: str
    now: datetime
    day: date  # of `now`, on the city's calendar
    year_began_at: datetime


def _changed(session: Session, statement: Any) -> bool:
    """Whether a conditional update found its row; the session forgets what it had read of it."""
    return bool(session.execute(statement.execution_options(synchronize_session="fetch")).rowcount)  # type: ignore[attr-defined]


def ids_on(path: str) -> list[int]:
    """The ids of an organisation and of every one above it."""
    return [int(part) for part in path.strip("/").split("/") if part]


def offered(session: Session, branch_path: str) -> Sequence[Reward]:
    """What members of this branch can have: goods before projects, the cheap first, what is gone at the end."""
    gone = or_(col(Reward.stock) == 0, col(Reward.raised) >= col(Reward.goal))
    statement = (
        select(Reward)
        .where(col(Reward.organization_id).in_(ids_on(branch_path)), col(Reward.active).is_(True))
        .order_by(case((gone, 1), else_=0), col(Reward.kind), col(Reward.price), col(Reward.id))
    )
    return session.execute(statement).scalars().all()


def offer(session: Session, reward_id: int | None, branch_path: str) -> Reward | None:
    """The reward as it is now, if members of this branch can have it."""
    statement = select(Reward).where(
        col(Reward.id) == reward_id,
        col(Reward.organization_id).in_(ids_on(branch_path)),
        col(Reward.active).is_(True),
    )
    return session.execute(statement.execution_options(populate_existing=True)).scalar_one_or_none()


def redeem(session: Session, order: Order) -> tuple[Redemption, bool] | Refusal:
    """Hold one piece for the member and take its price from the wallet: (redemption, was it made now?).

    A second order with the same nonce gives the first one's redemption. The member's wallet is locked first,
    so that the limits of one person hold for two chats at once; the piece is taken on a condition, so that
    the last one goes to one person, whoever asks at the same moment.
    """
    balance = _lock_purse(session, order.member_id)
    known = by_nonce(session, order.member_id, order.nonce)
    if known is not None:
        return known, False
    reward = offer(session, order.reward_id, order.branch_path)
    if reward is None or reward.kind != "goods":
        return "unknown"
    refused = _refused(session, order, reward, balance)
    if refused is not None:
        return refused
    reach("redeem.after_check")
    if not take_piece(session, order.reward_id, order.points):
        now = offer(session, order.reward_id, order.branch_path)  # somebody was faster: say what is true now
        return "unknown" if now is None else "sold_out" if not now.stock else "changed"
    made = _insert(session, order, state="held", expires_at=order.now + HOLD_FOR)
    _spend(session, order, made, "REDEEM", reward.name)
    return made, True


def _refused(session: Session, order: Order, reward: Reward, balance: int) -> Refusal | None:
    if reward.price != order.points:
        return "changed"
    if not reward.stock:
        return "sold_out"
    if open_count(session, order.member_id) >= OPEN_MAX:
        return "too_many_open"
    if reward.per_member is not None:
        had = had_since(session, order.member_id, order.reward_id, order.year_began_at)
        if had >= reward.per_member:
            return "too_many_in_year"
    return "not_enough" if balance < order.points else None


def support(session: Session, order: Order) -> tuple[Redemption, bool] | Refusal:
    """Give points to a project: (redemption, was it made now?). Never more than the goal still needs."""
    balance = _lock_purse(session, order.member_id)
    known = by_nonce(session, order.member_id, order.nonce)
    if known is not None:
        return known, False
    reward = offer(session, order.reward_id, order.branch_path)
    if reward is None or reward.kind != "project":
        return "unknown"
    if balance < order.points:
        return "not_enough"
    raising = (
        update(Reward)
        .where(
            col(Reward.id) == order.reward_id,
            col(Reward.active).is_(True),
            or_(col(Reward.goal).is_(None), col(Reward.raised) + order.points <= col(Reward.goal)),
        )
        .values(raised=col(Reward.raised) + order.points)
    )
    if not _changed(session, raising):
        return "beyond_goal"
    made = _insert(session, order, state="handed_over", closed_at=order.now)
    _spend(session, order, made, "PROJECT", reward.name)
    return made, True


def take_piece(session: Session, reward_id: int, price: int) -> bool:
    """Take one piece off the shelf, if there is one and it still costs `price`."""
    return _changed(
        session,
        update(Reward)
        .where(
            col(Reward.id) == reward_id,
            col(Reward.active).is_(True),
            col(Reward.price) == price,
            col(Reward.stock) >= 1,
        )
        .values(stock=col(Reward.stock) - 1),
    )


def _lock_purse(session: Session, member_id: int) -> int:
    """The member's balance; nobody else moves this wallet until the transaction ends."""
    statement = select(col(Wallet.balance)).where(col(Wallet.member_id) == member_id).with_for_update()
    return session.execute(statement).scalar() or 0


def _spend(session: Session, order: Order, made: Redemption, rule_id: str, reason: str) -> None:
    # NotEnough cannot come here: the wallet is locked and was looked at. If it comes, the whole message goes.
    ledger.spend(
        session,
        member_id=order.member_id,
        rule_id=rule_id,
        cause=cause_of(made),
        points=order.points,
        day=order.day,
        booked_at=order.now,
        reason=reason,
    )
    reach("redeem.after_debit")


def cause_of(redemption: Redemption) -> str:
    """The ledger's cause of a redemption."""
    return f"redemption:{redemption.id}"


def _insert(session: Session, order: Order, *, state: str, **more: datetime) -> Redemption:
    """Write the redemption; goods get a code that nobody else has."""
    on = postgresql if session.connection().dialect.name == "postgresql" else sqlite
    while True:
        values = {
            "reward_id": order.reward_id,
            "member_id": order.member_id,
            "points": order.points,
            "nonce": order.nonce,
            "state": state,
            "pickup_code": new_code() if state == "held" else None,
            "created_at": order.now,
            **more,
        }
        adding = on.insert(Redemption).values(values).on_conflict_do_nothing(index_elements=["pickup_code"])
        made = session.execute(adding.returning(col(Redemption.id))).scalar()
        if made is not None:  # else the code is taken, one in a hundred thousand million times
            found = session.get(Redemption, made)
            assert found is not None
            return found


def by_nonce(session: Session, member_id: int, nonce: str) -> Redemption | None:
    """The redemption that this preview of this member has become."""
    statement = select(Redemption).where(col(Redemption.member_id) == member_id, col(Redemption.nonce) == nonce)
    return session.execute(statement).scalar_one_or_none()


def open_count(session: Session, member_id: int) -> int:
    """Pieces that wait for the member."""
    statement = select(func.count()).where(col(Redemption.member_id) == member_id, col(Redemption.state) == "held")
    return int(session.execute(statement).scalar_one())


def had_since(session: Session, member_id: int, reward_id: int, since: datetime) -> int:
    """Pieces of one reward that the member got or has waiting, ordered since `since`."""
    statement = select(func.count()).where(
        col(Redemption.member_id) == member_id,
        col(Redemption.reward_id) == reward_id,
        col(Redemption.state).in_(("held", "handed_over")),
        col(Redemption.created_at) >= since,
    )
    return int(session.execute(statement).scalar_one())
