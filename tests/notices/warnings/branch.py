"""What a branch has held, and what is missing then."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from db import warnings
from db.activities import Activity
from notices.troubles import VETO, Branch, troubles
from scoring.catalogue import shipped
from scoring.fortress_facts import Activity as Fact
from tests.cast import LIANGFENG

DAY = timedelta(days=1)
LECTURE, THEME, ASSEMBLY, COMMITTEE = (
    "party_lecture",
    "theme_party_day",
    "member_assembly",
    "branch_committee_meeting",
)


def nine(month, day, year=2026):
    """09:00 in Shanghai."""
    return datetime(year, month, day, 1, 0, tzinfo=UTC)


def fact(day, kind=THEME, *, attended=10, scope="branch"):
    return Fact(day, scope, frozenset({kind}), 20, attended)


def kinds(as_of, *facts, **more):
    found = troubles(shipped(), Branch(activities=facts, **more), as_of)
    return {one.kind for one in found}


def veto_on(as_of, count, founded_on=None):
    facts = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(count)]
    found = troubles(shipped(), Branch(founded_on, facts), as_of)
    return next((one.proof for one in found if one.kind == VETO), None)


def held(activity_id, starts_at, kind="volunteering", **more):
    return Activity(
        id=activity_id,
        code=f"{900000 + activity_id}",
        organization_id=LIANGFENG,
        scope="branch",
        kinds=kind,
        title="活动",
        place="活动室",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        check_in_opens_at=starts_at,
        check_in_closes_at=starts_at + timedelta(hours=2),
        **{"state": "held", "should_attend": 7, "attended": 4, **more},
    )


async def rows(look):
    return await look(
        lambda s: [
            (row.kind, row.period, row.state)
            for row in s.execute(select(warnings.BranchWarning).order_by(warnings.BranchWarning.id)).scalars()
        ]
    )


async def yearly(look):
    """Leave branch 10 with one activity in the year, so that the veto forecast stays open."""
    await look(lambda s: [s.delete(s.get(Activity, 100 + n)) for n in range(1, 6)])
