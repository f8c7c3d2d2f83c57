"""The organisational power index of one organisation in one month. Pure arithmetic: no storage, no clock."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from scoring.catalogue import Catalogue
from scoring.exact import half_up
from scoring.fortress import NegativeResult
from scoring.fortress_scheme import Value
from scoring.items import Dimension, Indicator, NegativeItem
from scoring.org_power_scheme import DIMENSIONS, IndexTerms
from scoring.periods import CalendarPeriod, last_ended, months_to, period

Standing = Literal["met", "unmet", "not_due"]


@dataclass(frozen=True, slots=True)
class PowerFacts:
    """What is known of one organisation. Values of later periods may be in it: they are not looked at.

    values: per indicator and written period. negatives: cases per item with a day in the month, taken-back
    ones subtracted.
    """

    field: str
    founded_on: date | None = None  # None: always existed
    values: Mapping[tuple[str, str], Value] = dataclasses.field(default_factory=dict)
    negatives: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndicatorStanding:
    """How an indicator stands in a month: by which period, and by which value of it.

    period: None where the indicator is not due. value: None where nobody handed one in, too; that is unmet.
    """

    indicator: Indicator
    standing: Standing
    period: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class DimensionResult:
    """One dimension: points due and earned by its indicators, and the score in hundredths."""

    id: Dimension
    due: int
    earned: int
    score: int


@dataclass(frozen=True, slots=True)
class OrgPowerResult:
    """The index of one organisation in one month. Scores are hundredths, as printed; ranks come from the field."""

    month: CalendarPeriod
    dimensions: tuple[DimensionResult, ...]  # in the order of DIMENSIONS
    deduction: int
    score: int
    indicators: tuple[IndicatorStanding, ...]  # in the order of the catalogue
    negatives: tuple[NegativeResult, ...]  # only those with cases, in the order of the list

    @property
    def unmet(self) -> tuple[str, ...]:
        """Ids of the indicators that stand unmet, in the order of the catalogue."""
        return tuple(one.indicator.id for one in self.indicators if one.standing == "unmet")

    @property
    def hits(self) -> tuple[str, ...]:
        """Ids of the items of the negative list with cases in the month, in the order of the list."""
        return tuple(one.item_id for one in self.negatives)


def record_months(
    indicators: Iterable[Indicator], rows: Iterable[tuple[str, str]], as_of: date
) -> tuple[CalendarPeriod, ...]:
    """The months of the record: from the earliest closed monthly period that has a row to the last complete month.

    rows: (indicator id, period) of every stored value, of any organisation, empty ones included; rows of
    other ids are passed over. Nothing before the first month closed.
    """
    monthly = {one.id for one in indicators if one.period == "monthly"}
    months = [period("monthly", text) for text in {text for one, text in set(rows) if one in monthly}]
    closed = [month for month in months if month.last <= as_of]
    return months_to(min(closed), as_of) if closed else ()


def has_row(founded_on: date | None, month: CalendarPeriod) -> bool:
    """Whether an organisation is judged in the month: only one that existed on its first day."""
    return founded_on is None or founded_on <= month.first


def org_power(
    catalogue: Catalogue, facts: PowerFacts, *, month: CalendarPeriod, first_closed: Mapping[str, date]
) -> OrgPowerResult:
    """The index of one organisation in `month`, a month in which it `has_row`.

    first_closed: from `first_closes`, over the values of all. The rules are those of the month's last day.
    """
    terms, indicators, items = _rules(catalogue, facts.field, month)
    standings = tuple(_stand(one, ended, facts, first_closed.get(one.id)) for one, ended in indicators)
    due, earned = dict.fromkeys(DIMENSIONS, 0), dict.fromkeys(DIMENSIONS, 0)
    for one in standings:
        if one.standing != "not_due":
            due[one.indicator.dimension] += one.indicator.points
            earned[one.indicator.dimension] += one.indicator.points if one.standing == "met" else 0
    dimensions = tuple(
        DimensionResult(one, due[one], earned[one], dimension_score(terms, due=due[one], earned=earned[one]))
        for one in DIMENSIONS
    )
    hits = []
    for item in items:
        count = facts.negatives.get(item.id, 0)
        if count > 0:
            hits.append(NegativeResult(item.id, count, item.deduction(count)))
    deduction, score = deduction_and_score(
        terms, [one.score for one in dimensions], taken=sum(one.points for one in hits)
    )
    return OrgPowerResult(month, dimensions, deduction, score, standings, tuple(hits))


def dimension_score(terms: IndexTerms, *, due: int, earned: int) -> int:
    """A dimension in hundredths; in full where nothing is due."""
    return half_up(Fraction(terms.dimension_points * earned, due)) if due else 100 * terms.dimension_points


def deduction_and_score(terms: IndexTerms, dimensions: Sequence[int], *, taken: int) -> tuple[int, int]:
    """What the negative list takes (`taken` in points, before the cap), and the score; both in hundredths."""
    deduction = 100 * min(terms.deduction_max, taken)
    return deduction, max(100 * terms.score_min, sum(dimensions) - deduction)


@lru_cache(maxsize=1024)
def _rules(
    catalogue: Catalogue, field: str, month: CalendarPeriod
) -> tuple[IndexTerms, tuple[tuple[Indicator, CalendarPeriod | None], ...], tuple[NegativeItem, ...]]:
    """The terms of the month, each indicator of the field with its last ended period, and the negative list."""
    day = month.last
    indicators = tuple((one, last_ended(one.period, day)) for one in catalogue.indicators_on(field, day))
    return catalogue.org_power.terms_on(day).index, indicators, catalogue.negatives_on(field, day)


def _stand(
    indicator: Indicator, ended: CalendarPeriod | None, facts: PowerFacts, first_closed: date | None
) -> IndicatorStanding:
    if ended is None or first_closed is None or ended.last < first_closed:
        return IndicatorStanding(indicator, "not_due", None, None)
    if facts.founded_on is not None and ended.first < facts.founded_on:
        return IndicatorStanding(indicator, "not_due", None, None)  # judged by whole periods only
    value = facts.values.get((indicator.id, ended.text))
    return IndicatorStanding(indicator, "met" if indicator.is_met(value) else "unmet", ended.text, value)
