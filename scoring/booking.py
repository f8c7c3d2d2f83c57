"""What is booked for an event: one line in the ledger, whatever way it was recorded, and its opposite."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import ledger
from scoring.catalogue import shipped
from scoring.standing import Pay, pay

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


def worth(rule_id: str, day: date, grade: str = "", hundredths: int = 100) -> Pay | None:
    """What one event on `day` is worth in points, of this grade or so many hours; None: no terms that day.

    Hours that one event may bring at most are capped here; what a year may bring is the index's affair.
    Raises LookupError for an unknown rule or grade.
    """
    rule = shipped().rule(rule_id)
    terms = rule.terms_on(day)
    due = pay(rule_id, day, grade=grade if terms is not None and terms.grades is not None else None)
    if terms is None or due is None or terms.event_cap is None:
        return due
    return Pay(min(due.points * (hundredths // 100), terms.event_cap), due.terms_from)


def book_event(
    session: Session,
    *,
    member_id: int,
    organization_id: int | None,
    rule_id: str,
    cause: str,
    day: date,
    reason: str,
    at: datetime,
    grade: str = "",
    hundredths: int = 100,
) -> int | None:
    """Book one event of a member; its points. None: booked before, or the rule has no terms on that day.

    What is deducted lowers the index and leaves the wallet alone: those points may have been spent long ago.
    """
    due = worth(rule_id, day, grade, hundredths)
    if due is None:
        return None
    booked = ledger.book(
        session,
        member_id=member_id,
        organization_id=organization_id,
        rule_id=rule_id,
        terms_from=due.terms_from,
        cause=cause,
        points=due.points,
        hundredths=hundredths,
        day=day,
        in_wallet=due.points > 0,
        reason=reason,
        booked_at=at,
    )
    return due.points if booked else None


def take_back(
    session: Session, member_id: int, rule_id: str, cause: str, *, at: datetime, reason: str
) -> int | None:
    """Book the opposite of the line of a cause; the points that it moves. None: no such line, or undone before."""
    line = ledger.line(session, member_id, cause, rule_id)
    if line is None or not ledger.reverse(session, line, booked_at=at, reason=reason):
        return None
    return -line.points
