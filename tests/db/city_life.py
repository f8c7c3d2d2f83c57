"""What happens in the two branches of the cast: dues, meetings, values, nights."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from db import attendance, ledger, negatives, values
from db.activities import Activity
from scoring.observing import record_observed
from tests.cast import LIANGFENG, SHAZHOU
from tests.conftest import ZONE

DAY = timedelta(days=1)
BOTH = [LIANGFENG, SHAZHOU]


def noon(day):
    return datetime(day.year, day.month, day.day, 4, 0, tzinfo=UTC)


def night(session, day):
    """The run of one night; how many lines it wrote."""
    return record_observed(session, BOTH, day, noon(day), ZONE)


def pay(session, member_id, day, hundredths=100, cause=None):
    ledger.book(
        session,
        member_id=member_id,
        rule_id="PB2",
        cause=cause or f"dues:{day:%Y-%m}",
        points=hundredths // 100,
        hundredths=hundredths,
        day=day,
        booked_at=noon(day),
    )


def book(session, rule_id, member_id, day, hundredths):
    ledger.book(
        session,
        member_id=member_id,
        rule_id=rule_id,
        cause=f"{rule_id}:{day}",
        points=0,
        hundredths=hundredths,
        day=day,
        booked_at=noon(day),
    )


def hold(session, branch, kind, day, attended=5, scope="branch"):
    """An activity that was closed; its id."""
    starts = noon(day)
    row = Activity(
        code=f"{branch}{kind}{day}",
        organization_id=branch,
        region_id=1 if scope == "region" else None,
        scope=scope,
        kinds=kind,
        title="会",
        place="室",
        starts_at=starts,
        ends_at=starts + timedelta(hours=1),
        check_in_opens_at=starts,
        check_in_closes_at=starts + timedelta(hours=1),
        state="held",
        should_attend=8,
        attended=attended,
    )
    session.add(row)
    session.flush()
    return row.id


def come(session, activity_id, member_id, day):
    attendance.record(
        session, activity_id=activity_id, member_id=member_id, mode="onsite", evidence="code", at=noon(day)
    )


def value(session, branch, value_id, period):
    return values.latest(session, branch, value_id, period)


def net(session, branch, item_id, month):
    first = date(2026, month, 1)
    last = (first + 31 * DAY).replace(day=1) - DAY
    return sum(one.count for one in negatives.lines(session, branch, first, last) if one.item_id == item_id)
