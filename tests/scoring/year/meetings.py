"""Activities of the year: announced, attended, undone, closed, called off, approved late."""

from __future__ import annotations

from datetime import time, timedelta

from sqlalchemy import func, select, update
from sqlmodel import col

from db import activities, activity_records, attendance, ledger, members
from db.activities import Activity
from db.attendance import Attendance
from notices import closing
from scoring.booking import book_attendance, cause_of
from tests.conftest import ZONE
from tests.scoring.year.town import REGION, Town, local

TIMES = (time(), time(9), time(14, 30), time(19), time(23, 30))  # also those at which a day begins or ends
HELD = (
    "theme_party_day",
    "member_assembly;party_lecture",
    "branch_committee_meeting",
    "party_lecture",
    "org_life_meeting;democratic_review",
    "heart_talk",
    "volunteering",
)
LATELY = 45  # days


def announce(town: Town) -> int:
    """A new activity: today, soon, or written down late."""
    chance = town.chance
    shift = chance.choice((0, 0, 0, 0, 0, 0, chance.randint(1, 15), -chance.randint(1, 30)))
    starts = local(town.today + timedelta(days=shift), chance.choice(TIMES))
    ends = starts + timedelta(minutes=chance.choice((29, 60, 95, 300)))
    regional = chance.random() < 0.2
    one = Activity(
        code=f"Y{town.number()}",
        organization_id=chance.choice(town.branches),
        region_id=REGION if regional else None,
        scope="region" if regional else "branch",
        kinds=chance.choice(HELD),
        title="活动",
        place="x",
        starts_at=starts,
        ends_at=ends,
        check_in_opens_at=starts,
        check_in_closes_at=ends,
        approved=chance.random() < 0.9,
        created_at=town.now,
    )
    town.session.add(one)
    town.session.flush()
    assert one.id is not None
    if not one.approved:
        activity_records.note(town.session, one.id, town.now)
    return 1


def attend(town: Town) -> int:
    """Somebody checks in, or is recorded later by the secretary."""
    one = _lately(town, "cancelled")
    if one is None or one.id is None:
        return 0
    people = town.people_of(one.organization_id) if one.scope == "branch" else [town.member()]
    count = 0
    for member_id in town.chance.sample(people, min(len(people), town.chance.choice((1, 5, 20)))):
        mode = town.chance.choice(("onsite",) * 8 + ("remote", "make_up"))
        known = {"activity_id": one.id, "member_id": member_id, "mode": mode, "evidence": "code", "at": town.now}
        round_ = attendance.record(town.session, **known)
        if round_ is None:
            continue
        count += 1
        if mode != "make_up":
            branch = members.branch_of(town.session, member_id, one.starts_at.astimezone(ZONE).date())
            book_attendance(
                town.session,
                activity_id=one.id,
                scope=one.scope,
                title=one.title,
                starts_at=one.starts_at,
                member_id=member_id,
                organization_id=branch.id if branch else None,
                attended_round=round_,
                zone=ZONE,
                at=town.now,
            )
    if count and one.should_attend is not None:
        closing.close(town.session, one, town.now, ZONE)
    return count


def undo(town: Town) -> int:
    """A check-in is taken back, before or after the closing."""
    one = _lately(town, "cancelled")
    if one is None:
        return 0
    there = select(col(Attendance.member_id)).where(
        col(Attendance.activity_id) == one.id, col(Attendance.state) == "present"
    )
    found = town.session.execute(there.order_by(col(Attendance.member_id))).scalars().all()
    return stay_away(town, one, town.chance.choice(found)) if found else 0


def stay_away(town: Town, one: Activity, member_id: int) -> int:
    """Nobody was there: the attendance, its line and the figures follow."""
    assert one.id is not None
    round_ = attendance.undo(town.session, one.id, member_id)
    if round_ is None:
        return 0
    line = ledger.line(town.session, member_id, cause_of(one.id, round_))
    if line is not None:
        ledger.reverse(town.session, line, booked_at=town.now, reason="x")
    closing.close_again(town.session, one.id, town.now, ZONE)
    return 1


def close_ended(town: Town) -> int:
    """Whatever is over is closed."""
    count = 0
    while found := closing.close_ended(town.session, town.now, ZONE):
        count += len(found)
    return count


def call_off(town: Town) -> int:
    """An activity that is planned does not take place."""
    planned = select(func.max(col(Activity.id))).where(
        col(Activity.state) == "planned", col(Activity.starts_at) > town.now
    )
    found = town.session.execute(planned).scalar()
    if found is None or not activities.cancel(town.session, found):
        return 0
    activity_records.note(town.session, found, town.now)
    return 1


def approve(town: Town) -> int:
    """An activity is approved late, or its approval is taken back."""
    one = _lately(town, "none")
    if one is None or one.id is None:
        return 0
    town.session.execute(
        update(Activity).where(col(Activity.id) == one.id).values(approved=not one.approved),
        execution_options={"synchronize_session": "fetch"},
    )
    activity_records.note(town.session, one.id, town.now)
    return 1


def _lately(town: Town, without: str) -> Activity | None:
    """An activity of the last weeks that has begun; more often one of today."""
    days = 1 if town.chance.random() < 0.85 else LATELY
    begun = (
        select(col(Activity.id))
        .where(col(Activity.starts_at) <= town.now, col(Activity.starts_at) > town.now - timedelta(days=days))
        .where(col(Activity.state) != without, col(Activity.code).startswith("Y"))
        .order_by(col(Activity.id))
    )
    found = town.session.execute(begun).scalars().all()
    return town.session.get(Activity, town.chance.choice(found)) if found else None
