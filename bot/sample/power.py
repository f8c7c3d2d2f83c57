"""What is handed in about the indicators of a branch: mostly met, with weak points that last and a few slips."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from bot.sample.calendar import Year
from bot.sample.city import SAMPLE, Branch
from bot.sample.facts import ValueRow, closed
from bot.sample.members import local
from notices.pool import locked_month
from scoring.catalogue import shipped
from scoring.items import Indicator

WEAK = 0.02  # chance of a branch at its worst that one indicator is never met
SLIPS = {"monthly": 0.06, "quarterly": 0.008, "half_yearly": 0.008, "yearly": 0.006}
"""Chance at its worst to miss one period; a long one would stand for months, and make many a branch red."""
SAMPLE_MISSES = "C04"
"""What the sample branch has missed in the last published month, and not made good since: its one blue warning."""


def values(branch: Branch, year: Year, seed: int) -> Iterator[ValueRow]:
    """Values of every indicator of the branch's field for every period that closed within the year."""
    random = Random(f"{seed}:power:{branch.number}")
    slack = 0.0 if branch.number == SAMPLE else 1 - branch.quality
    shown = locked_month(year.today)
    for indicator in shipped().indicators_on(branch.node.field or "", year.today):
        weak = random.random() < WEAK * slack
        for period in closed(year, indicator.period):
            good = not weak and random.random() >= SLIPS[indicator.period] * slack
            if branch.number == SAMPLE and indicator.id == SAMPLE_MISSES and period.text >= shown:
                good = False
            recorded = local(period.last + timedelta(days=4), 600)
            yield branch.node.id, indicator.id, period.text, _value(indicator, good), min(recorded, year.now)


def _value(indicator: Indicator, good: bool) -> str:
    return indicator.met if good else indicator.unmet
