"""What committees and departments hand in about a branch: values, negative items, appraisals."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random

from bot.sample.calendar import Year
from bot.sample.city import SAMPLE, Branch
from bot.sample.members import local
from scoring.catalogue import shipped
from scoring.items import Period
from scoring.periods import CalendarPeriod, periods_of

ValueRow = tuple[int, str, str, str, datetime]
"""organisation, indicator or item, period, value, when it was recorded."""

_NEGATIVES = ("N05", "N11", "N12", "N14", "N04")


def values(branch: Branch, year: Year, full_months: list[tuple[int, int]], random: Random) -> Iterator[ValueRow]:
    """Monthly values of the items that every branch has."""
    items = [item for item in shipped().common_on(year.today) if item.collected]
    for month in closed(year, "monthly"):
        recorded = local(month.last + timedelta(days=5), 600)
        for item in items:
            if item.formula == "value_months":
                value = str(
                    sum(1 for one in full_months if one[0] == month.first.year and one[1] <= month.first.month)
                )
            else:
                good = random.random() < _standing(branch, item.id)
                met, unmet = ("true", "false") if item.statement else ("1.00", "0.80")
                value = met if good else unmet
            yield branch.node.id, item.id, month.text, value, min(recorded, year.now)


def _standing(branch: Branch, item_id: str) -> float:
    """How likely a common item is met. The sample branch files its records late and has a good room."""
    if branch.number == SAMPLE:
        return 0.0 if item_id in ("F16", "F03") else 1.0
    return 0.6 + 0.4 * branch.quality


def closed(year: Year, kind: Period) -> Iterator[CalendarPeriod]:
    """Periods that closed before today and began within the twelve months (a yearly one: ended in them)."""
    for of_year in sorted({year.first.year, year.today.year}):
        for period in periods_of(kind, of_year):
            if year.first <= period.last < year.today:
                yield period


NegativeRow = tuple[int, str, date, int, str, str, datetime]
"""organisation, item, day, count, note, cause, when it was recorded."""


def negatives(branch: Branch, year: Year, random: Random) -> Iterator[NegativeRow]:
    """Cases of the negative list."""
    if random.random() < 0.25 * (1 - branch.quality):
        day = year.today - timedelta(days=random.randint(10, 200))
        yield branch.node.id, random.choice(_NEGATIVES), day, 1, "", f"sample:{day}", local(day, 1000)


def appraisals(branch: Branch, year: Year, random: Random) -> Iterator[tuple[int, int, int, int, int]]:
    """organisation, year, three voices in hundredths: of the years that are over."""
    over = (year.today.month, year.today.day) == (12, 31)  # an appraisal counts from the last day of its year
    for of_year in (year.today.year - 1, year.today.year)[: 1 + over]:
        voices = [
            min(10_000, max(4_000, round(random.gauss(mean + 1_200 * branch.quality, 400))))
            for mean in (8_300, 7_900, 7_700)
        ]
        yield branch.node.id, of_year, voices[0], voices[1], voices[2]
