"""What a branch is behind with: the veto forecast and what is overdue. Pure: facts in, troubles out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Literal

from notices.working_days import working_day_until
from scoring.catalogue import Catalogue
from scoring.forecast import forecast
from scoring.fortress import counted_days, to_date
from scoring.fortress_facts import Activity
from scoring.periods import CalendarPeriod, periods_of

VETO = "veto_forecast"
PACE_FROM = timedelta(days=90)  # before that, the pace of a year says nothing
COMMITTEE_FROM = 7  # full members: smaller branches have a secretary and no committee


@dataclass(frozen=True, slots=True)
class Overdue:
    """A kind of activity that belongs into every period, and when its absence is told."""

    kind: str  # of the warning; permanent
    activity_kind: str
    period: Literal["monthly", "quarterly"]
    item_id: str  # of the catalogue, where the rule and its source stand
    from_day: int | None = None  # of the month; None: DAYS_BEFORE the end of the period


DAYS_BEFORE = timedelta(days=5)
OVERDUE = (
    Overdue("overdue_theme_day", "theme_party_day", "monthly", "F10", from_day=25),
    Overdue("overdue_committee", "branch_committee_meeting", "monthly", "F02", from_day=25),
    Overdue("overdue_assembly", "member_assembly", "quarterly", "F09"),
    Overdue("overdue_lecture", "party_lecture", "quarterly", "F11"),
)


@dataclass(frozen=True, slots=True)
class Branch:
    """What is known of one branch this year. planned: (day, kinds) of what is still to come."""

    founded_on: date | None = None
    activities: Sequence[Activity] = ()
    planned: Collection[tuple[date, frozenset[str]]] = ()
    full_members: int = 0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to warn of. proof: the figures, plain JSON; `last` is the last day of the period.

    up_on: the day from which the committee hears of it as well; None: only when nobody takes care of it.
    """

    kind: str
    period: str
    proof: dict[str, Any] = field(default_factory=dict)
    up_on: date | None = None


def troubles(catalogue: Catalogue, branch: Branch, as_of: date) -> list[Trouble]:
    """Everything that the branch is behind with on `as_of`."""
    found = [*_overdue(catalogue, branch, as_of)]
    veto = _veto(catalogue, branch, as_of)
    return [veto, *found] if veto else found


def _veto(catalogue: Catalogue, branch: Branch, as_of: date) -> Trouble | None:
    """Behind a checkpoint of the catalogue, or more than one activity behind an even pace."""
    rule = catalogue.fortress.terms_on(as_of).veto
    count = counted_days(rule, to_date(branch.activities, as_of))
    seen = forecast(catalogue, founded_on=branch.founded_on, activities=count, as_of=as_of)
    start = max(date(as_of.year, 1, 1), branch.founded_on or date.min)
    last = date(as_of.year, 12, 31)
    days, whole = (as_of - start).days + 1, (last - start).days + 1
    slow = as_of - start >= PACE_FROM and count < seen.needed * days // whole
    if not seen.missing or not (seen.behind or slow):
        return None
    proof = {
        "activities": count,
        "needed": seen.needed,
        "missing": seen.missing,
        "expected": seen.expected,
        "due": seen.due,
        "last": last.isoformat(),
    }
    passed = [day for one in rule.checkpoints if (day := date(as_of.year, one.month, one.day)) <= as_of]
    return Trouble(VETO, str(as_of.year), proof, up_on=max(passed) if seen.behind else None)


def _overdue(catalogue: Catalogue, branch: Branch, as_of: date) -> Iterator[Trouble]:
    rule = catalogue.fortress.terms_on(as_of).veto
    held = [one for one in branch.activities if one.held(rule)]
    for one in OVERDUE:
        span = period_of(one.period, as_of)
        if as_of < told_from(one, span) or (branch.founded_on or date.min) > span.first:
            continue
        if one.kind == "overdue_committee" and branch.full_members < COMMITTEE_FROM:
            continue
        done = any(one.activity_kind in a.kinds and span.first <= a.day <= as_of for a in held)
        arranged = any(one.activity_kind in kinds and as_of <= day <= span.last for day, kinds in branch.planned)
        if not done and not arranged:
            proof = {"first": span.first.isoformat(), "last": span.last.isoformat()}
            yield Trouble(one.kind, span.text, proof, up_on=working_day_until(span.last))


def told_from(one: Overdue, span: CalendarPeriod) -> date:
    """The first day on which its absence is told."""
    return span.first.replace(day=one.from_day) if one.from_day else span.last - DAYS_BEFORE


def period_of(kind: Literal["monthly", "quarterly"], day: date) -> CalendarPeriod:
    """The period that holds `day`."""
    return next(one for one in periods_of(kind, day.year) if one.first <= day <= one.last)
