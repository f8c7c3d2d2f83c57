"""When somebody is reminded of a dated fact: kinds, their steps, which one is due. Pure: days in, days out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

from notices.duty_days import LOOK_BACK, months_before, shifted, told_lately

DATA = Path(__file__).with_name("dated_facts.toml")
To = Literal["secretary", "member", "mentor", "receiving", "committee_reviewer"]


@dataclass(frozen=True, slots=True)
class Step:
    """One reminder: so many days or months after the day from which the kind counts; `say` names its text."""

    say: str
    to: tuple[To, ...]
    days: int = 0
    months: int = 0

    @property
    def word(self) -> str:
        """The step within its kind, for a key: `14d`, `6m`."""
        return f"{self.months}m" if self.months else f"{self.days}d"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of day. months: from the noted day to what its steps count from. again: done today counts anew."""

    id: str
    of: Literal["applicant", "member"]
    steps: tuple[Step, ...]
    source: str
    status: Literal["rule", "local", "ours"]
    months: int = 0
    again: bool = False

    def limit(self, day: date) -> date:
        """The day from which the steps count."""
        return months_before(day, -self.months)

    def planned(self, step: Step, day: date) -> date:
        """The day of one step, before any shift."""
        return months_before(self.limit(day), -step.months) + timedelta(days=step.days)


@cache
def kinds() -> Mapping[str, Kind]:
    """What the file says, by id, in its order."""
    found = {}
    for row in tomllib.loads(DATA.read_text(encoding="utf-8"))["kind"]:
        steps = tuple(Step(**{**step, "to": tuple(step["to"])}) for step in row["steps"])
        found[row["id"]] = Kind(**{**row, "steps": steps})
    return found


@cache
def roll_columns() -> Mapping[str, str]:
    """Column of the members' sheet -> the kind whose day it holds."""
    columns: dict[str, str] = tomllib.loads(DATA.read_text(encoding="utf-8"))["roll"]
    return columns


def due(kind: Kind, day: date, noted_on: date, today: date) -> Step | None:
    """The last step that is to be told today, or should have been within LOOK_BACK; None: there is none.

    A step that had passed when the fact was noted is told then, and earlier ones are not.
    """
    found = None
    for step in kind.steps:
        planned = kind.planned(step, day)
        if planned < noted_on:
            told = today - LOOK_BACK < noted_on <= today
        elif step.days == step.months == 0:
            told = today - LOOK_BACK < planned <= today
        else:
            told = told_lately(planned, today)
        found = step if told else found
    return found


def next_on(kind: Kind, day: date, today: date) -> date | None:
    """The day of the next reminder after `today`; None: all have passed."""
    days = (
        kind.planned(step, day) if step.word == "0d" else shifted(kind.planned(step, day)) for step in kind.steps
    )
    return min((one for one in days if one > today), default=None)
