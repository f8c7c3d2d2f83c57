"""Closing an activity: who came, who should have come, and whether it was held."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, activity_records, attendance
from db.activities import Activity
from db.attendance import CAME
from db.duties import COUNTABLE
from notices import presence
from scoring import study
from scoring.catalogue import shipped

EVERYBODY = COUNTABLE | {"democratic_review", "term_election"}
"""Kinds of a branch to which every member is due. To any other meeting those who came are those who were due."""

BATCH = 50  # activities of one transaction


class Closed(NamedTuple):
    """How an activity went."""

    held: bool
    should_attend: int
    attended: int


def close(session: Session, activity: Activity, now: datetime, zone: ZoneInfo) -> Closed:
    """Settle the remote seats, count, and note the result. It may be closed again after a late record."""
    assert activity.id is not None
    activity_records.keep_first(session, activity)
    if activity.should_attend is None:
        presence.settle_seats(session, activity, now, zone)
    present = attendance.present(session, activity.id)
    attended = sum(present[mode] for mode in CAME)
    day = activity.starts_at.astimezone(zone).date()
    due = activity.scope == "branch" and not EVERYBODY.isdisjoint(activity.kinds.split(";"))
    should = len(activities.invited_members(session, activity, day)) if due else attended
    share = shipped().fortress.terms_on(day).veto.held_share
    held = should > 0 and attended >= share * should
    state = "held" if held else "not_held"
    activities.close(session, activity.id, state=state, should_attend=should, attended=attended)
    activity_records.note(session, activity.id, now)
    study.settle(session, activity, day, now)
    return Closed(held, should, attended)


def close_again(session: Session, activity_id: int, now: datetime, zone: ZoneInfo) -> None:
    """Count anew what was closed, after an attendance that came to nothing; before the first close do nothing."""
    activity = activities.get(session, activity_id)
    if activity is not None and activity.should_attend is not None and activity.state != "cancelled":
        close(session, activity, now, zone)


def close_ended(session: Session, now: datetime, zone: ZoneInfo) -> list[Activity]:
    """Close up to BATCH activities that are over and whose last answer from afar is due; those activities."""
    found = list(activities.to_close(session, now - presence.ANSWER_FOR, BATCH))
    for activity in found:
        close(session, activity, now, zone)
    return found
