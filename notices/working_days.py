"""Working days of the country: weekends and public holidays are none, weekends that are worked in exchange are.

Years that the government has not announced yet are known by their fixed days only.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from holidays import HolidayBase, country_holidays


@cache
def _calendar() -> HolidayBase:
    return country_holidays("CN")


def is_working_day(day: date) -> bool:
    """Whether offices are open on `day`."""
    return _calendar().is_working_day(day)


def working_days_since(day: date, today: date) -> int:
    """How many working days have come after `day` until `today`, today included; 0 when today is not later."""
    return sum(is_working_day(day + timedelta(days=n)) for n in range(1, (today - day).days + 1))


def working_day_after(day: date, count: int) -> date:
    """The `count`-th working day after `day`; `count` is at least 1."""
    while count > 0:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day


def working_day_until(day: date) -> date:
    """`day`, or the last working day before it."""
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day
