"""Deadlines after an inspection: the numbers of `inspection_terms.toml` on the country's working days."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from notices.working_days import is_working_day, working_day_after

FILE = Path(__file__).parent / "inspection_terms.toml"


@dataclass(frozen=True)
class Terms:
    """The numbers of the file."""

    appeal_working_days: int
    decide_working_days: int
    rectify_days: int
    remind_days_before: int
    again_days: int


@cache
def terms() -> Terms:
    """The numbers in force."""
    return Terms(**tomllib.loads(FILE.read_text(encoding="utf-8")))


def last_appeal_day(day: date) -> date:
    """The last day on which the branch may appeal against a finding of `day`."""
    return working_day_after(day, terms().appeal_working_days)


def appeal_until(day: date, zone: ZoneInfo) -> datetime:
    """The first instant at which an appeal against a finding of `day` is too late: the last day counts in full."""
    return datetime.combine(last_appeal_day(day) + timedelta(days=1), time(), zone).astimezone(UTC)


def decide_by(day: date) -> date:
    """The last day for deciding an appeal of `day`."""
    return working_day_after(day, terms().decide_working_days)


def due_on(day: date) -> date:
    """The last day for putting right what was found on `day`."""
    last = day + timedelta(days=terms().rectify_days)
    return last if is_working_day(last) else working_day_after(last, 1)


def due_again(due: date, today: date) -> date:
    """The last day after something was sent back today; never earlier than before."""
    return max(due, today + timedelta(days=terms().again_days))


def next_step(due: date, today: date) -> date | None:
    """The next day after `today` on which the branch hears of the card; None: it has heard everything."""
    steps = (due - timedelta(days=terms().remind_days_before), due, due + timedelta(days=1))
    return next((step for step in steps if step > today), None)
