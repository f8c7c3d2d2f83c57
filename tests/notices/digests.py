"""What the tests of reminders share: what a person is told, at once or with the next digest."""

from __future__ import annotations

from sqlmodel import Session, select

from db.deliveries import Delivery
from db.occurrences import NOTE, Reminder


def noted(session: Session, person: int) -> list[str]:
    """Texts that wait for the person's next digest, in order."""
    rows = session.execute(
        select(Reminder).where(Reminder.member_id == person, Reminder.kind == NOTE).order_by(Reminder.id)
    )
    return [row.content["text"] for row in rows.scalars() if row.content]


def told(session: Session, person: int) -> list[str]:
    """Texts that were told at once, then those of the next digest."""
    rows = session.execute(select(Delivery).where(Delivery.member_id == person).order_by(Delivery.id))
    return [row.content["text"] for row in rows.scalars() if row.content] + noted(session, person)
