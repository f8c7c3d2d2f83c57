"""What attending pays: one line in the ledger per attendance, the same rule whatever way it was recorded."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import ledger
from scoring.standing import pay

RULES = {"branch": "PB1", "region": "PP1"}  # exactly one of them pays, by the activity's scope


def cause_of(activity_id: int, attended_round: int) -> str:
    """The ledger's cause of one attendance; coming again after an undo is a cause of its own."""
    return f"activity:{activity_id}" if attended_round == 1 else f"activity:{activity_id}:{attended_round}"


def book_attendance(
    session: Session,
    *,
    activity_id: int,
    scope: str,
    title: str,
    starts_at: datetime,
    member_id: int,
    organization_id: int | None,
    attended_round: int,
    zone: ZoneInfo,
    at: datetime,
) -> int:
    """Book the points of one attendance; how many there were. organization_id: the member's branch."""
    day = starts_at.astimezone(zone).date()  # it belongs to the day on which it began
    rule_id = RULES[scope]
    due = pay(rule_id, day)
    if due is None:
        return 0
    ledger.book(
        session,
        member_id=member_id,
        organization_id=organization_id,
        rule_id=rule_id,
        terms_from=due.terms_from,
        cause=cause_of(activity_id, attended_round),
        points=due.points,
        day=day,
        reason=title,
        booked_at=at,
    )
    return due.points
