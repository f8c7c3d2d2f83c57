"""The branch's year in reminders: to secretaries, of what is not done yet; to members, of their own days.

Every morning the branches are looked at in parts. All of it goes into the digest of the day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, dated_facts, duty_facts, members, occurrences, organizations
from db.activities import Happened
from db.dated_facts import Standing
from db.duty_facts import Person
from db.organizations import Organization
from notices import birthdays
from notices.channel import Button, Message
from notices.dated_days import due, kinds
from notices.digest import later
from notices.duty_days import Duty, ahead, due_on, duties, term_ahead
from notices.voices import voices
from scoring.periods import periods_of

TASK = "duties"
BATCH = 50  # branches of one transaction
COMMITTEE_FROM = 3  # people in a committee; smaller branches have a secretary alone
KEPT_FOR = timedelta(days=7)


@dataclass(slots=True)
class _Look:
    """What one look at some branches knows."""

    session: Session
    now: datetime
    today: date
    zone: ZoneInfo
    happened: dict[int, list[Happened]]
    people: dict[int, list[Person]]
    groups: Collection[int]
    facts: dict[int, list[Standing]]
    told: int = 0

    def tell(self, ids: Sequence[int | None], name: str, key: str, action: str = "", **values: object) -> None:
        """Put the text `duties.NAME` into the digests of these people."""
        for member_id, say in voices(self.session, [one for one in ids if one is not None]).items():
            steps = (Button(say(f"duties.{action}"), _ACTIONS[action]),) if action else ()
            self.told += later(
                self.session,
                member_id=member_id,
                key=f"duty:{key}",
                message=Message(say(f"duties.{name}", **values), steps),
                now=self.now,
                zone=self.zone,
                expires_at=self.now + KEPT_FOR,
            )


_ACTIONS = {"arrange": "activities:new", "my_activities": "activities", "dated": "dated"}


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
    look = _look(session, ids, now, today, zone)
    for organization_id in ids:
        branch = organizations.get(session, organization_id)
        if branch.closed_on is not None and branch.closed_on <= today:
            continue
        wanted = [(duty, day) for duty, day in due if _missing(look, branch, duty, day)]
        secretaries = [one.id for one in members.holders(session, branch, "secretary", today)]
        for duty, day in wanted:
            action = "arrange" if duty.kind else ""
            look.tell(secretaries, duty.id, f"{duty.id}:{branch.id}:{day}", action)
        _of_term(look, branch, secretaries)
        _of_theme_day(look, branch, secretaries)
        _of_people(look, branch, secretaries)
        _of_facts(look, branch, secretaries)
    return look.told


def _look(session: Session, ids: Sequence[int], now: datetime, today: date, zone: ZoneInfo) -> _Look:
    first = datetime.combine(date(today.year, 1, 1), time(), zone)
    last = datetime.combine(date(today.year + 1, 1, 15), time(), zone)
    happened: dict[int, list[Happened]] = defaultdict(list)
    for row in activities.happened(session, first, last, ids):
        happened[row.organization_id].append(row)
    people: dict[int, list[Person]] = defaultdict(list)
    months = {today.month, (today + timedelta(days=7)).month}  # of birthdays; probations are looked at in all
    for person in duty_facts.people(session, ids, today, months):
        people[person.organization_id].append(person)
    facts: dict[int, list[Standing]] = defaultdict(list)
    for one in dated_facts.standing(session, ids, today):
        facts[one.organization_id].append(one)
    return _Look(session, now, today, zone, happened, people, duty_facts.with_groups(session, ids), facts)


def _missing(look: _Look, branch: Organization, duty: Duty, day: date) -> bool:
    """Whether the branch has the duty, and neither did it nor has planned it in the period of `day`."""
    assert branch.id is not None
    if branch.founded_on is not None and branch.founded_on > day:
        return False
    if duty.needs == "groups" and branch.id not in look.groups:
        return False
    if duty.needs == "committee" and (branch.committee_members or 0) < COMMITTEE_FROM:
        return False
    if duty.needs == "mobile" and not any(one.mobile for one in look.people[branch.id]):
        return False
    if duty.kind is None or duty.period is None:
        return True
    span = next(one for one in periods_of(duty.period, day.year) if one.first <= day <= one.last)
    if look.today > span.last:
        return False  # offices were closed until the period was over: nothing can be done in it any more
    return not any(
        duty.kind in row.kinds.split(";") and span.first <= row.starts_at.astimezone(look.zone).date() <= span.last
        for row in look.happened[branch.id]
    )


def _of_term(look: _Look, branch: Organization, secretaries: Sequence[int | None]) -> None:
    """The end of the committee's term comes near: to the secretary, and to whoever reviews the branch."""
    ends = branch.term_ends_on
    months = term_ahead(ends, look.today) if ends is not None and ends >= look.today else None
    if ends is None or months is None:
        return
    reviewers = [one.id for one in members.holders(look.session, branch, "committee_reviewer", look.today)]
    values: dict[str, Any] = {"branch": branch.name, "year": ends.year, "month": ends.month, "day": ends.day}
    key = f"term_election:{branch.id}:{ends}:{months}"
    look.tell(sorted({one for one in (*secretaries, *reviewers) if one}), "term_election", key, **values)


def _of_theme_day(look: _Look, branch: Organization, secretaries: Sequence[int | None]) -> None:
    """A theme day in a week wants its theme."""
    assert branch.id is not None
    for row in look.happened[branch.id]:
        day = row.starts_at.astimezone(look.zone).date()
        if "theme_party_day" in row.kinds.split(";") and row.should_attend is None:
            count = ahead(duties()[1].theme_day_days, day, look.today)
            if count is not None and day > look.today + timedelta(days=3):
                key = f"theme_day:{branch.id}:{day}"
                look.tell(secretaries, "theme_day", key, "my_activities", month=day.month, day=day.day)


def _of_people(look: _Look, branch: Organization, secretaries: Sequence[int | None]) -> None:
    """Probations that end, and birthdays in a week: to the member, and without a name to the secretary."""
    assert branch.id is not None
    born: dict[date, int] = defaultdict(int)
    for person in look.people[branch.id]:
        admitted = person.admitted_on
        if admitted is None:
            continue
        if person.probationary:
            ends = birthdays.kept_on(admitted, admitted.year + 1)
            count = ahead(duties()[1].probation_days, ends, look.today, on_the_day=True)
            if count is not None:
                values: dict[str, Any] = {"year": ends.year, "month": ends.month, "day": ends.day}
                key = f"probation:{person.member_id}:{ends}:{count}"
                look.tell([person.member_id], "probation_mine", key, **values)
                look.tell(secretaries, "probation_end", f"{key}:secretary", **values)
            continue
        for year in (look.today.year, look.today.year + 1):
            kept = birthdays.kept_on(admitted, year)
            if year > admitted.year and ahead(duties()[1].birthday_days, kept, look.today) is not None:
                born[kept] += 1
                mine = f"birthday_mine:{person.member_id}:{kept}"
                if kept > look.today:
                    look.tell([person.member_id], "birthday_mine", mine, month=kept.month, day=kept.day)
    for day, count in born.items():
        if day > look.today:
            key = f"birthdays:{branch.id}:{day}"
            look.tell(secretaries, "birthdays", key, count=count, month=day.month, day=day.day)


def _of_facts(look: _Look, branch: Organization, secretaries: Sequence[int | None]) -> None:
    """What follows from single days of members and applicants; a member is one of the branch, without a name."""
    assert branch.id is not None
    for one in look.facts[branch.id]:
        fact, kind = one.fact, kinds().get(one.fact.kind)
        noted_on = fact.noted_at.astimezone(look.zone).date()
        step = due(kind, fact.day, noted_on, look.today) if kind is not None else None
        if kind is None or step is None:
            continue
        limit = kind.limit(fact.day)
        values: dict[str, Any] = {"branch": branch.name, "label": fact.label}
        values |= {"year": fact.day.year, "month": fact.day.month, "day": fact.day.day}
        values |= {
            "limit_year": limit.year,
            "limit_month": limit.month,
            "limit_day": limit.day,
            "count": step.months,
        }
        key, name = f"dated:{fact.id}:{step.word}", f"dated_{kind.id}_{step.say}"
        if "member" in step.to and one.reachable:
            look.tell([fact.member_id], f"{name}_mine", f"{key}:mine", **values)
        if "secretary" in step.to:
            look.tell(secretaries, name, key, "dated", **values)
        if "committee_reviewer" in step.to:
            reviewers = members.holders(look.session, branch, "committee_reviewer", look.today)
            look.tell([held.id for held in reviewers if held.id not in secretaries], name, key, **values)
