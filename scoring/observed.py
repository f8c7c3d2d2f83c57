"""What follows from what the service saw of a branch: facts in, values out, as they are stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from scoring.items import Period
from scoring.observed_scheme import Formula, Meeting, Observed, Posted
from scoring.periods import periods_of

PLACES = 10_000  # a ratio keeps four places, rounded down: 0.99996 must not become a full 1


@dataclass(frozen=True, slots=True)
class Seen:
    """One branch at the end of a period. Quantities are of the period, unless they say "of the year".

    committee: members of the branch committee, None: nobody has told. term_ends_on: last day of the committee's
    term, None: nobody has told. heads: members there on the last day, without those who are exempt.
    study_hundredths: of hours, of those heads, of the year. volunteer_times, community_times (of the year):
    days of service, added up over the heads. owing, paid: members who owed dues in the month, and who of them
    paid. dues_months: months of the year in which all paid. mobile, contacted: members who live elsewhere, and who
    of them read a letter or took part within three months.
    """

    secretary: bool = False
    full_members: int = 0
    committee: int | None = None
    term_ends_on: date | None = None
    heads: int = 0
    study_hundredths: int = 0
    wishes_due: int = 0
    wishes_on_time: int = 0
    volunteer_times: int = 0
    community_times: int = 0
    owing: int = 0
    paid: int = 0
    dues_months: int = 0
    mobile: int = 0
    contacted: int = 0


def seen_from(facts: Mapping[str, Any]) -> Seen:
    """The facts of a worked example. Raises ValueError for a name that is none."""
    unknown = facts.keys() - {one.name for one in fields(Seen)}
    if unknown:
        raise ValueError(f"no such fact: {', '.join(sorted(unknown))}")
    return Seen(**facts)


def value_of(block: Observed, seen: Seen, last: date) -> str | None:
    """The value at the end of the period whose last day is `last`; None when a fact is missing."""
    found: str | None = _FORMULAS[block.formula](seen, last, block.numbers)
    return found


def written(value: Fraction) -> str:
    """A ratio with at most four places, rounded down."""
    whole, rest = divmod(value.numerator * PLACES // value.denominator, PLACES)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def _share(part: int, whole: int) -> str:
    """Nothing due counts in full."""
    return written(Fraction(part, whole)) if whole else "1"


def _per_head(quantity: Fraction | int, heads: int) -> str:
    """Of nobody there is nothing."""
    return written(Fraction(quantity) / heads) if heads else "0"


def _committee(seen: Seen, last: date, numbers: Mapping[str, int]) -> str | None:
    if not seen.secretary:
        return "false"
    if seen.full_members < numbers["committee_from"]:
        return "true"
    if seen.committee is None:
        return None
    return "true" if numbers["least"] <= seen.committee <= numbers["most"] else "false"


def _term(seen: Seen, last: date, numbers: Mapping[str, int]) -> str | None:
    return None if seen.term_ends_on is None else str(max(0, (last - seen.term_ends_on).days))


def _study(seen: Seen, last: date, numbers: Mapping[str, int]) -> str:
    target = numbers["hours_a_quarter"] * ((last.month + 2) // 3)
    return _per_head(Fraction(max(0, seen.study_hundredths), 100 * target), seen.heads)


_FORMULAS: dict[Formula, Any] = {
    "committee_complete": _committee,
    "term_overdue_days": _term,
    "study_ratio": _study,
    "wishes_on_time": lambda seen, last, numbers: _share(seen.wishes_on_time, seen.wishes_due),
    "volunteer_times": lambda seen, last, numbers: _per_head(seen.volunteer_times, seen.heads),
    "community_times": lambda seen, last, numbers: _per_head(seen.community_times, seen.heads),
    "dues_rate": lambda seen, last, numbers: _share(seen.paid, seen.owing),
    "dues_months": lambda seen, last, numbers: str(seen.dues_months),
    "mobile_contacts": lambda seen, last, numbers: _share(seen.contacted, seen.mobile),
}


def overdue_terms(seen: Seen, last: date) -> int:
    """Cases of an overdue term in the month that ends on `last`: 1 or 0."""
    return int(seen.term_ends_on is not None and seen.term_ends_on < last)


def missed_meetings(
    rules: Posted, held: Mapping[str, Collection[date]], seen: Seen, last: date, founded_on: date | None = None
) -> list[Meeting]:
    """The meetings that belong into a period that ends on `last` and were neither held in it nor made up since.

    held: days on which each kind was held, back to the beginning of the year before.
    """
    return [
        meeting
        for meeting in rules.meetings
        if seen.full_members >= meeting.full_members
        and _missed(held.get(meeting.kind, ()), meeting.period, last, rules.make_up_days, founded_on)
    ]


def _missed(days: Collection[date], kind: Period, last: date, make_up_days: int, founded_on: date | None) -> bool:
    """Each held day serves one period: its own, or the one before when that one went without.

    Periods before the first held day ask for nothing: the record may have begun with it.
    """
    spans = [one for year in (last.year - 1, last.year) for one in periods_of(kind, year)]
    judged = next((one for one in spans if one.last == last), None)
    if judged is None or judged.first < (founded_on or date.min):
        return False
    left = sorted(days)
    begin = min(left[0] if left else judged.first, judged.first)
    for span in spans:
        if span.last < begin or span.first > judged.first:
            continue
        until = span.last + timedelta(days=make_up_days)
        served = next((day for day in left if span.first <= day <= until), None)
        if served is not None:
            left.remove(served)
        elif span is judged:
            return True
    return False
