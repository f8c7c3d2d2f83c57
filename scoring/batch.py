"""The pioneer index of many members at once: the same figures as `pioneer`, over columns of integers.

Everything stays in 64-bit integers: each share gets the denominator of its member, and one rounding ends it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from scoring.catalogue import Catalogue
from scoring.pioneer_scheme import Rule, RuleTerms

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

COUNT_MAX = 10**9  # counts are cut to this many units: beyond every cap, and far from overflow


@dataclass(frozen=True)
class Columns:
    """One entry per member in every array; members who are exempt or have no months are not in it.

    months: 1..12. rate: whether the member is in mode `rate`. duty_activities: asked for in that mode only.
    points, counts: per rule id; rules without entries may be missing. counts are in units of 1 / `count_unit`
    (100: hundredths).
    """

    months: Ints
    rate: Bools
    duty_activities: Ints
    points: Mapping[str, Ints] = field(default_factory=dict)
    counts: Mapping[str, Ints] = field(default_factory=dict)
    count_unit: int = 100


@dataclass(frozen=True)
class BatchResult:
    """Columns of the index in the order of the members; base, positive, conduct and score in hundredths."""

    base: Ints
    positive: Ints
    conduct: Ints
    score: Ints
    stars: Ints
    cleared: Bools


def month_counts(year: int, as_of: date, member: Ints, first: Ints, end: Ints, members: int) -> Ints:
    """Months of `year` with membership per member, 0..12; what `month_count` gives, for many rows at once.

    One row per membership: member (0..members-1), first day and end as proleptic ordinals (`date.toordinal`),
    end 0 for an open one. `as_of` lies in `year`.
    """
    months = np.zeros(members, dtype=np.int64)
    settled = (first <= date(year, 1, 1).toordinal()) & (end == 0)
    months[member[settled]] = 12  # most people: nothing else can add to it
    member, first, end = member[~settled], first[~settled], end[~settled]
    known = first <= as_of.toordinal()
    open_ = (end == 0) | (end > as_of.toordinal())
    for month in range(1, 13):
        starts = date(year, month, 1).toordinal()
        after = date(year + month // 12, month % 12 + 1, 1).toordinal()
        inside = known & (first < after) & (open_ | ((end > starts) & (end > first)))
        present = np.zeros(members, dtype=bool)
        present[member[inside]] = True
        months += present
    return np.minimum(months, 12)


def pioneer_batch(catalogue: Catalogue, columns: Columns, *, as_of: date) -> BatchResult:
    """The index of every member of `columns` for the year of `as_of`."""
    scheme = catalogue.pioneer.terms_on(as_of)
    size = len(columns.months)
    # Base parts need the denominators of months, hours and held activities; the others are whole points.
    held = np.where(columns.rate, np.maximum(columns.duty_activities, 1), 1)
    hours_full = _hours_full(catalogue, as_of)
    bottom = columns.months * hours_full * columns.count_unit * held
    sums: dict[str, Ints] = {part: np.zeros(size, dtype=np.int64) for part in scheme.parts}
    cleared = np.zeros(size, dtype=bool)
    for rule in catalogue.pioneer.rule:
        terms = rule.terms_on(as_of)
        if terms is None:
            continue
        if rule.part == "zero_clear":
            cleared |= _column(columns.counts, rule.id, size) > 0
        elif rule.part == "base":
            sums["base"] += _base(rule, terms, columns, bottom)
        else:
            sums[rule.part] += _whole(rule, terms, columns)
    # Half up: (200 n + d) // 2 d.
    top = np.minimum(sums["base"], scheme.parts["base"] * bottom)
    base: Ints = (200 * top + bottom) // (2 * bottom)
    positive: Ints = 100 * np.minimum(sums["positive"], scheme.parts["positive"])
    conduct: Ints = 100 * np.maximum(0, scheme.parts["conduct"] - sums["conduct"])
    score: Ints = np.where(cleared, 0, base + positive + conduct)
    stars = np.zeros(size, dtype=np.int64)
    for bound, given in reversed(scheme.stars):
        stars[score >= 100 * bound] = given
    stars[cleared] = 0
    return BatchResult(base, positive, conduct, score, stars, cleared)


def _hours_full(catalogue: Catalogue, as_of: date) -> int:
    """A common multiple of the hours that earn a whole cap; 1 without such a rule."""
    found = [terms.full_at for rule in catalogue.pioneer.rule if (terms := rule.terms_on(as_of))]
    return int(np.lcm.reduce([hours for hours in found if hours] or [1]))


def _column(of: Mapping[str, Ints], rule_id: str, size: int) -> Ints:
    column = of.get(rule_id)
    return np.zeros(size, dtype=np.int64) if column is None else column.astype(np.int64, copy=False)


def _base(rule: Rule, terms: RuleTerms, columns: Columns, bottom: Ints) -> Ints:
    """What the rule earns, times `bottom`. Inputs are cut at the cap first, which changes nothing after it."""
    size = len(columns.months)
    cap = terms.cap or 0
    points = np.clip(_column(columns.points, rule.id, size), 0, cap)
    counts = np.clip(_column(columns.counts, rule.id, size), 0, COUNT_MAX)
    if rule.formula == "hours_pro_rata":
        full_at = terms.full_at or 1
        counts = np.minimum(counts, full_at * columns.count_unit)
        earned = 12 * cap * counts * (bottom // (full_at * columns.count_unit * columns.months))
    elif rule.formula == "points_pro_rata":
        earned = 12 * points * (bottom // columns.months)
    else:
        earned = points * bottom
    earned = np.minimum(earned, cap * bottom)
    if not rule.rate_mode:
        return earned
    held = np.maximum(columns.duty_activities, 1)
    attended = np.minimum(counts, held * columns.count_unit)
    share = cap * attended * (bottom // (held * columns.count_unit))
    return np.where(columns.rate, np.where(columns.duty_activities > 0, share, 0), earned)


def _whole(rule: Rule, terms: RuleTerms, columns: Columns) -> Ints:
    points = _column(columns.points, rule.id, len(columns.months))
    earned = np.maximum(0, -points if rule.formula == "deduction" else points)
    return earned if terms.cap is None else np.minimum(earned, terms.cap)
