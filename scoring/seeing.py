"""From stored records to facts: what the service saw of many branches by the end of a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, observed
from db.observed import DUES, STUDY, VOLUNTEERING, Belongs, instants
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.fortress_facts import Activity
from scoring.observed import Seen
from scoring.observed_scheme import Formula
from scoring.periods import CalendarPeriod, periods_of

CONTACT_MONTHS = 3  # a mobile member who was not heard of for so long is out of touch


def month_before(day: date) -> CalendarPeriod:
    """The last complete month on `day`."""
    last = day.replace(day=1) - timedelta(days=1)
    return periods_of("monthly", last.year)[last.month - 1]


def standing(session: Session, branches: Sequence[Organization], last: date) -> dict[int, Seen]:
    """Of each branch only what stands on the roll on `last`: people and the committee."""
    belongs = _grouped(observed.belongings(session, _ids(branches), last, last))
    return {one.id: _on_roll(one, belongs[one.id], last) for one in branches if one.id is not None}


def see(
    session: Session,
    branches: Sequence[Organization],
    month: CalendarPeriod,
    zone: ZoneInfo,
    asked: Collection[Formula],
) -> dict[int, Seen]:
    """Of each branch everything that the formulas in `asked` need, by the end of `month`."""
    ids, records = _ids(branches), _records(session, _ids(branches), month, zone, asked)
    secretaries = observed.with_secretary(session, ids, month.last)
    wishes = observed.wishes_due(session, ids, *instants(month.first, month.last, zone))
    found = {}
    for branch in branches:
        assert branch.id is not None
        own = records.belongs[branch.id]
        due, on_time = wishes.get(branch.id, (0, 0))
        roll = _on_roll(branch, own, month.last)
        roll = replace(roll, secretary=branch.id in secretaries, wishes_due=due, wishes_on_time=on_time)
        found[branch.id] = _with_people(roll, own, records, month)
    return found


def held_days(
    session: Session, ids: Sequence[int], first: date, last: date, zone: ZoneInfo
) -> dict[int, dict[str, set[date]]]:
    """Per branch and kind the days on which an approved activity was held from `first` to `last`."""
    days: dict[int, dict[str, set[date]]] = defaultdict(lambda: defaultdict(set))
    veto = shipped().fortress.terms_on(last).veto
    for row in activities.happened(session, *instants(first, last, zone), ids):
        day = row.starts_at.astimezone(zone).date()
        kinds = frozenset(row.kinds.split(";"))
        if Activity(day, "branch", kinds, row.should_attend or 0, row.attended or 0).held(veto):
            for kind in kinds:
                days[row.organization_id][kind].add(day)
    return days


@dataclass(frozen=True, slots=True)
class _Records:
    """What was read of all branches at once. in_touch: members who read or came within the months of contact."""

    belongs: Mapping[int, list[Belongs]]
    dues: Mapping[int, set[int]]  # month of the year -> members who paid in it
    study: Mapping[int, int]
    volunteered: Mapping[int, set[date]]  # member -> days in the quarter
    served: Mapping[int, set[date]]  # member -> days of the year at a community's activity
    in_touch: Collection[int]


def _records(
    session: Session, ids: Sequence[int], month: CalendarPeriod, zone: ZoneInfo, asked: Collection[Formula]
) -> _Records:
    year, last = date(month.last.year, 1, 1), month.last
    quarter = next(one for one in periods_of("quarterly", last.year) if one.first <= last <= one.last).first
    touch = _months_back(month.first, CONTACT_MONTHS - 1)
    months = [(one.first, one.last) for one in periods_of("monthly", last.year)[: last.month]]
    dues = observed.booked(session, ids, DUES, months)
    study = observed.booked(session, ids, STUDY, [(year, last)]) if "study_ratio" in asked else {}
    begin, end = instants(touch, last, zone)
    mobile = {row[0] for row in observed.came(session, ids, begin, end, observed.MOBILE)}
    return _Records(
        belongs=_grouped(observed.belongings(session, ids, year, last)),
        dues={
            number: {member_id for member_id, paid in dues.items() if paid[number - 1] > 0}
            for number in range(1, last.month + 1)
        },
        study={member_id: hundredths for member_id, (hundredths,) in study.items()},
        volunteered=_volunteered(session, ids, quarter, last, zone) if "volunteer_times" in asked else {},
        served=_days(session, ids, year, last, zone, observed.SERVED) if "community_times" in asked else {},
        in_touch=observed.readers(session, ids, begin, end) | mobile,
    )


def _volunteered(
    session: Session, ids: Sequence[int], first: date, last: date, zone: ZoneInfo
) -> dict[int, set[date]]:
    """Days on which each member volunteered: at an activity, or in hours that were noted."""
    days = _days(session, ids, first, last, zone, observed.VOLUNTEERED)
    for member_id, day in observed.booked_days(session, ids, VOLUNTEERING, first, last):
        days[member_id].add(day)
    return days


def _days(
    session: Session, ids: Sequence[int], first: date, last: date, zone: ZoneInfo, those: Any
) -> dict[int, set[date]]:
    found: dict[int, set[date]] = defaultdict(set)
    for member_id, starts_at in observed.came(session, ids, *instants(first, last, zone), those):
        found[member_id].add(starts_at.astimezone(zone).date())
    return found


def _with_people(roll: Seen, own: Sequence[Belongs], records: _Records, month: CalendarPeriod) -> Seen:
    """With what the members of one branch did."""
    last = month.last
    heads = {one.member_id for one in own if one.on(last) and not one.exempt}
    mobile = {one.member_id for one in own if one.on(last) and one.mobile}
    owing = _owing(own, last)
    full = [
        span
        for span in periods_of("monthly", last.year)[: last.month]
        if _owing(own, span.last) <= records.dues.get(span.last.month, set())
    ]
    return replace(
        roll,
        heads=len(heads),
        study_hundredths=sum(records.study.get(one, 0) for one in heads),
        volunteer_times=sum(len(records.volunteered.get(one, ())) for one in heads),
        community_times=sum(len(records.served.get(one, ())) for one in heads),
        owing=len(owing),
        paid=len(owing & records.dues.get(last.month, set())),
        dues_months=len(full),
        mobile=len(mobile),
        contacted=sum(one in records.in_touch for one in mobile),
    )


def _owing(own: Sequence[Belongs], day: date) -> set[int]:
    """Who is there on the last day of a month owes its dues; those who are exempt from points, too."""
    return {one.member_id for one in own if one.on(day)}


def _on_roll(branch: Organization, own: Sequence[Belongs], last: date) -> Seen:
    return Seen(
        full_members=sum(one.on(last) and not one.probationary for one in own),
        committee=branch.committee_members,
        term_ends_on=branch.term_ends_on,
    )


def _grouped(rows: Sequence[Belongs]) -> Mapping[int, list[Belongs]]:
    found: dict[int, list[Belongs]] = defaultdict(list)
    for row in rows:
        found[row.organization_id].append(row)
    return found


def _ids(branches: Sequence[Organization]) -> list[int]:
    return [one.id for one in branches if one.id is not None]


def _months_back(first: date, count: int) -> date:
    """The first day of the month `count` months before the one that begins on `first`."""
    number = first.year * 12 + first.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)
