"""Duty activities: what a branch held that its members had to attend."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from db.activities import Activity

COUNTABLE = frozenset({"member_assembly", "party_lecture", "theme_party_day", "org_life_meeting", "volunteering"})
"""Kinds that count for the veto and as duties; committee and group meetings do not."""

CITY = ZoneInfo("Asia/Shanghai")


def duty_activities(
    session: Session,
    spans: Iterable[tuple[int, date, date | None]],
    as_of: date,
    zone: ZoneInfo = CITY,
) -> int:
    """How many approved branch activities of a countable kind lay within (branch, from_day, to_day) this year."""
    count = 0
    for organization_id, from_day, to_day in spans:
        first = max(from_day, date(as_of.year, 1, 1))
        begin = datetime.combine(first, time(), zone)
        rows = session.execute(
            select(col(Activity.kinds), col(Activity.starts_at)).where(
                col(Activity.organization_id) == organization_id,
                col(Activity.scope) == "branch",
                col(Activity.approved).is_(True),
                col(Activity.state) != "cancelled",
                col(Activity.starts_at) >= begin,
            )
        )
        for kinds, starts_at in rows:
            day = starts_at.astimezone(zone).date()
            if day <= as_of and (to_day is None or day < to_day) and COUNTABLE & set(kinds.split(";")):
                count += 1
    return count


def over(
    session: Session, organization_id: int, kinds: Collection[str], begin: datetime, now: datetime, *, held: bool
) -> Sequence[Activity]:
    """The organisation's approved activities of one of these kinds that began since `begin` and are over.

    held: only those to which enough people came. The newest first.
    """
    statement = (
        select(Activity)
        .where(
            col(Activity.organization_id) == organization_id,
            col(Activity.approved).is_(True),
            col(Activity.state) != "cancelled",
            col(Activity.should_attend).is_not(None),
            col(Activity.starts_at) >= begin,
            col(Activity.ends_at) <= now,
        )
        .order_by(col(Activity.starts_at).desc(), col(Activity.id).desc())
    )
    if held:
        statement = statement.where(col(Activity.state) == "held")
    found = session.execute(statement).scalars().all()
    return [one for one in found if not set(kinds).isdisjoint(one.kinds.split(";"))]
