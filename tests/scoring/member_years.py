"""A member of many years, and the index of their totals."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from scoring.catalogue import shipped
from scoring.pioneer import PioneerResult, Span, Total, pioneer

CATALOGUE = shipped()
LAST_DAY = date(2026, 12, 31)
ALWAYS = (Span(date(1980, 7, 1)),)


def index(as_of: date = LAST_DAY, **totals: tuple[int, Fraction | int]) -> PioneerResult:
    """The index of a member of many years."""
    found = pioneer(
        CATALOGUE,
        as_of=as_of,
        memberships=ALWAYS,
        totals={rule_id: Total(*total) for rule_id, total in totals.items()},
    )
    assert found is not None
    return found


FULL_BASE = {"PB1": (30, 15), "PB2": (12, 12), "PB3": (0, 32), "PB4": (8, 1)}
