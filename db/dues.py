"""Dues: who paid for which month (only a tick, never an amount), and the reminders of those who are late."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Index, and_, or_, select, update
from sqlmodel import Field, Session, SQLModel, col

from db.deliveries import TERMINAL, Delivery
from db.members import Member, Membership
from db.once import add_once
from db.wishes import changed


class DuesPayment(SQLModel, table=True):
    """One month's dues of one member. A tick taken back stays as `undone`; ticking again is a new round."""

    __tablename__ = "dues_payment"
    __table_args__ = (
        CheckConstraint("state IN ('paid', 'undone')", name="state"),
        Index("ix_dues_payment_organization_id", "organization_id", "month"),
    )
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    month: str = Field(primary_key=True)  # 2026-06
    organization_id: int = Field(foreign_key="organization.id")  # the branch that noted it
    state: str = "paid"
    in_time: bool  # noted within the month that it is for
    round: int = 1
    ticked_by: int = Field(foreign_key="member.id")
    ticked_at: datetime


class DuesReminder(SQLModel, table=True):
    """One reminder of one member. It takes a point only once it has arrived, and only if the dues were late."""

    __tablename__ = "dues_reminder"
    __table_args__ = (
        CheckConstraint("state IN ('sent', 'booked', 'void')", name="state"),
        Index("ix_dues_reminder_state", "state", "day"),
    )
    member_id: int = Field(foreign_key="member.id", primary_key=True)
    day: date = Field(primary_key=True)
    organization_id: int = Field(foreign_key="organization.id")
    months: str  # that were owed on that day, joined by semicolons, the oldest first
    key: str  # of its delivery in the outbox
    state: str = "sent"  # handed to the outbox; booked; void: it never arrived, or was not due


def cause_of(month: str, round_: int) -> str:
    """The ledger's cause of a payment in time; ticking again after an undo is a cause of its own."""
    return f"dues:{month}" if round_ == 1 else f"dues:{month}:{round_}"


def reminder_cause(day: date) -> str:
    """The ledger's cause of one reminder, and its key in the outbox."""
    return f"dues_reminder:{day.isoformat()}"


def tick(
    session: Session, *, member_id: int, month: str, organization_id: int, in_time: bool, by: int, at: datetime
) -> int | None:
    """Note a payment: its round, or None when it was noted before."""
    values = {
        "member_id": member_id,
        "month": month,
        "organization_id": organization_id,
        "in_time": in_time,
        "state": "paid",
        "round": 1,
        "ticked_by": by,
        "ticked_at": at,
    }
    if add_once(session, DuesPayment, values):
        return 1
    again = (
        update(DuesPayment)
        .where(col(DuesPayment.member_id) == member_id, col(DuesPayment.month) == month)
        .where(col(DuesPayment.state) == "undone")
        .values(
            state="paid",
            round=DuesPayment.round + 1,
            in_time=in_time,
            ticked_by=by,
            ticked_at=at,
            organization_id=organization_id,
        )
        .returning(col(DuesPayment.round))
    )
    found = session.execute(again, execution_options={"synchronize_session": False}).scalar()
    return int(found) if found is not None else None


def untick(session: Session, member_id: int, month: str) -> int | None:
    """Take a tick back: its round, or None when there is none."""
    statement = (
        update(DuesPayment)
        .where(col(DuesPayment.member_id) == member_id, col(DuesPayment.month) == month)
        .where(col(DuesPayment.state) == "paid")
        .values(state="undone")
        .returning(col(DuesPayment.round))
    )
    found = session.execute(statement, execution_options={"synchronize_session": False}).scalar()
    return int(found) if found is not None else None


def paid(session: Session, member_ids: Collection[int], month: str) -> dict[int, bool]:
    """Who of these has paid for the month; True: in time."""
    statement = select(col(DuesPayment.member_id), col(DuesPayment.in_time)).where(
        col(DuesPayment.member_id).in_(member_ids),
        col(DuesPayment.month) == month,
        col(DuesPayment.state) == "paid",
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def months_of(session: Session, member_id: int, year: int) -> dict[str, bool]:
    """The months of the year that the member has paid for; True: in time."""
    statement = (
        select(col(DuesPayment.month), col(DuesPayment.in_time))
        .where(col(DuesPayment.member_id) == member_id, col(DuesPayment.month).startswith(f"{year}-"))
        .where(col(DuesPayment.state) == "paid")
        .order_by(col(DuesPayment.month))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


class Owed(NamedTuple):
    """A member in arrears: the months, the oldest first."""

    member_id: int
    organization_id: int
    months: tuple[str, ...]


def owed(session: Session, organization_id: int, months: Sequence[tuple[str, date]]) -> list[Owed]:
    """Who in the branch owes which of these months ((month, its last day), the oldest first).

    Only months in which the branch noted any payment: what nobody keeps, nobody can be late with. Due for a month
    is whoever belonged to the branch on its last day and is active still.
    """
    names = [month for month, _ in months]
    kept = set(
        session.execute(
            select(col(DuesPayment.month))
            .where(col(DuesPayment.organization_id) == organization_id, col(DuesPayment.month).in_(names))
            .where(col(DuesPayment.state) == "paid")
            .distinct()
        ).scalars()
    )
    missing: dict[int, list[str]] = {}
    for month, last in months:
        if month in kept:
            due = _due(session, organization_id, last)
            for member_id in sorted(due - paid(session, due, month).keys()):
                missing.setdefault(member_id, []).append(month)
    return [Owed(member_id, organization_id, tuple(owing)) for member_id, owing in sorted(missing.items())]


def unpaid(session: Session, organization_id: int, month: str, day: date, *, kept_since: str) -> list[int]:
    """Who belongs to the branch on `day` and has not paid for the month yet.

    Nobody in a branch that has noted no payment for any month since `kept_since`: it keeps its dues elsewhere.
    """
    kept = select(col(DuesPayment.member_id)).where(
        col(DuesPayment.organization_id) == organization_id,
        col(DuesPayment.month) >= kept_since,
        col(DuesPayment.state) == "paid",
    )
    if session.execute(kept.limit(1)).first() is None:
        return []
    due = _due(session, organization_id, day)
    return sorted(due - paid(session, due, month).keys())


def _due(session: Session, organization_id: int, last: date) -> set[int]:
    statement = (
        select(col(Membership.member_id))
        .join(Member, col(Member.id) == col(Membership.member_id))
        .where(
            col(Membership.organization_id) == organization_id,
            col(Membership.from_day) <= last,
            or_(col(Membership.to_day).is_(None), col(Membership.to_day) > last),
            col(Member.status) == "active",
        )
    )
    return set(session.execute(statement).scalars())


def remind(session: Session, one: Owed, day: date) -> bool:
    """Note the reminder of this day; False when the member had one that day."""
    values = {
        "member_id": one.member_id,
        "day": day,
        "organization_id": one.organization_id,
        "months": ";".join(one.months),
        "key": reminder_cause(day),
        "state": "sent",
    }
    return add_once(session, DuesReminder, values)


def arrived(session: Session, *, most: int) -> Sequence[tuple[DuesReminder, bool]]:
    """Reminders whose sending has come to an end, each with whether it arrived; the oldest first."""
    statement = (
        select(DuesReminder, col(Delivery.state))
        .join(
            Delivery,
            and_(
                col(Delivery.member_id) == col(DuesReminder.member_id),
                col(Delivery.key) == col(DuesReminder.key),
                col(Delivery.part) == 1,
            ),
        )
        .where(col(DuesReminder.state) == "sent", col(Delivery.state).in_(TERMINAL))
        .order_by(col(DuesReminder.day), col(DuesReminder.member_id))
        .limit(most)
    )
    return [(row[0], row[1] == "sent") for row in session.execute(statement)]


def settle(session: Session, reminder: DuesReminder, state: str) -> bool:
    """Move a reminder on to `booked` or `void`; False when that was done before."""
    moving = (
        update(DuesReminder)
        .where(col(DuesReminder.member_id) == reminder.member_id, col(DuesReminder.day) == reminder.day)
        .where(col(DuesReminder.state) == "sent")
        .values(state=state)
    )
    return changed(session, moving)


def late_still(session: Session, member_id: int, months: Collection[str]) -> bool:
    """Whether one of these months was not paid in time (paid later, or not at all)."""
    in_time = {month for month in months if paid(session, [member_id], month).get(member_id)}
    return bool(set(months) - in_time)


def void(session: Session, member_id: int, day: date) -> None:
    """The line of a reminder was taken back."""
    moving = update(DuesReminder).where(col(DuesReminder.member_id) == member_id, col(DuesReminder.day) == day)
    session.execute(moving.values(state="void"), execution_options={"synchronize_session": "fetch"})
