"""When a branch is reminded of what belongs into its year. Pure: days in, days out."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from notices.working_days import is_working_day, working_day_after

DATA = Path(__file__).with_name("duty_days.toml")
LOOK_BACK = timedelta(days=7)  # a service that was down makes up for a week, once
SHIFT_MAX = timedelta(days=12)  # longer than any row of days on which offices are closed


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty of the calendar. kind, period: of the activity that does it; None: nothing shows it was done."""

    id: str
    days: tuple[str, ...]
    kind: str | None = None
    period: Literal["monthly", "quarterly", "yearly"] | None = None
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """Days (months) before a day of the branch or the member on which somebody is reminded."""

    term_months: tuple[int, ...]
    probation_days: tuple[int, ...]
    birthday_days: tuple[int, ...]
    theme_day_days: tuple[int, ...]


@cache
def duties() -> tuple[tuple[Duty, ...], Counted]:
    """What the file says."""
    said = tomllib.loads(DATA.read_text(encoding="utf-8"))
    listed = tuple(Duty(**{**row, "days": tuple(row["days"])}) for row in said["duty"])
    return listed, Counted(**{name: tuple(days) for name, days in said["counted"].items()})


def falls_on(duty: Duty, day: date) -> bool:
    """Whether `day` is one of the duty's days, before any shift."""
    left = monthrange(day.year, day.month)[1] - day.day
    words = {f"{day:%d}", f"last-{left}", f"q{(day.month - 1) % 3 + 1}-{day:%d}", f"{day:%m-%d}"}
    return not words.isdisjoint(duty.days)


def shifted(day: date) -> date:
    """`day`, or the next working day when offices are closed on it."""
    return day if is_working_day(day) else working_day_after(day, 1)


def told_lately(day: date, today: date) -> bool:
    """Whether a reminder planned for `day` is to go out today, or should have within LOOK_BACK."""
    return today - LOOK_BACK < shifted(day) <= today


def due_on(today: date) -> Iterator[tuple[Duty, date]]:
    """The duties to remind of today, each with the day that stands in the calendar."""
    for back in range((LOOK_BACK + SHIFT_MAX).days, -1, -1):
        day = today - timedelta(days=back)
        if told_lately(day, today):
            for duty in duties()[0]:
                if falls_on(duty, day):
                    yield duty, day


def ahead(days: Sequence[int], of: date, today: date, *, on_the_day: bool = False) -> int | None:
    """How many days before `of` today's reminder belongs to; None: none is due.

    on_the_day: the reminder of 0 days comes on the day itself, holiday or not.
    """
    for count in sorted(days):
        planned = of - timedelta(days=count)
        exact = on_the_day and count == 0
        if today <= of and (planned == today if exact else told_lately(planned, today)):
            return count
    return None


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier (a minus: later), or that month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def term_ahead(ends_on: date, today: date) -> int | None:
    """How many months before the end of a term today's reminder belongs to; None: none is due."""
    for count in sorted(duties()[1].term_months):
        if told_lately(months_before(ends_on, count), today):
            return count
    return None
