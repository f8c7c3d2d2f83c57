"""When a standing letter makes another one: each week, each month, or when something happens to a member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from notices.schedule import Task, next_after
from notices.wording import Wording

BY_CALENDAR = ("week", "month")
BY_EVENT = ("joined", "transferred", "birthday")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LAST_DAY = 31  # of a month: whatever its length is
LAST_COMMON_DAY = 28  # every month has this day, and may not have the next one
MORNING = 9 * 60  # minutes after midnight: when what answers an event goes out at the earliest
LATE_MAX = timedelta(days=1)  # an instant that is missed by more is given up: `today's meeting` would be a lie
EVENT_EVERY = timedelta(minutes=10)  # between two looks at what happened


@dataclass(frozen=True, slots=True)
class Repeat:
    """when: one of BY_CALENDAR or BY_EVENT. day: of the week (0 is Monday) or of the month. until: the last day.

    minute: of the day, on the city's wall clock.
    """

    when: str
    until: date
    day: int = 0
    minute: int = MORNING

    def to_json(self) -> dict[str, Any]:
        """The stored form; `repeat` reads it back."""
        return {"when": self.when, "until": self.until.isoformat(), "day": self.day, "minute": self.minute}

    def task(self, letter_id: int) -> Task:
        """Its instants by the calendar; what was missed in an outage is made up once, within LATE_MAX."""
        hour, minute = divmod(self.minute, 60)
        day = "last" if self.day > LAST_COMMON_DAY else str(self.day)
        days = f"* * {WEEKDAYS[self.day]}" if self.when == "week" else f"{day} * *"
        return Task(f"letter:{letter_id}", f"{minute} {hour} {days}", _nothing, "once", grace=LATE_MAX)


def repeat(stored: Mapping[str, Any]) -> Repeat:
    """The repeat that `Repeat.to_json` stored."""
    return Repeat(**{**stored, "until": date.fromisoformat(stored["until"])})


def next_at(one: Repeat, letter_id: int, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When to look at the standing letter after `now`; None when its last day is over."""
    if one.when in BY_EVENT:
        return now + EVENT_EVERY if (now + EVENT_EVERY).astimezone(zone).date() <= one.until else None
    found = next_after(one.task(letter_id), now, zone)
    return found if found is not None and found.astimezone(zone).date() <= one.until else None


def said(one: Repeat, say: Wording) -> str:
    """`每周一 09:30 发，到 2026-12-31 为止。`."""
    time = f"{one.minute // 60:02d}:{one.minute % 60:02d}"
    values: dict[str, Any] = {"time": time, "until": one.until.isoformat(), "day": one.day}
    if one.when == "week":
        return say("letter_series.each_week", **values, weekday=say(f"letter_series.{WEEKDAYS[one.day]}"))
    if one.when == "month" and one.day > LAST_COMMON_DAY:
        return say("letter_series.each_month_end", **values)
    return say(f"letter_series.each_{one.when}", **values)


def _nothing(session: object, moment: object) -> None:
    """The instants alone are asked for."""
