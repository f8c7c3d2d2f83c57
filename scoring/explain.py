"""A figure taken apart: figure, parts, lines, each with its rule, its terms and where the rule comes from.

Only structure; the words around it are the conversation's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from scoring.blocks import Named, Status
from scoring.catalogue import Catalogue
from scoring.exact import half_up
from scoring.fortress import FortressResult
from scoring.fortress_common import CommonResult
from scoring.fortress_scheme import Value
from scoring.items import Row
from scoring.org_power import DimensionResult, IndicatorStanding, OrgPowerResult, Standing
from scoring.pioneer import PioneerResult


@dataclass(frozen=True, slots=True)
class Line:
    """What one rule gave.

    value: hundredths, negative for a deduction. most: what it can bring; None for a deduction. have and required:
    how far it is (events, days, hours, a rate), required None where the rule asks for no quantity.

    Of an indicator of a month: how it stands, by which period and by which value. period None: not due yet.
    handed_in None with a period: nobody handed one in.
    """

    rule: Named
    value: int
    most: int | None
    have: Fraction | None
    required: Fraction | None
    terms_from: date
    status: Status
    source: str
    standing: Standing | None = None  # None: no indicator of a month
    period: str | None = None
    handed_in: Value = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a figure, in hundredths. Its lines are rounded one by one, so they may miss its value by a few."""

    id: str
    title: Named | None  # None: the deductions of a branch, which no rule file names
    value: int
    most: int | None
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """An index with its parts, in hundredths."""

    scheme: Named
    value: int
    stars: int | None  # None: given only by comparison with the field
    parts: tuple[Part, ...]
    zeroed_by: tuple[Line, ...] = ()  # zero-clear rules that set the value to 0 although the parts stand


def explain_pioneer(catalogue: Catalogue, result: PioneerResult, *, as_of: date) -> Figure:
    """The pioneer index of one member, rule by rule, in the order of the rule file."""
    most = {str(part): points for part, points in catalogue.pioneer.terms_on(as_of).parts.items()}
    values = {"base": result.base, "positive": result.positive, "conduct": result.conduct}
    lines: dict[str, list[Line]] = {part: [] for part in values}
    for one in result.rules:
        rule = catalogue.rule(one.rule_id)
        terms = rule.terms_on(as_of)
        assert terms is not None, "a result has only rules that were in force"
        sign = -1 if rule.formula == "deduction" else 1
        lines[one.part].append(
            Line(
                rule=rule,
                value=sign * half_up(one.earned),
                most=100 * one.cap if one.cap is not None and sign > 0 else None,
                have=one.count,
                required=Fraction(terms.full_at) if terms.full_at else None,
                terms_from=terms.starts,
                status=terms.status,
                source=terms.source,
            )
        )
    parts = tuple(
        Part(part.id, part, values[part.id], 100 * most[part.id], tuple(lines[part.id]))
        for part in catalogue.pioneer.part
    )
    return Figure(catalogue.pioneer.scheme, result.score, result.stars, parts, _cleared(catalogue, result, as_of))


def _cleared(catalogue: Catalogue, result: PioneerResult, as_of: date) -> tuple[Line, ...]:
    found = []
    for rule in catalogue.pioneer.rule:
        terms = rule.terms_on(as_of)
        total = result.totals.get(rule.id)
        if rule.part == "zero_clear" and terms and total and total.count > 0:
            count = Fraction(total.count)
            found.append(Line(rule, 0, None, count, None, terms.starts, terms.status, terms.source))
    return tuple(found)


def explain_fortress(
    catalogue: Catalogue, result: FortressResult, *, field: str, as_of: date, stars: int | None = None
) -> Figure:
    """The fortress index of one branch: the aspects of the common part, the field's own part, the deductions.

    Base, appraisal and score stand in `result`; they are weights over these parts, not parts themselves.
    """
    common = {item.id: item for item in catalogue.common_on(as_of)}
    parts = []
    for aspect in catalogue.fortress.aspect:
        if aspect.id == "specific":
            parts.append(_specific(catalogue, result, aspect, field, as_of))
            continue
        own = [one for one in result.items if one.aspect == aspect.id]
        lines = tuple(_common_line(common[one.item_id], one) for one in own)
        parts.append(Part(aspect.id, aspect, earned_points(own), 100 * sum(one.points for one in own), lines))
    negatives = {item.id: item for item in catalogue.negatives_on(field, as_of)}
    taken = tuple(
        _line(negatives[one.item_id], -100 * one.points, None, Fraction(one.count), None)
        for one in result.negatives
    )
    parts.append(Part("deductions", None, -result.deductions, None, taken))
    return Figure(catalogue.fortress.scheme, result.score, stars, tuple(parts))


def earned_points(items: Sequence[CommonResult]) -> int:
    """What common items earn together, in hundredths."""
    return half_up(sum((one.points * one.share for one in items), Fraction(0)))


def _line(row: Row, value: int, most: int | None, have: Fraction | None, required: Fraction | None) -> Line:
    return Line(row, value, most, have, required, row.starts, row.status, row.source)


def _common_line(item: Row, one: CommonResult) -> Line:
    return _line(item, half_up(one.points * one.share), 100 * one.points, one.have, one.required)


def _specific(catalogue: Catalogue, result: FortressResult, aspect: Named, field: str, as_of: date) -> Part:
    most = catalogue.fortress.terms_on(as_of).parts.specific
    rows = {row.id: row for row in catalogue.specific_on(field, as_of)}
    judged = [one for one in result.indicators if one.judged]
    lines = tuple(
        _line(
            rows[one.indicator_id],
            half_up(Fraction(most * one.met, one.judged * len(judged))),
            half_up(Fraction(most, len(judged))),
            Fraction(one.met),
            Fraction(one.judged),
        )
        for one in judged
    )
    return Part(aspect.id, aspect, result.specific, 100 * most, lines)


def explain_org_power(catalogue: Catalogue, result: OrgPowerResult, *, field: str) -> Figure:
    """The organisational power index of one month: the dimensions with their indicators, then the negative list.

    What is not due has most 0: its dimension is shared out among the others.
    """
    day = result.month.last
    full = 100 * catalogue.org_power.terms_on(day).index.dimension_points
    titles = {one.id: one for one in catalogue.org_power.dimension}
    parts = [
        Part(
            one.id,
            titles[one.id],
            one.score,
            full,
            tuple(
                _standing_line(own, one, full) for own in result.indicators if own.indicator.dimension == one.id
            ),
        )
        for one in result.dimensions
    ]
    items = {item.id: item for item in catalogue.negatives_on(field, day)}
    taken = tuple(
        _line(items[one.item_id], -100 * one.points, None, Fraction(one.count), None) for one in result.negatives
    )
    parts.append(Part("deductions", None, -result.deduction, None, taken))
    return Figure(catalogue.org_power.scheme, result.score, None, tuple(parts))


def _standing_line(one: IndicatorStanding, dimension: DimensionResult, full: int) -> Line:
    row = one.indicator
    most = half_up(Fraction(full * row.points, 100 * dimension.due)) if one.standing != "not_due" else 0
    return Line(
        rule=row,
        value=most if one.standing == "met" else 0,
        most=most,
        have=None,
        required=None,
        terms_from=row.starts,
        status=row.status,
        source=row.source,
        standing=one.standing,
        period=one.period,
        handed_in=one.value,
    )
