"""Study hours that an activity carries by itself: booked when it is closed, taken back from who was not there."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlmodel import Session

from db import attendance, ledger, ledger_lines, members
from db.activities import Activity
from db.attendance import CAME
from scoring.booking import book_event
from scoring.record_rules import record_rules

RULE = "PB3"
STUDIED = (*CAME, "make_up")
"""Making up later is no attendance, but it is the study that was missed."""

HALF_HOUR = timedelta(minutes=30)


def hundredths_of(activity: Activity) -> int:
    """The hours that the activity carries, in hundredths; 0 for a kind that is no study."""
    rules = record_rules().study
    if set(rules.kinds).isdisjoint(activity.kinds.split(";")):
        return 0
    return 50 * min(rules.half_hours_max, (activity.ends_at - activity.starts_at) // HALF_HOUR)


def cause_of(activity_id: int, attended_round: int) -> str:
    """The ledger's cause of these hours; coming again after an undo is a cause of its own."""
    return f"study:{activity_id}" if attended_round == 1 else f"study:{activity_id}:{attended_round}"


def settle(session: Session, activity: Activity, day: date, now: datetime) -> None:
    """Book the hours of everybody who studied, and take back those of whoever did not. Doing it twice is once."""
    hundredths = hundredths_of(activity)
    if not hundredths or activity.id is None:
        return
    came = attendance.rounds(session, activity.id)
    due = {
        member_id: cause_of(activity.id, attended_round)
        for member_id, mode, attended_round, present in came
        if present and mode in STUDIED
    }
    last = max((row[2] for row in came), default=0)
    causes = [cause_of(activity.id, number) for number in range(1, last + 1)]
    for line in ledger_lines.standing(session, causes, RULE):
        if due.get(line.member_id) == line.cause:
            del due[line.member_id]
        else:
            ledger.reverse(session, line, booked_at=now, reason=line.reason)
    for member_id, cause in due.items():
        branch = members.branch_of(session, member_id, day) if activity.scope == "region" else None
        book_event(
            session,
            member_id=member_id,
            organization_id=(branch.id if branch else None) or activity.organization_id,
            rule_id=RULE,
            cause=cause,
            day=day,
            reason=activity.title,
            at=now,
            hundredths=hundredths,
        )
