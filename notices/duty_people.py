"""Days of single people: probations, birthdays, and dated facts. To themselves; to others without a name."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from db import organizations
from db.dated_facts import Standing
from db.duty_facts import Person
from db.organizations import Organization
from notices import birthdays
from notices.dated_days import Kind, Step, due, kinds
from notices.duty_days import ahead, behind, duties
from notices.duty_look import Look

SEE = ("duties.dated", "dated")


def remind(look: Look, branch: Organization) -> None:
    """Everything of the day about the members and applicants of one branch."""
    assert branch.id is not None
    born: dict[date, int] = defaultdict(int)
    for person in look.people[branch.id]:
        if person.admitted_on is None:
            continue
        if person.probationary:
            _of_probation(look, branch, person, person.admitted_on)
        else:
            _of_birthday(look, person, person.admitted_on, born)
    for day, count in born.items():
        if day > look.today:
            key = f"birthdays:{branch.id}:{day}"
            look.tell(look.secretaries(branch), "birthdays", key, count=count, month=day.month, day=day.day)
    for one in look.facts[branch.id]:
        _of_fact(look, branch, one)


def _of_probation(look: Look, branch: Organization, person: Person, admitted: date) -> None:
    """A year of probation ends: to the member, the sponsors and the secretary; a month later further up, too."""
    ends = birthdays.kept_on(admitted, admitted.year + 1)
    count = ahead(duties()[1].probation_days, ends, look.today, on_the_day=True)
    late = behind(duties()[1].probation_late_days, ends, look.today) if count is None else None
    values: dict[str, Any] = {"year": ends.year, "month": ends.month, "day": ends.day}
    secretaries = look.secretaries(branch)
    sponsors = look.companions.get(person.member_id, {}).get("sponsor", [])
    if count is not None:
        key = f"probation:{person.member_id}:{ends}:{count}"
        look.tell([person.member_id], "probation_mine", key, **values)
        look.tell(secretaries, "probation_end", f"{key}:secretary", **values)
        look.tell(
            [one for one in sponsors if one not in secretaries], "probation_sponsor", f"{key}:sponsor", **values
        )
    elif late is not None:
        key = f"probation:{person.member_id}:{ends}:late{late}"
        to = [*secretaries, *look.reviewers(branch)]
        look.tell(list(dict.fromkeys(to)), "probation_late", key, branch=branch.name, **values)


def _of_birthday(look: Look, person: Person, admitted: date, born: dict[date, int]) -> None:
    for year in (look.today.year, look.today.year + 1):
        kept = birthdays.kept_on(admitted, year)
        if year > admitted.year and ahead(duties()[1].birthday_days, kept, look.today) is not None:
            born[kept] += 1
            mine = f"birthday_mine:{person.member_id}:{kept}"
            if kept > look.today:
                look.tell([person.member_id], "birthday_mine", mine, month=kept.month, day=kept.day)


def _of_fact(look: Look, branch: Organization, one: Standing) -> None:
    """What follows from a day of a member or an applicant; a member is one of the branch, without a name."""
    fact, kind = one.fact, kinds().get(one.fact.kind)
    noted_on = fact.noted_at.astimezone(look.zone).date()
    step = due(kind, fact.day, noted_on, look.today) if kind is not None else None
    if kind is None or step is None:
        return
    values = _values(branch, one, kind, step)
    key, name = f"dated:{fact.id}:{step.word}", f"dated_{kind.id}_{step.say}"
    if "member" in step.to and one.reachable:
        look.tell([fact.member_id], f"{name}_mine", f"{key}:mine", **values)
    secretaries = look.secretaries(branch)
    mentor = look.mentors.get((branch.id or 0, fact.label))
    if "mentor" in step.to and mentor is not None and mentor not in secretaries:
        look.tell([mentor], name, f"{key}:mentor", **values)
    if "secretary" in step.to or ("mentor" in step.to and mentor in (None, *secretaries)):
        look.tell(secretaries, name, key, SEE, **values)
    if "receiving" in step.to and one.destination is not None:
        there = organizations.get(look.session, one.destination)
        to = [held for held in look.secretaries(there) if held not in secretaries]
        look.tell(to, f"{name}_there", f"{key}:there", **values)
    if "committee_reviewer" in step.to:
        look.tell([held for held in look.reviewers(branch) if held not in secretaries], name, key, **values)


def _values(branch: Organization, one: Standing, kind: Kind, step: Step) -> dict[str, Any]:
    day, limit = one.fact.day, kind.limit(one.fact.day)
    values: dict[str, Any] = {"branch": branch.name, "label": one.fact.label, "count": step.months}
    values |= {"year": day.year, "month": day.month, "day": day.day}
    return values | {"limit_year": limit.year, "limit_month": limit.month, "limit_day": limit.day}
