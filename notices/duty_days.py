"""When a branch is reminded of what belongs into its year. Pure: days in, days out."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from notices.working_days import is_working_day, working_day_after, working_day_until
from scoring.periods import CalendarPeriod, periods_of

DATA = Path(__file__).with_name("duty_days.toml")
LOOK_BACK = timedelta(days=7)  # a service that was down makes up for a week, once
SHIFT_MAX = timedelta(days=12)  # longer than any row of days on which offices are closed


@dataclass(frozen=True, slots=True)
class Duty:
    """One duty of the calendar. kinds: of the activities that do it; empty: only the branch's word shows it.

    to: who is reminded on `days`; up_to: who hears of it, too, on the days of `up`.
    """

    id: str
    days: tuple[str, ...]
    to: tuple[str, ...]
    period: Literal["monthly", "quarterly", "yearly"]
    source: str
    status: Literal["rule", "local", "ours"]
    example: Mapping[str, date]
    up: tuple[str, ...] = ()
    up_to: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    needs: str | None = None
    ticked: bool = False

    def span(self, day: date) -> CalendarPeriod:
        """The period to which a day of the calendar belongs."""
        return next(one for one in periods_of(self.period, day.year) if one.first <= day <= one.last)

    def told_on(self, day: date) -> date:
        """When a day of the calendar is told: on it, or on the nearest working day of the same period."""
        moved = shifted(day)
        return moved if moved <= self.span(day).last else working_day_until(day)


@dataclass(frozen=True, slots=True)
class Counted:
    """Days (months) before a day of the branch or the member on which somebody is reminded; late: after it."""

    term_months: tuple[int, ...]
    term_late_days: tuple[int, ...]
    probation_days: tuple[int, ...]
    probation_late_days: tuple[int, ...]
    birthday_days: tuple[int, ...]
    theme_day_days: tuple[int, ...]


@cache
def duties() -> tuple[tuple[Duty, ...], Counted]:
    """What the file says."""
    said = tomllib.loads(DATA.read_text(encoding="utf-8"))
    listed = tuple(_duty(row) for row in said["duty"])
    return listed, Counted(**{name: tuple(days) for name, days in said["counted"].items()})


def _duty(row: Mapping[str, Any]) -> Duty:
    lists = {one.name for one in fields(Duty) if str(one.type).startswith("tuple")}
    values: dict[str, Any] = {name: tuple(value) if name in lists else value for name, value in row.items()}
    return Duty(**values)


def duty_of(duty_id: str) -> Duty | None:
    """The duty of this id."""
    return next((one for one in duties()[0] if one.id == duty_id), None)


def falls_on(days: Sequence[str], day: date) -> bool:
    """Whether `day` is one of these days, before any shift."""
    left = monthrange(day.year, day.month)[1] - day.day
    words = {f"{day:%d}", f"last-{left}", f"q{(day.month - 1) % 3 + 1}-{day:%d}", f"{day:%m-%d}"}
    if day.month % 3 == 0:
        words.add(f"q-last-{left}")
    return not words.isdisjoint(days)


def shifted(day: date) -> date:
    """`day`, or the next working day when offices are closed on it."""
    return day if is_working_day(day) else working_day_after(day, 1)


def lately(told_on: date, today: date) -> bool:
    """Whether a reminder for that day is to go out today, or should have within LOOK_BACK."""
    return today - LOOK_BACK < told_on <= today


def told_lately(day: date, today: date) -> bool:
    """The same for a reminder planned for `day`, which moves to a working day."""
    return lately(shifted(day), today)


def due_on(today: date) -> Iterator[tuple[Duty, date]]:
    """The duties to remind of today, each with the day that stands in the calendar."""
    for offset in range(-(LOOK_BACK + SHIFT_MAX).days, SHIFT_MAX.days + 1):
        day = today + timedelta(days=offset)
        for duty in duties()[0]:
            if falls_on((*duty.days, *duty.up), day) and lately(duty.told_on(day), today):
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


def behind(days: Sequence[int], of: date, today: date) -> int | None:
    """How many days after `of` today's reminder belongs to; None: none is due."""
    return next((one for one in sorted(days, reverse=True) if told_lately(of + timedelta(days=one), today)), None)


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
