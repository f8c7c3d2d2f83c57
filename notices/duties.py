"""The branch's year in reminders: to officers, of what is not done yet; to members, of their own days.

Every morning the branches are looked at in parts. All of it goes into the digest of the day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import dues, occurrences, organizations
from db.organizations import Organization
from notices import duty_people
from notices.digest import in_a_line
from notices.duty_days import Duty, ahead, behind, due_on, duties, duty_of, falls_on, term_ahead
from notices.duty_look import REVIEWER, Look, Step, look_at

TASK = "duties"
BATCH = 50  # branches of one transaction
COMMITTEE_FROM = 3  # people in a committee; smaller branches have a secretary alone
DUES_KEPT_DAYS = 62  # a branch that noted no payment for so long does not keep its dues here


def remind_next(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Look at the next BATCH branches of the morning's run; how many. 0: none is under way, or no more."""
    part = occurrences.next_branches(session, TASK, BATCH)
    if part is None:
        return 0
    _, ids = part
    remind(session, ids, now, zone)
    return len(ids)


def remind(session: Session, ids: Sequence[int], now: datetime, zone: ZoneInfo) -> int:
    """Remind of what these branches have to do; how many reminders are new. It may run any number of times."""
    today = now.astimezone(zone).date()
    due = list(due_on(today))
    look = look_at(session, ids, now, today, zone)
    for organization_id in ids:
        branch = organizations.get(session, organization_id)
        if branch.closed_on is not None and branch.closed_on <= today:
            continue
        for duty, day in due:
            if _missing(look, branch, duty, day):
                _of_duty(look, branch, duty, day)
        _of_term(look, branch)
        _of_theme_day(look, branch)
        duty_people.remind(look, branch)
    _tell_above(look, ids)
    return look.told


def _missing(look: Look, branch: Organization, duty: Duty, day: date) -> bool:
    """Whether the branch has the duty, and neither did it nor has planned it in the period of `day`."""
    assert branch.id is not None
    span = duty.span(day)
    if branch.founded_on is not None and branch.founded_on > day:
        return False
    if duty.needs == "groups" and branch.id not in look.groups:
        return False
    if duty.needs == "committee" and max(branch.committee_members or 0, look.committee(branch)) < COMMITTEE_FROM:
        return False
    if duty.needs == "mobile" and not look.out_of_reach(branch.id, span.first):
        return False
    if look.today > span.last or (branch.id, duty.id, span.text) in look.done:
        return False  # it is done, or the time for it is over: nothing can be done in it any more
    if duty.needs == "everybody":
        return look.without(branch.id, duty.kinds[0], span) > 0
    if not duty.kinds:
        return True
    days = {
        kind
        for row in look.happened[branch.id]
        if span.first <= row.starts_at.astimezone(look.zone).date() <= span.last
        for kind in row.kinds.split(";")
    }
    return not days.issuperset(duty.kinds)


def _of_duty(look: Look, branch: Organization, duty: Duty, day: date) -> None:
    assert branch.id is not None
    key = f"{duty.id}:{branch.id}:{day}"
    if "unpaid" in duty.to:
        _of_dues(look, branch, day)
        return
    if duty.needs == "owing":
        _of_owing(look, branch, duty, key)
        return
    higher = falls_on(duty.up, day)
    if "contact" in duty.to:
        to = look.of_mobile(branch, look.out_of_reach(branch.id, duty.span(day).first))
    else:
        to = look.of(branch, (*duty.to, *(one for one in duty.up_to if higher and one != REVIEWER)))
    secretaries = look.secretaries(branch)
    tick: Step | None = ("duties.tick", f"duty:{duty.id}:{duty.span(day).text}") if duty.ticked else None
    arrange: Step | None = ("duties.arrange", "activities:new") if duty.kinds else None
    values = {}
    if duty.needs == "everybody":
        values["count"] = look.without(branch.id, duty.kinds[0], duty.span(day))
    look.tell([one for one in to if one in secretaries], duty.id, key, tick or arrange, **values)
    others = None if "contact" in duty.to else tick  # one contact does not speak for all
    look.tell([one for one in to if one not in secretaries], duty.id, key, others, **values)
    if higher and REVIEWER in duty.up_to:
        for reviewer in look.reviewers(branch):
            look.above[duty.id, day, reviewer].append(branch.name)


def _tell_above(look: Look, ids: Sequence[int]) -> None:
    """One line to a reviewer about all branches of this part that have not done a duty."""
    for (duty_id, day, reviewer), names in look.above.items():
        branches = in_a_line(names)
        key = f"{duty_id}:above:{day}:{ids[0]}"
        look.tell([reviewer], f"above_{duty_id}", key, branches=branches, count=len(names))


def _of_dues(look: Look, branch: Organization, day: date) -> None:
    """Whoever owes this month's dues hears of it alone; nobody in a branch that keeps no dues here."""
    assert branch.id is not None
    month, since = f"{look.today:%Y-%m}", look.today - timedelta(days=DUES_KEPT_DAYS)
    ids = dues.unpaid(look.session, branch.id, month, look.today, kept_since=f"{since:%Y-%m}")
    look.tell(ids, "dues_month", f"dues_month:{day}", ("duties.my_dues", "dues:mine"), month=look.today.month)


def _of_owing(look: Look, branch: Organization, duty: Duty, key: str) -> None:
    """How many owe last month's dues; the names stand behind the button."""
    assert branch.id is not None
    last = look.today.replace(day=1) - timedelta(days=1)
    owing = len(dues.owed(look.session, branch.id, [(f"{last:%Y-%m}", last)]))
    if owing:
        step = ("duties.arrears", "dues:arrears")
        look.tell(look.of(branch, duty.to), duty.id, key, step, count=owing, month=last.month)


def _of_term(look: Look, branch: Organization) -> None:
    """The end of the committee's term comes near, or has passed: to the committee, and to whoever reviews it."""
    ends = branch.term_ends_on
    if ends is None:
        return
    months = term_ahead(ends, look.today) if ends >= look.today else None
    late = behind(duties()[1].term_late_days, ends, look.today)
    if months is None and late is None:
        return
    name, count = ("term_election", months) if months is not None else ("term_over", f"late{late}")
    to = [*look.of(branch, ("branch_committee",)), *look.reviewers(branch)]
    values: dict[str, Any] = {"branch": branch.name, "year": ends.year, "month": ends.month, "day": ends.day}
    look.tell(list(dict.fromkeys(to)), name, f"term_election:{branch.id}:{ends}:{count}", **values)


def _of_theme_day(look: Look, branch: Organization) -> None:
    """A theme day in a week wants its theme; on the day itself dues are paid."""
    assert branch.id is not None
    monthly = duty_of("dues_month")
    for row in look.happened[branch.id]:
        day = row.starts_at.astimezone(look.zone).date()
        if "theme_party_day" not in row.kinds.split(";") or row.should_attend is not None:
            continue
        if day == look.today and monthly is not None:
            _of_dues(look, branch, day)
        count = ahead(duties()[1].theme_day_days, day, look.today)
        if count is not None and day > look.today + timedelta(days=3):
            key, step = f"theme_day:{branch.id}:{day}", ("duties.my_activities", "activities")
            look.tell(look.secretaries(branch), "theme_day", key, step, month=day.month, day=day.day)
