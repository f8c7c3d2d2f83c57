"""The common part of the fortress index: how much of its points each of the sixteen items earns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scoring.catalogue import Catalogue
from scoring.fortress_facts import Activity, BranchFacts, MemberFigures
from scoring.fortress_scheme import Value, Veto
from scoring.items import CommonItem
from scoring.periods import periods_of

NONE, FULL = Fraction(0), Fraction(1)


@dataclass(frozen=True, slots=True)
class CommonResult:
    """One common item: what it can bring and the share that is earned.

    have and required say how far it is, where the item counts something: days, months, hours, a mean or a
    rate.
    """

    item_id: str
    aspect: str
    points: int
    share: Fraction
    have: Fraction | None = None
    required: Fraction | None = None


def common_results(
    catalogue: Catalogue,
    facts: BranchFacts,
    veto: Veto,
    *,
    activities: Sequence[Activity],
    months: int,
    as_of: date,
) -> tuple[CommonResult, ...]:
    """Every common item of `as_of`. activities: those of the year to date. months: of existence, 1..12."""
    held = [one for one in activities if one.held(veto)]
    found = []
    for item in catalogue.common_on(as_of):
        if item.collected:
            have, required = _by_value(item, latest_value(facts, item.id, as_of), months)
        elif item.formula == "attendance":
            have, required = _by_attendance(item, veto, activities)
        elif item.kinds:
            have, required = _by_days(item, held, months)
        else:
            have, required = _by_members(item, facts.members, months)
        share = _share(item, have, required)
        found.append(CommonResult(item.id, item.aspect, item.points, share, have, required))
    return tuple(found)


def latest_value(facts: BranchFacts, item_id: str, as_of: date) -> Value:
    """The value of the latest closed month of the year that has one; None without any."""
    for month in reversed(periods_of("monthly", as_of.year)):
        value = facts.values.get((item_id, month.text))
        if month.last <= as_of and value is not None:
            return value
    return None


def _by_value(item: CommonItem, value: Value, months: int) -> tuple[Fraction, Fraction]:
    have = Fraction(value) if value is not None else NONE
    if item.formula == "value_months":
        return have, Fraction(months)
    return have, item.required or FULL


def _by_attendance(item: CommonItem, veto: Veto, activities: Sequence[Activity]) -> tuple[Fraction, Fraction]:
    duties = [one for one in activities if one.duty(veto)]
    should = sum(one.should_attend for one in duties)
    have = Fraction(sum(one.attended for one in duties), should) if should else NONE
    return have, item.required or FULL


def _by_days(item: CommonItem, held: Sequence[Activity], months: int) -> tuple[Fraction, Fraction]:
    days = [len({one.day for one in held if kind in one.kinds}) for kind in item.kinds]
    if item.formula == "kinds_held":
        return Fraction(sum(1 for count in days if count)), Fraction(len(item.kinds))
    # Exact, not rounded up: a branch of nine months owes nine twelfths.
    return Fraction(days[0]), (item.required or FULL) * months / 12


def _by_members(item: CommonItem, members: Sequence[MemberFigures], months: int) -> tuple[Fraction, Fraction]:
    required = item.required or FULL
    if item.formula == "study_hours":
        hours = sum(max(0, one.study_hours) for one in members)  # whole hours stay integers: that is most of them
        return (Fraction(hours) / len(members) if members else NONE), required * months / 12
    scores = Fraction(sum(one.score for one in members), 100)
    return (scores / len(members) if members else NONE), required


def _share(item: CommonItem, have: Fraction, required: Fraction) -> Fraction:
    if item.formula in ("value_true", "value_at_least", "pioneer_mean", "attendance"):
        return FULL if have >= required else NONE
    return min(FULL, max(NONE, have / required))
