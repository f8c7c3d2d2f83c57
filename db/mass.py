"""Letters that are handed to a platform for many people at once. The rows of a batch move together.

A batch has its own key at the platform. It is stored before the first request and never changes, so a batch of
which nobody knows what became is simply handed over again: the platform refuses what it has already.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, and_, func, insert, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.accounts import Chat
from db.deliveries import Attempt, Delivery
from db.engine import BigId
from db.sending import Claimed, is_in

MASS_LANE = 8  # what gathers for a batch, and what is in one: beyond the lanes that are claimed one by one


ASKED = "sent:asked"  # the platform said so when it was asked, without figures
HALVED = "halved"  # two batches of half its size have taken its place


def way(channel: str) -> str:
    """What the mass letters of a channel are called in an `Attempt`: the single message is another way."""
    return f"{channel}:mass"


class MassBatch(SQLModel, table=True):
    """One hand-over: one text in one language for `size` people.

    trying: from the intent to the platform's answer. accepted: the platform sends. ended: its outcome stands here.
    """

    __tablename__ = "mass_batch"
    __table_args__ = (
        CheckConstraint("state IN ('trying','accepted','ended')", name="state"),
        Index("ix_mass_batch_state", "state"),
        Index("ix_mass_batch_letter_id", "letter_id"),
    )
    id: int | None = Field(default=None, primary_key=True)
    channel: str
    letter_id: int = Field(foreign_key="letter.id")
    language: str
    lane: int  # to which its rows go back
    key: str = Field(unique=True)  # what the platform knows it by
    month: date  # in which it counts for each of them
    size: int
    state: str = "trying"
    tries: int = 0
    doubtful: bool = False  # an earlier try may have arrived
    first_try_at: datetime
    next_try_at: datetime
    platform_id: str = ""
    accepted_at: datetime | None = None
    asked_at: datetime | None = None  # when the platform was asked what had become of it, as no report came
    ended_at: datetime | None = None
    outcome: str = ""  # sent, ambiguous:..., permanent:..., stopped, or one of:
    not_reached: int = 0  # of a batch that was sent: those whom the platform left out, without saying whom


class MassSeat(SQLModel, table=True):
    """One row of the outbox in a batch."""

    __tablename__ = "mass_seat"
    batch_id: int = Field(foreign_key="mass_batch.id", primary_key=True)
    delivery_id: int = Field(foreign_key="delivery.id", primary_key=True, sa_type=BigId)
    address: str


class MassReport(SQLModel, table=True):
    """The platform's word on a batch; it may come before we know the batch's id there."""

    __tablename__ = "mass_report"
    channel: str = Field(primary_key=True)
    platform_id: str = Field(primary_key=True)
    status: str  # "send success", "send fail", "err(20001)"
    total: int
    sent: int
    reported_at: datetime


class MassCount(SQLModel, table=True):
    """How many mass letters an address was handed in a month."""

    __tablename__ = "mass_count"
    channel: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    month: date = Field(primary_key=True)
    taken: int


def intend(session: Session, batch: MassBatch, rows: Iterable[Claimed], now: datetime) -> MassBatch:
    """Note that these claimed rows are about to be handed over together; the batch with its key."""
    seats = [{"delivery_id": one.id, "address": one.address} for one in rows]
    batch.key = secrets.token_hex(16)  # not the id: a database from a copy would meet its own old keys
    batch.size, batch.tries = len(seats), 0
    session.add(batch)
    session.flush()
    session.execute(insert(MassSeat), [{**seat, "batch_id": batch.id} for seat in seats])
    _rows(session, batch, was="claimed", state="sending", attempts=Delivery.attempts + 1, lease_until=None)
    mine = (col(MassSeat.batch_id) == batch.id, col(Delivery.id) == col(MassSeat.delivery_id))
    tries = select(
        col(Delivery.id), literal(way(batch.channel)), col(MassSeat.address), col(Delivery.fence),
        literal(now, Attempt.__table__.c.started_at.type), literal(""),  # type: ignore[attr-defined]
    ).where(*mine)  # fmt: skip
    names = ["delivery_id", "channel", "address", "fence", "started_at", "outcome"]
    session.execute(insert(Attempt).from_select(names, tries, include_defaults=False))
    _take(session, batch)
    return batch


def addresses(session: Session, batch: MassBatch) -> list[str]:
    """To whom a batch goes."""
    statement = select(col(MassSeat.address)).where(col(MassSeat.batch_id) == batch.id)
    return list(session.execute(statement.order_by(col(MassSeat.delivery_id))).scalars())


def trying(session: Session) -> MassBatch | None:
    """The batch whose answer is awaited; there is one at a time."""
    statement = select(MassBatch).where(col(MassBatch.state) == "trying").order_by(col(MassBatch.id)).limit(1)
    return session.execute(statement).scalars().first()


def calls_since(session: Session, channel: str, since: datetime) -> int:
    """How many times batches that began since then were handed over."""
    statement = select(func.coalesce(func.sum(col(MassBatch.tries)), 0)).where(
        col(MassBatch.channel) == channel, col(MassBatch.first_try_at) >= since
    )
    return int(session.execute(statement).scalar_one())


def taken(session: Session, channel: str, month: date, among: Collection[str]) -> dict[str, int]:
    """How many mass letters each of these addresses was handed in a month; those without any are missing."""
    statement = select(col(MassCount.address), col(MassCount.taken)).where(
        col(MassCount.channel) == channel, col(MassCount.month) == month, col(MassCount.address).in_(among)
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def accepted(session: Session, batch: MassBatch, platform_id: str, choices: dict[str, Any], now: datetime) -> None:
    """The platform has taken a batch: what is typed in its chats means this letter from now on."""
    batch.state, batch.platform_id, batch.accepted_at = "accepted", platform_id, now
    session.add(batch)
    mine = select(col(MassSeat.address)).where(col(MassSeat.batch_id) == batch.id)
    if choices:
        here = (col(Chat.channel) == batch.channel, col(Chat.address).in_(mine))
        count(session, update(Chat).where(*here).values(choices=choices))


def book(session: Session, report: MassReport) -> None:
    """Keep the platform's word on a batch; a second one on the same batch changes nothing."""
    insert_: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert_(MassReport).values(**report.model_dump()).on_conflict_do_nothing())


def reported(session: Session) -> list[tuple[MassBatch, MassReport]]:
    """The batches on which the platform has given its word: accepted ones, and those of which it was asked."""
    same = and_(
        col(MassReport.channel) == col(MassBatch.channel),
        col(MassReport.platform_id) == col(MassBatch.platform_id),
    )
    open_ = or_(col(MassBatch.state) == "accepted", col(MassBatch.outcome) == ASKED)
    statement = select(MassBatch, MassReport).join(MassReport, same).where(open_)
    return [(row[0], row[1]) for row in session.execute(statement)]


def unreported(session: Session, channel: str, before: datetime) -> Sequence[MassBatch]:
    """Batches that were accepted before then, and on which the platform has said nothing."""
    statement = select(MassBatch).where(
        col(MassBatch.channel) == channel, col(MassBatch.state) == "accepted", col(MassBatch.accepted_at) <= before
    )
    return session.execute(statement).scalars().all()


def halve(session: Session, batch: MassBatch, now: datetime) -> None:
    """Put two batches in the place of one that certainly reached nobody; each has a key of its own."""
    mine = select(col(MassSeat.delivery_id)).where(col(MassSeat.batch_id) == batch.id)
    seats = list(session.execute(mine.order_by(col(MassSeat.delivery_id))).scalars())
    middle = seats[len(seats) // 2]
    lower = col(MassSeat.delivery_id) < middle
    for size, which in ((len(seats) // 2, lower), (len(seats) - len(seats) // 2, ~lower)):
        same = {name: getattr(batch, name) for name in ("channel", "letter_id", "language", "lane", "month")}
        half = MassBatch(**same, key=secrets.token_hex(16), size=size, first_try_at=now, next_try_at=now)
        session.add(half)
        session.flush()
        here = (col(MassSeat.batch_id) == batch.id, which)
        count(session, update(MassSeat).where(*here).values(batch_id=half.id))
    batch.state, batch.ended_at, batch.outcome, batch.doubtful = "ended", now, HALVED, False
    session.add(batch)
    session.flush()


def finish(session: Session, batch: MassBatch, state: str, *, reason: str, outcome: str, now: datetime) -> None:
    """End the rows of a batch in `state`: sent, ambiguous, or cancelled, and then it counts for nobody."""
    _rows(session, batch, state=state, reason=reason, finished_at=now, platform_id=batch.platform_id)
    if state == "cancelled":
        _give_back(session, batch)
    _end(session, batch, outcome, now)


def next_way(session: Session, batch: MassBatch, *, reason: str, now: datetime) -> None:
    """It certainly reached nobody: each of its rows takes its next way, and it counts for nobody."""
    _rows(session, batch, **alone(batch.lane, now), reason=reason)
    _give_back(session, batch)
    _end(session, batch, f"permanent:{reason}", now)


def not_reached(session: Session, letter_id: int) -> int:
    """How many people the platform left out of a letter's batches without saying whom."""
    statement = select(func.coalesce(func.sum(col(MassBatch.not_reached)), 0))
    return int(session.execute(statement.where(col(MassBatch.letter_id) == letter_id)).scalar_one())


def alone(lane: int, now: datetime) -> dict[str, Any]:
    """What makes a row of a batch one that is claimed and sent by itself."""
    return {
        "state": "queued",
        "lane": lane,
        "channel": null(),
        "address": null(),
        "not_before": now,
        "lease_until": null(),
    }


def _mine(batch: MassBatch) -> Any:
    return select(col(MassSeat.delivery_id)).where(col(MassSeat.batch_id) == batch.id)


def _rows(session: Session, batch: MassBatch, was: str = "sending", **values: Any) -> None:
    count(session, update(Delivery).where(col(Delivery.id).in_(_mine(batch)), is_in(was)).values(**values))


def _end(session: Session, batch: MassBatch, outcome: str, now: datetime) -> None:
    batch.state, batch.ended_at, batch.outcome = "ended", now, outcome
    session.add(batch)
    tried = (col(Attempt.delivery_id).in_(_mine(batch)), col(Attempt.channel) == way(batch.channel))
    count(session, update(Attempt).where(*tried, col(Attempt.outcome) == "").values(outcome=outcome))
    session.flush()


def _take(session: Session, batch: MassBatch) -> None:
    insert_: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    month = literal(batch.month, MassCount.__table__.c.month.type)  # type: ignore[attr-defined]
    mine = select(literal(batch.channel), col(MassSeat.address), month, literal(1)).where(
        col(MassSeat.batch_id) == batch.id
    )
    adding = insert_(MassCount).from_select(["channel", "address", "month", "taken"], mine, include_defaults=False)
    session.execute(
        adding.on_conflict_do_update(
            index_elements=["channel", "address", "month"], set_={"taken": MassCount.taken + 1}
        )
    )


def _give_back(session: Session, batch: MassBatch) -> None:
    mine = select(col(MassSeat.address)).where(col(MassSeat.batch_id) == batch.id)
    here = (
        col(MassCount.channel) == batch.channel,
        col(MassCount.month) == batch.month,
        col(MassCount.address).in_(mine),
    )
    count(session, update(MassCount).where(*here, col(MassCount.taken) > 0).values(taken=MassCount.taken - 1))


def count(session: Session, statement: Any) -> int:
    """How many rows an update touched."""
    return int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
