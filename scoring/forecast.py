"""What the year will bring if it goes on like this: the veto forecast of a branch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scoring.catalogue import Catalogue
from scoring.exact import ceiling
from scoring.fortress import months_of_existence, needed_activities
from scoring.fortress_scheme import Checkpoint


@dataclass(frozen=True, slots=True)
class VetoForecast:
    """ "4 of 6, 87 days left, at this pace 5 by the end of the year", as numbers."""

    activities: int  # so far
    needed: int  # in the whole year
    missing: int  # 0 when there are enough
    days_left: int  # after today, to 31 December
    expected: int  # by the end of the year at the pace so far, rounded down
    due: int  # what the last checkpoint that has passed asks for; 0 before the first
    behind: bool  # fewer than that: the secretary is told
    next_checkpoint: date | None  # the next day on which it is looked at; None after the last


def forecast(catalogue: Catalogue, *, founded_on: date | None, activities: int, as_of: date) -> VetoForecast:
    """The forecast for one branch on `as_of`, from the days that count so far."""
    veto = catalogue.fortress.terms_on(as_of).veto
    year = as_of.year
    needed = needed_activities(veto, months_of_existence(founded_on, year))
    start = max(date(year, 1, 1), founded_on or date.min)
    end = date(year, 12, 31)
    days_so_far = max(1, (as_of - start).days + 1)
    expected = int(Fraction(activities * ((end - start).days + 1), days_so_far))
    passed = [one for one in veto.checkpoints if date(year, one.month, one.day) <= as_of]
    coming = [one for one in veto.checkpoints if date(year, one.month, one.day) > as_of]
    due = _due(passed[-1], founded_on, year, needed) if passed else 0
    return VetoForecast(
        activities=activities,
        needed=needed,
        missing=max(0, needed - activities),
        days_left=(end - as_of).days,
        expected=expected,
        due=due,
        behind=activities < due,
        next_checkpoint=date(year, coming[0].month, coming[0].day) if coming else None,
    )


def _due(checkpoint: Checkpoint, founded_on: date | None, year: int, needed: int) -> int:
    """What the checkpoint asks of this branch: a young one owes its share, never more than its year."""
    first_month = founded_on.month if founded_on and founded_on.year == year else 1
    months = max(0, checkpoint.month - first_month + 1)
    return min(needed, ceiling(Fraction(checkpoint.activities * months, checkpoint.month)))
