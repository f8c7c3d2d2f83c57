"""Periods of collected values: `2026-03`, `2026Q1`, `2026H1`, `2026`."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from scoring.items import Period

_FORMS: dict[Period, tuple[re.Pattern[str], int]] = {
    "monthly": (re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])"), 1),
    "quarterly": (re.compile(r"([0-9]{4})Q([1-4])"), 3),
    "half_yearly": (re.compile(r"([0-9]{4})H([12])"), 6),
    "yearly": (re.compile(r"([0-9]{4})()"), 12),
}


@dataclass(frozen=True, slots=True, order=True)
class CalendarPeriod:
    """One period: first and last day, both included, and how it is written."""

    first: date
    last: date
    text: str


@lru_cache(maxsize=4096)
def period(kind: Period, text: str) -> CalendarPeriod:
    """The period that `text` writes. Raises ValueError unless it has the form of `kind`."""
    form, months = _FORMS[kind]
    found = form.fullmatch(text)
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{text[:20]!r} is not a {kind} period")
    return _span(kind, int(found[1]), int(found[2] or 1), months)


@lru_cache(maxsize=256)
def periods_of(kind: Period, year: int) -> tuple[CalendarPeriod, ...]:
    """All periods of `year`, in order."""
    months = _FORMS[kind][1]
    return tuple(_span(kind, year, number, months) for number in range(1, 12 // months + 1))


@lru_cache(maxsize=4096)
def last_ended(kind: Period, day: date) -> CalendarPeriod | None:
    """The last period that ends on `day` or before; None before the first year of the calendar ended one."""
    for year in (day.year, day.year - 1):
        for one in reversed(periods_of(kind, year) if year >= 1 else ()):
            if one.last <= day:
                return one
    return None


def months_to(first: CalendarPeriod, day: date) -> tuple[CalendarPeriod, ...]:
    """The complete months from `first` to the last one that ends on `day` or before."""
    years = range(first.first.year, day.year + 1)
    months = (month for year in years for month in periods_of("monthly", year))
    return tuple(month for month in months if first.first <= month.first and month.last <= day)


def month_before(month: CalendarPeriod, steps: int = 1) -> str:
    """How the month that lies `steps` months earlier is written."""
    number = 12 * month.first.year + month.first.month - 1 - steps
    return f"{number // 12:04}-{number % 12 + 1:02}"


def _span(kind: Period, year: int, number: int, months: int) -> CalendarPeriod:
    last_month = number * months
    first = date(year, last_month - months + 1, 1)
    last = date(year, last_month, monthrange(year, last_month)[1])
    form = {
        "monthly": "{0:04}-{1:02}",
        "quarterly": "{0:04}Q{1}",
        "half_yearly": "{0:04}H{1}",
        "yearly": "{0:04}",
    }
    return CalendarPeriod(first, last, form[kind].format(year, number))
