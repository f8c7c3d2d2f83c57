"""The fortress index of one branch, from plain facts. Pure arithmetic: no storage, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scoring.catalogue import Catalogue
from scoring.exact import ceiling, half_up
from scoring.fortress_common import CommonResult, common_results
from scoring.fortress_facts import Activity, Appraisal, BranchFacts
from scoring.fortress_scheme import FortressTerms, Veto, Weights
from scoring.items import Indicator
from scoring.periods import periods_of
from scoring.stars import Rated, stars_in_field


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """How many periods of the year an indicator of the field has met, of those in which it is judged."""

    indicator_id: str
    met: int
    judged: int  # 0: not due this year, and left out


@dataclass(frozen=True, slots=True)
class NegativeResult:
    """What one item of the negative list takes."""

    item_id: str
    count: int
    points: int


@dataclass(frozen=True, slots=True)
class FortressResult:
    """The index of one branch. Scores are hundredths, as printed. Stars come from the field."""

    common: int
    specific: int
    deductions: int
    base: int
    appraisal: int | None  # None: not given, or not yet
    score: int
    activities: int  # distinct days that count
    needed: int  # of them in the whole year
    veto: bool
    months: int  # of existence in the year
    items: tuple[CommonResult, ...]
    indicators: tuple[IndicatorResult, ...]
    negatives: tuple[NegativeResult, ...]  # only those with cases


def months_of_existence(founded_on: date | None, year: int) -> int:
    """Months of `year` in which the branch exists, 0..12; one founded later has none."""
    if founded_on is None or founded_on.year < year:
        return 12
    return 13 - founded_on.month if founded_on.year == year else 0


def to_date(activities: Iterable[Activity], as_of: date) -> list[Activity]:
    """Those of the year of `as_of`, up to that day."""
    return [one for one in activities if one.day.year == as_of.year and one.day <= as_of]


def counted_days(veto: Veto, activities: Iterable[Activity]) -> int:
    """Distinct days with a held activity of the region, or of a countable kind."""
    return len({a.day for a in activities if a.held(veto) and (a.scope == "region" or a.countable(veto))})


def needed_activities(veto: Veto, months: int) -> int:
    """Activities that a year with `months` of existence asks for, rounded up."""
    return ceiling(Fraction(veto.activities_min * months, 12))


def vetoed(veto: Veto, *, months: int, activities: int, as_of: date) -> bool:
    """Whether the branch loses its stars. Before 31 December never: until then it is a forecast."""
    return (as_of.month, as_of.day) == (12, 31) and activities < needed_activities(veto, months)


def specific_results(
    catalogue: Catalogue, facts: BranchFacts, *, as_of: date, first_closed: Mapping[str, date]
) -> tuple[IndicatorResult, ...]:
    """Periods of the year met and judged, per indicator of the field; one still open is judged, not met."""
    indicators = catalogue.specific_on(facts.field, as_of)
    return tuple(_judge(one, facts, as_of, first_closed.get(one.id)) for one in indicators)


def _judge(indicator: Indicator, facts: BranchFacts, as_of: date, first_closed: date | None) -> IndicatorResult:
    if first_closed is None or first_closed > as_of:
        return IndicatorResult(indicator.id, 0, 0)
    founded = facts.founded_on or date.min
    judged = [
        one
        for one in periods_of(indicator.period, as_of.year)
        if one.last >= first_closed and one.first >= founded
    ]
    closed = [one for one in judged if one.last <= as_of]
    met = sum(indicator.is_met(facts.values.get((indicator.id, one.text))) for one in closed)
    return IndicatorResult(indicator.id, met, len(judged))


def specific_points(points: int, results: Sequence[IndicatorResult]) -> Fraction:
    """`points` times the mean share of the judged indicators; in full where nothing is due."""
    shares = [Fraction(one.met, one.judged) for one in results if one.judged]
    return points * sum(shares, Fraction(0)) / len(shares) if shares else Fraction(points)


def appraisal_score(weights: Weights, appraisal: Appraisal) -> int:
    """The weighted appraisal, in hundredths."""
    return half_up(
        weights.self_ * appraisal.self_
        + weights.members_masses * appraisal.members_masses
        + weights.superior * appraisal.superior
    )


def base_and_score(
    weights: Weights, *, common: int, specific: int, deductions: int, appraisal: int | None
) -> tuple[int, int]:
    """Base and score from the printed parts; everything in hundredths."""
    base = min(100_00, max(0, common + specific - deductions))
    if appraisal is None:
        return base, base
    return base, half_up((weights.base * base + weights.appraisal * appraisal) / 100)


def fortress(
    catalogue: Catalogue, facts: BranchFacts, *, as_of: date, first_closed: Mapping[str, date]
) -> FortressResult:
    """The index of one branch for the year of `as_of`, from 1 January to that day.

    first_closed: from `first_closes`, over the values of all. Raises ValueError before the founding.
    """
    if facts.founded_on is not None and facts.founded_on > as_of:
        raise ValueError("the branch is not founded yet")
    terms = catalogue.fortress.terms_on(as_of)
    months = months_of_existence(facts.founded_on, as_of.year)
    held = to_date(facts.activities, as_of)
    items = common_results(catalogue, facts, terms.veto, activities=held, months=months, as_of=as_of)
    indicators = specific_results(catalogue, facts, as_of=as_of, first_closed=first_closed)
    negatives = _negatives(catalogue, facts, as_of)
    days = counted_days(terms.veto, held)
    common = half_up(sum((one.points * one.share for one in items), Fraction(0)))
    specific = half_up(specific_points(terms.parts.specific, indicators))
    deductions = 100 * sum(one.points for one in negatives)
    appraisal = _appraisal(terms, facts, as_of)
    base, score = base_and_score(
        terms.weights, common=common, specific=specific, deductions=deductions, appraisal=appraisal
    )
    needed = needed_activities(terms.veto, months)
    veto = vetoed(terms.veto, months=months, activities=days, as_of=as_of)
    return FortressResult(
        common,
        specific,
        deductions,
        base,
        appraisal,
        score,
        days,
        needed,
        veto,
        months,
        items,
        indicators,
        negatives,
    )


def _negatives(catalogue: Catalogue, facts: BranchFacts, as_of: date) -> tuple[NegativeResult, ...]:
    counts = ((one, facts.negatives.get(one.id, 0)) for one in catalogue.negatives_on(facts.field, as_of))
    return tuple(NegativeResult(one.id, count, one.deduction(count)) for one, count in counts if count > 0)


def _appraisal(terms: FortressTerms, facts: BranchFacts, as_of: date) -> int | None:
    # An appraisal belongs to the whole year, so it exists from the last day of it on.
    if facts.appraisal is None or (as_of.month, as_of.day) != (12, 31):
        return None
    return appraisal_score(terms.weights, facts.appraisal)


def rate_field(catalogue: Catalogue, field: Sequence[FortressResult], *, as_of: date) -> list[int]:
    """Stars of every branch of one field, in the order given; five only within the field's quota."""
    terms = catalogue.fortress.terms_on(as_of).stars
    return stars_in_field(terms.bands, terms.five_star_share, [Rated(one.score, one.veto) for one in field])
