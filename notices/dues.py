"""Members in arrears with their dues are reminded on fixed days; only a reminder that arrived takes a point.

The branches are looked at in parts. The secretary is told of long arrears; what follows is the branch's decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import dues, members, occurrences, organizations
from db.dues import Owed
from notices import record_notes
from scoring.booking import book_event
from scoring.record_rules import record_rules

TASK = "dues_reminders"  # name of the task whose branches are looked at in parts
BATCH = 50  # branches of one transaction
BOOKED_MAX = 200  # reminders of one transaction
RULE = "PN3"


def cron() -> str:
    """At ten in the morning of the days that the rules name."""
    return f"0 10 {','.join(str(day) for day in record_rules().dues.late_days)} * *"


def months_back(today: date, count: int) -> list[str]:
    """The `count` months before the one of `today`, the nearest first."""
    months: list[str] = []
    first = today.replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(f"{first:%Y-%m}")
    return months


def arrears(session: Session, organization_id: int, today: date) -> list[Owed]:
    """Who in the branch owes dues of earlier months, as far back as the rules look."""
    found: list[tuple[str, date]] = []
    after = today.replace(day=1)
    for month in months_back(today, record_rules().dues.back_months):
        last = after - timedelta(days=1)
        found.append((month, last))
        after = last.replace(day=1)
    return dues.owed(session, organization_id, found[::-1])


def remind_next(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Remind in the next BATCH branches of the day that is under way; how many. 0: there is none, or no more."""
    part = occurrences.next_branches(session, TASK, BATCH)
    if part is None:
        return 0
    _, ids = part
    today = now.astimezone(zone).date()
    for organization_id in ids:
        remind(session, organization_id, today, now)
    return len(ids)


def remind(session: Session, organization_id: int, today: date, now: datetime) -> int:
    """Remind everybody in arrears of one branch, each once that day; how many."""
    found = arrears(session, organization_id, today)
    reminded = [one for one in found if dues.remind(session, one, today)]
    for one in reminded:
        joint = "、".join(one.months)
        key = dues.reminder_cause(today)
        steps = [("recording.my_dues", "dues:mine")]
        record_notes.tell(session, [one.member_id], "dues_owed", key, now, steps, months=joint)
    _flag(session, organization_id, found, today, now)
    return len(reminded)


def _flag(session: Session, organization_id: int, found: Sequence[Owed], today: date, now: datetime) -> None:
    """Tell the secretary of arrears that have just become long; once per length and month."""
    branch = organizations.get(session, organization_id)
    ids = [one.id for one in members.holders(session, branch, "secretary", today) if one.id is not None]
    for length in record_rules().dues.flag_months:
        count = sum(_in_a_row(one, today) == length for one in found)
        if count and ids:
            name = "dues_flag" if length < max(record_rules().dues.flag_months) else "dues_flag_last"
            key = f"dues_flag:{organization_id}:{today:%Y-%m}:{length}"
            steps = [("recording.arrears", "dues:arrears")]
            record_notes.tell(session, ids, name, key, now, steps, count=count, months=length)


def _in_a_row(one: Owed, today: date) -> int:
    """How many months up to the last one are owed without a gap."""
    length = 0
    for month in months_back(today, record_rules().dues.back_months):
        if month not in one.months:
            break
        length += 1
    return length


def book_arrived(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Book the reminders that have arrived; those that came to nothing take no point. How many were looked at."""
    found = dues.arrived(session, most=BOOKED_MAX)
    for reminder, came in found:
        months = reminder.months.split(";")
        late = came and dues.late_still(session, reminder.member_id, months)
        if not dues.settle(session, reminder, "booked" if late else "void") or not late:
            continue
        book_event(
            session,
            member_id=reminder.member_id,
            organization_id=reminder.organization_id,
            rule_id=RULE,
            cause=dues.reminder_cause(reminder.day),
            day=reminder.day,
            reason="、".join(months),
            at=now,
        )
    return len(found)
