"""The fortress index of all branches at once: the same figures as `fortress`, over columns of integers.

Every share keeps its own denominator; each printed figure is one sum of fractions, rounded once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.catalogue import FIELDS, Catalogue
from scoring.fortress import needed_activities
from scoring.fortress_scheme import Veto
from scoring.items import CommonItem, Indicator
from scoring.periods import CalendarPeriod, periods_of
from scoring.ranks import ranked
from scoring.ratios import Ints, Ratio, half_up_sum, weighted
from scoring.stars import Rated, stars_in_field
from scoring.value_columns import ValueColumns

Bools = NDArray[np.bool_]
DAYS = 367


@dataclass(frozen=True)
class ActivityColumns:
    """Approved activities of the year to date, one entry each. branch: its place; day: 1 is 1 January.

    kinds: a bit per name in `kind_names`; those that no rule asks for may be missing from it.
    """

    branch: Ints
    day: Ints
    region: Bools
    kinds: Ints
    should_attend: Ints
    attended: Ints
    kind_names: tuple[str, ...] = ()

    def of_kinds(self, names: Sequence[str]) -> Bools:
        """Whether an activity is of one of these kinds."""
        mask = sum(1 << place for place, name in enumerate(self.kind_names) if name in names)
        return np.asarray((self.kinds & mask) != 0)


class Voices(NamedTuple):
    """The three voices of the appraisal in hundredths, and of which branches all of them are `heard`."""

    heard: Bools
    self_score: Ints
    members_masses: Ints
    superior: Ints


def no_activities() -> ActivityColumns:
    """Nothing was held."""
    none = np.zeros(0, dtype=np.int64)
    return ActivityColumns(none, none, none.astype(bool), none, none, none)


@dataclass(frozen=True)
class BranchColumns:
    """All branches that are founded, one entry each.

    fields: place in FIELDS. founded: proleptic ordinal, 0 for always existed. members, score_sum and
    study_hundredths: of those who are there on the day and not exempt; the sum of printed scores, and of the hours
    (none below 0). negatives: net cases per item in the year to date.
    """

    fields: Ints
    founded: Ints
    activities: ActivityColumns
    values: ValueColumns
    members: Ints
    score_sum: Ints
    study_hundredths: Ints
    negatives: Mapping[str, Ints] = field(default_factory=dict)
    voices: Voices | None = None

    @property
    def size(self) -> int:
        """How many branches."""
        return len(self.fields)


@dataclass(frozen=True)
class FortressColumns:
    """Columns of the index in the order of the branches; scores in hundredths. appraisal: -1 for none.

    parts: what each aspect, and the field's own part (`specific`), brings. rank: within the field.
    """

    common: Ints
    specific: Ints
    deductions: Ints
    base: Ints
    appraisal: Ints
    score: Ints
    activities: Ints
    veto: Bools
    stars: Ints
    rank: Ints
    parts: dict[str, Ints]


def fortress_batch(
    catalogue: Catalogue, columns: BranchColumns, *, as_of: date, first_closed: Mapping[str, date]
) -> FortressColumns:
    """The index of every branch for the year of `as_of`; what `fortress` and `rate_field` give, one by one."""
    terms = catalogue.fortress.terms_on(as_of)
    work = _Work(catalogue, columns, terms.veto, as_of, first_closed)
    shares = list(work.common_shares())
    common = half_up_sum([ratio for _, ratio in shares])
    specific = work.specific()
    deductions = work.deductions()
    base = np.clip(common + specific - deductions, 0, 100_00)
    appraisal = np.full(columns.size, -1, dtype=np.int64)
    score = base
    voices = columns.voices
    if voices is not None and (as_of.month, as_of.day) == (12, 31):
        weights = terms.weights
        told = [voices.self_score, voices.members_masses, voices.superior]
        voiced = weighted([weights.self_, weights.members_masses, weights.superior], told)
        appraisal = np.where(voices.heard, voiced, -1)
        score = np.where(voices.heard, weighted([weights.base, weights.appraisal], [base, voiced]), base)
    activities = work.counted_days()
    needed = np.array([needed_activities(terms.veto, months) for months in range(13)], dtype=np.int64)[work.months]
    veto = (activities < needed) & ((as_of.month, as_of.day) == (12, 31))
    stars, rank = np.zeros((2, columns.size), dtype=np.int64)
    for number in range(len(FIELDS)):
        here = np.flatnonzero(columns.fields == number)
        scores = score[here].tolist()
        rated = [Rated(one, vetoed) for one, vetoed in zip(scores, veto[here].tolist(), strict=True)]
        stars[here] = stars_in_field(terms.stars.bands, terms.stars.five_star_share, rated)
        rank[here] = ranked(scores)
    aspects = {item.aspect: [r for one, r in shares if one.aspect == item.aspect] for item, _ in shares}
    parts: dict[str, Ints] = {str(aspect): half_up_sum(ratios) for aspect, ratios in aspects.items()}
    parts["specific"] = specific
    return FortressColumns(
        common, specific, deductions, base, appraisal, score, activities, veto, stars, rank, parts
    )


@dataclass(frozen=True)
class _Work:
    """One computation under way."""

    catalogue: Catalogue
    columns: BranchColumns
    veto: Veto
    as_of: date
    first_closed: Mapping[str, date]

    @cached_property
    def months(self) -> Ints:
        """Months of existence in the year, 1..12."""
        found = np.full(self.columns.size, 12, dtype=np.int64)
        for month in range(1, 13):
            starts = date(self.as_of.year, month, 1).toordinal()
            after = date(self.as_of.year + month // 12, month % 12 + 1, 1).toordinal()
            found[(self.columns.founded >= starts) & (self.columns.founded < after)] = 13 - month
        return found

    @cached_property
    def held(self) -> Bools:
        """Which activities enough people came to."""
        share, told = self.veto.held_share, self.columns.activities
        enough = share.denominator * told.attended >= share.numerator * told.should_attend
        return (told.should_attend > 0) & enough

    def days(self, chosen: Bools) -> Ints:
        """Distinct days per branch among the chosen activities."""
        told = self.columns.activities
        there = np.zeros((self.columns.size, DAYS), dtype=bool)
        there[told.branch[chosen], told.day[chosen]] = True
        return np.asarray(there.sum(axis=1), dtype=np.int64)

    def counted_days(self) -> Ints:
        """Distinct days that count towards the yearly minimum."""
        told = self.columns.activities
        return self.days(self.held & (told.region | told.of_kinds(self.veto.countable_kinds)))

    def common_shares(self) -> Iterator[tuple[CommonItem, Ratio]]:
        """What each common item earns, as a ratio of points."""
        for item in self.catalogue.common_on(self.as_of):
            if item.collected:
                top, bottom = self._by_value(item)
            elif item.formula == "attendance":
                top, bottom = self._by_attendance(item)
            elif item.kinds:
                top, bottom = self._by_days(item)
            else:
                top, bottom = self._by_members(item)
            yield item, (item.points * np.minimum(top, bottom), bottom)

    def _by_value(self, item: CommonItem) -> Ratio:
        """The value of the latest closed month that has one; each distinct value is judged once."""
        values, ones = self.columns.values, np.ones(self.columns.size, dtype=np.int64)
        latest = np.zeros(self.columns.size, dtype=np.int32)
        given = values.given(statement=item.statement)
        for month in periods_of("monthly", self.as_of.year):
            codes = values.columns.get((item.id, month.text))
            if month.last <= self.as_of and codes is not None:
                latest = np.where(given[codes], codes, latest)
        top, bottom = np.zeros(len(given), dtype=np.int64), np.ones(len(given), dtype=np.int64)
        for code in np.flatnonzero(np.bincount(latest, minlength=len(given))).tolist():
            share = self._value_share(item, code)
            top[code], bottom[code] = share.numerator, share.denominator
        if item.formula == "value_months":
            return top[latest], bottom[latest] * self.months
        return top[latest], ones

    def _value_share(self, item: CommonItem, code: int) -> Fraction:
        """0 or 1; for months the figure itself, within 0..12."""
        value = self.columns.values.value(code, statement=item.statement)
        figure = Fraction(value) if value is not None else Fraction(0)
        if item.formula == "value_months":
            return min(Fraction(12), max(Fraction(0), figure))
        return Fraction(int(figure >= (item.required or 1)))

    def _by_attendance(self, item: CommonItem) -> Ratio:
        told, size = self.columns.activities, self.columns.size
        due = ~told.region & told.of_kinds(self.veto.countable_kinds)
        should, came = np.zeros((2, size), dtype=np.int64)
        np.add.at(should, told.branch[due], told.should_attend[due])
        np.add.at(came, told.branch[due], told.attended[due])
        required = item.required or Fraction(1)
        enough = (should > 0) & (came * required.denominator >= should * required.numerator)
        return enough.astype(np.int64), np.ones(size, dtype=np.int64)

    def _by_days(self, item: CommonItem) -> Ratio:
        days = [self.days(self.held & self.columns.activities.of_kinds([kind])) for kind in item.kinds]
        if item.formula == "kinds_held":
            kinds = sum(one > 0 for one in days)
            return np.asarray(kinds, dtype=np.int64), np.full(self.columns.size, len(item.kinds), dtype=np.int64)
        required = item.required or Fraction(1)
        return 12 * required.denominator * days[0], required.numerator * self.months

    def _by_members(self, item: CommonItem) -> Ratio:
        required, members = item.required or Fraction(1), self.columns.members
        if item.formula == "study_hours":
            top = 12 * required.denominator * self.columns.study_hundredths
            return top, 100 * required.numerator * np.maximum(members, 1) * self.months
        enough = self.columns.score_sum * required.denominator >= 100 * required.numerator * members
        return (enough & (members > 0)).astype(np.int64), np.ones(self.columns.size, dtype=np.int64)

    def specific(self) -> Ints:
        """The field's own part, in hundredths."""
        points = self.catalogue.fortress.terms_on(self.as_of).parts.specific
        found = np.zeros(self.columns.size, dtype=np.int64)
        for number, name in enumerate(FIELDS):
            here = np.flatnonzero(self.columns.fields == number)
            pairs = [self._periods(one, here) for one in self.catalogue.specific_on(name, self.as_of)]
            judged = sum((asked > 0).astype(np.int64) for _, asked in pairs)
            each = np.maximum(judged, 1)
            ratios = [(points * met, np.maximum(asked, 1) * each) for met, asked in pairs]
            found[here] = np.where(judged > 0, half_up_sum(ratios), 100 * points)
        return found

    def _periods(self, indicator: Indicator, here: Ints) -> Ratio:
        """Periods of the year met and judged by these branches."""
        met, judged = np.zeros((2, len(here)), dtype=np.int64)
        first = self.first_closed.get(indicator.id)
        if first is None or first > self.as_of:
            return met, judged
        for one in periods_of(indicator.period, self.as_of.year):
            if one.last >= first:
                self._judge(indicator, one, here, met, judged)
        return met, judged

    def _judge(self, indicator: Indicator, one: CalendarPeriod, here: Ints, met: Ints, judged: Ints) -> None:
        due = self.columns.founded[here] <= one.first.toordinal()
        judged += due
        if one.last <= self.as_of:
            verdict = self.columns.values.met(indicator, one.text)
            if verdict is not None:
                met += due & verdict[here]

    def deductions(self) -> Ints:
        """What the negative list takes, in hundredths."""
        found = np.zeros(self.columns.size, dtype=np.int64)
        for number, name in enumerate(FIELDS):
            here = self.columns.fields == number
            for item in self.catalogue.negatives_on(name, self.as_of):
                counts = self.columns.negatives.get(item.id)
                if counts is not None:
                    found += np.where(here, -100 * item.points * np.maximum(counts, 0), 0)
        return found
