"""The organisational power index of one organisation in one month, taken apart from what is stored about it."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from statistics import median_high, median_low

from sqlmodel import Session

from db import city, negatives, power_board
from db.organizations import Organization
from scoring.catalogue import Catalogue, shipped
from scoring.exact import half_up
from scoring.fortress_facts import first_closes
from scoring.items import read_value
from scoring.org_power import OrgPowerResult, PowerFacts, has_row, org_power
from scoring.periods import period


def power_of(
    session: Session, branch: Organization, month: str, *, catalogue: Catalogue | None = None
) -> OrgPowerResult | None:
    """What stands behind the branch's figure of `month` (2026-03), from the values as they are now.

    None for a node without a field, a month in which it did not exist yet, or one without any record.
    """
    rules, closed = catalogue or shipped(), period("monthly", month)
    if branch.id is None or branch.field is None or not has_row(branch.founded_on, closed):
        return None
    statement = {one.id: one.statement for one in rules.indicators_on(branch.field, closed.last)}
    first = city.first_periods(session, statement)
    if not first:
        return None
    counts: dict[str, int] = {}
    for line in negatives.lines(session, branch.id, closed.first, closed.last):
        counts[line.item_id] = counts.get(line.item_id, 0) + line.count
    rows = [
        row for year in (closed.first.year - 1, closed.first.year) for row in city.values(session, year, branch.id)
    ]
    facts = PowerFacts(
        field=branch.field,
        founded_on=branch.founded_on,
        values={
            (row[1], row[2]): read_value(row[3], statement=statement[row[1]])
            for row in rows
            if row[1] in statement
        },
        negatives=counts,
    )
    return org_power(rules, facts, month=closed, first_closed=first_closes(rules.indicators, first, closed.last))


def medians(session: Session, month: str, field: str) -> tuple[int, ...]:
    """The field's median of each dimension in the month, in hundredths, half up; empty without any result."""
    rows = power_board.field_dimensions(session, month, field)
    return tuple(median_of(column) for column in zip(*rows, strict=True))


def median_of(hundredths: Sequence[int]) -> int:
    """The median in hundredths; between two of them, half up."""
    return half_up(Fraction(median_low(hundredths) + median_high(hundredths), 200))
