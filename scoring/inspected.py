"""What an inspection becomes in the indices: a value of an indicator, or cases of the negative list.

A fact belongs to its day. When the period of that day is locked, it goes to the period of the posting.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from db import negatives, periods_locked, values
from db.inspections import Inspection
from scoring.catalogue import Catalogue, shipped
from scoring.items import Indicator, NegativeItem, Period, rows_on
from scoring.periods import CalendarPeriod, periods_of

COLLECT = "inspect"
OVERDUE_ITEM = "N14"  # what an overdue rectification costs
CORRECTION = "correction:"  # begins the cause of a value that stands in for one posted by mistake


@dataclass(frozen=True, slots=True)
class Place:
    """Where a posting goes. moved: the period of the fact is locked, so it is that of the posting."""

    period: str  # of the value; of a negative item its month
    day: date  # of the negative line
    moved: bool


def items_of(field: str, day: date, catalogue: Catalogue | None = None) -> tuple[Indicator | NegativeItem, ...]:
    """What can be inspected in a branch of `field`: its indicators, then the items of the negative list."""
    rules = catalogue or shipped()
    rows: list[Indicator | NegativeItem] = [*rules.indicators_on(field, day), *rules.negatives_on(field, day)]
    return tuple(row for row in rows if row.collect == COLLECT)


def item_on(item_id: str, day: date, catalogue: Catalogue | None = None) -> Indicator | NegativeItem:
    """The indicator or negative item with this id on `day`. Raises LookupError when there is none."""
    rules = catalogue or shipped()
    rows: list[Indicator | NegativeItem] = [*rows_on(rules.indicators, day), *rows_on(rules.negatives, day)]
    for row in rows:
        if row.id == item_id:
            return row
    raise LookupError(f"no item {item_id[:40]!r} on {day}")


def period_of(kind: Period, day: date) -> CalendarPeriod:
    """The period in which `day` lies."""
    return next(one for one in periods_of(kind, day.year) if one.first <= day <= one.last)


def place(session: Session, item: Indicator | NegativeItem, day: date, today: date) -> Place:
    """Where a fact of `day` would be posted today. For showing; `hold_place` is for posting."""
    here, now = _places(item, day, today)
    return now if periods_locked.is_locked(session, here.period) else here


def hold_place(session: Session, item: Indicator | NegativeItem, day: date, today: date) -> Place:
    """The same, and the period stays open until this transaction ends."""
    here, now = _places(item, day, today)
    if periods_locked.hold_open(session, here.period):
        return here
    periods_locked.hold_open(session, now.period)
    return now


def _places(item: Indicator | NegativeItem, day: date, today: date) -> tuple[Place, Place]:
    kind: Period = item.period if isinstance(item, Indicator) else "monthly"
    return (
        Place(period_of(kind, day).text, day, moved=False),
        Place(period_of(kind, today).text, today, moved=True),
    )


def post(session: Session, inspection: Inspection, at: Place, *, member_id: int, now: datetime) -> bool:
    """Let the inspection count; False when it was posted before."""
    item = item_on(inspection.item_id, inspection.day)
    if isinstance(item, Indicator):
        return values.record(
            session,
            organization_id=inspection.organization_id,
            indicator_id=item.id,
            period=at.period,
            value=inspection.value,
            collect=COLLECT,
            cause=cause_of(inspection),
            reason=inspection.note,
            recorded_by=member_id,
            recorded_at=now,
        )
    return negatives.post(
        session,
        organization_id=inspection.organization_id,
        item_id=item.id,
        day=at.day,
        count=int(inspection.value),
        cause=cause_of(inspection),
        note=inspection.note,
        recorded_by=member_id,
        recorded_at=now,
    )


def cause_of(inspection: Inspection) -> str:
    """The cause of its posting."""
    return f"inspection:{inspection.id}"


def take_back(session: Session, inspection: Inspection, *, member_id: int, now: datetime, reason: str) -> None:
    """Undo a posting: the opposite line on its day, or the value that counted before.

    A value that was posted after this one goes on to count.
    """
    item, cause = item_on(inspection.item_id, inspection.day), cause_of(inspection)
    branch_id = inspection.organization_id
    if isinstance(item, NegativeItem):
        negatives.take_back(
            session,
            organization_id=branch_id,
            item_id=item.id,
            cause=cause,
            note=reason,
            recorded_by=member_id,
            recorded_at=now,
        )
        return
    standing = _standing(session, branch_id, item.id, inspection.posted_to)
    if not standing or standing[-1].cause != cause:
        return
    values.record(
        session,
        organization_id=branch_id,
        indicator_id=item.id,
        period=inspection.posted_to,
        value=standing[-2].value if len(standing) > 1 else "",
        collect=COLLECT,
        cause=CORRECTION + cause,
        reason=reason,
        recorded_by=member_id,
        recorded_at=now,
    )


def _standing(session: Session, branch_id: int, indicator_id: str, period: str) -> list[values.ValueRecord]:
    """The lines of the log that were not corrected, the latest last."""
    lines = values.history(session, branch_id, indicator_id, period)
    corrected = {one.cause.removeprefix(CORRECTION) for one in lines if one.cause.startswith(CORRECTION)}
    return [one for one in lines if not one.cause.startswith(CORRECTION) and one.cause not in corrected]
