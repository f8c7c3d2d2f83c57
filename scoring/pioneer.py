"""The pioneer index of one member, from totals per rule. Pure arithmetic: no storage, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import lru_cache

from scoring.blocks import Mode
from scoring.catalogue import Catalogue
from scoring.exact import half_up
from scoring.pioneer_scheme import Formula, PartId, PioneerTerms, Rule, RuleTerms
from scoring.stars import next_band, stars


@dataclass(frozen=True, slots=True)
class Span:
    """Days of membership (or existence) in [from_day, to_day); to_day None: still open."""

    from_day: date
    to_day: date | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """What a member has under one rule in the year to date.

    points: booked points, positive when earned and negative when deducted. count: events, months, cases;
    hours for study. Taken-back lines are already subtracted.
    """

    points: Fraction | int = 0  # whole in the ledger; a file that is scored may say otherwise
    count: Fraction | int = 0


NOTHING = Total()
ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What one rule gave. `earned` counts for the index (a deduction takes it) and never exceeds `cap`."""

    rule_id: str
    part: PartId
    earned: Fraction
    cap: int | None
    points: Fraction | int
    count: Fraction


@dataclass(frozen=True, slots=True)
class PioneerResult:
    """The index of one member. base, positive, conduct and score are hundredths, rounded as printed."""

    base: int
    positive: int
    conduct: int
    score: int
    stars: int
    cleared: bool  # a confirmed case sets the score to 0; the parts stay as they are
    months: int  # months of membership in the year, 1..12
    mode: Mode
    duty_activities: int
    rules: tuple[RuleResult, ...]  # in the order of the rule file
    totals: Mapping[str, Total]


def known_spans(spans: Iterable[Span], as_of: date) -> list[Span]:
    """What is known on `as_of`: a later beginning does not exist yet, a later end reads as open."""
    return [
        Span(span.from_day, span.to_day if span.to_day and span.to_day <= as_of else None)
        for span in spans
        if span.from_day <= as_of
    ]


def month_count(spans: Iterable[Span], as_of: date) -> int:
    """Months of the year of `as_of` with at least one day in a span known then; an open one runs to December.

    0 when no day of the year to date lies in a span.
    """
    year = as_of.year
    months: set[int] = set()
    for span in known_spans(spans, as_of):
        # The last day inside is the day before `to_day`: ordinals spare the arithmetic of month ends.
        last = date.fromordinal(span.to_day.toordinal() - 1) if span.to_day else date(year, 12, 31)
        if last.year < year or last < span.from_day:
            continue
        first_month = span.from_day.month if span.from_day.year == year else 1
        months.update(range(first_month, last.month + 1))
    return len(months)


def earned(
    formula: Formula,
    terms: RuleTerms,
    total: Total,
    *,
    months: int,
    rate: bool = False,
    duty_activities: int = 0,
) -> Fraction:
    """What `total` earns under one rule, within 0..cap; for a deduction what it takes; 0 for zero-clear."""
    cap = Fraction(terms.cap) if terms.cap is not None else None
    if rate:
        share = Fraction(total.count) / duty_activities if duty_activities else Fraction(0)
        value = (cap or Fraction(0)) * share
    elif formula == "points_pro_rata":
        value = Fraction(12 * total.points) / months
    elif formula == "hours_pro_rata":
        value = (cap or Fraction(0)) * Fraction(total.count) / (terms.full_at or 1) * 12 / months
    elif formula == "deduction":
        value = Fraction(-total.points)
    elif formula == "points":
        value = Fraction(total.points)
    else:
        value = Fraction(0)
    value = max(Fraction(0), value)
    return value if cap is None else min(cap, value)


def pioneer(
    catalogue: Catalogue,
    *,
    as_of: date,
    memberships: Sequence[Span],
    totals: Mapping[str, Total],
    duty_activities: int = 0,
    mode: Mode = "normal",
) -> PioneerResult | None:
    """The index of one member for the year of `as_of`, from 1 January to that day.

    totals: per rule id, of entries dated in the year to date; rules without entries may be missing.
    duty_activities: those of the member's branches on days of the membership; only mode `rate` asks for them.
    None when the member is exempt or has no day of membership in the year to date.
    """
    months = month_count(memberships, as_of)
    if mode == "exempt" or months == 0:
        return None
    return judge(catalogue, as_of=as_of, months=months, totals=totals, duty_activities=duty_activities, mode=mode)


@lru_cache(maxsize=64)
def _in_force(
    catalogue: Catalogue, day: date
) -> tuple[PioneerTerms, tuple[tuple[Rule, RuleTerms, RuleResult | None], ...]]:
    """The scheme's terms of `day`, and each rule in force with its terms and its result without any entry.

    A zero-clear rule has no result.
    """
    found: list[tuple[Rule, RuleTerms, RuleResult | None]] = []
    for rule in catalogue.pioneer.rule:
        terms = rule.terms_on(day)
        if terms is not None:
            empty: RuleResult | None = None
            if rule.part != "zero_clear":
                empty = RuleResult(rule.id, rule.part, ZERO, terms.cap, 0, ZERO)
            found.append((rule, terms, empty))
    return catalogue.pioneer.terms_on(day), tuple(found)


def judge(
    catalogue: Catalogue,
    *,
    as_of: date,
    months: int,
    totals: Mapping[str, Total],
    duty_activities: int,
    mode: Mode,
) -> PioneerResult:
    """The index when the months of membership (1..12) are counted already."""
    scheme, in_force = _in_force(catalogue, as_of)
    rules: list[RuleResult] = []
    sums: dict[PartId, Fraction] = dict.fromkeys(scheme.parts, ZERO)
    cleared = False
    for rule, terms, empty in in_force:
        total = totals.get(rule.id)
        if empty is None:
            cleared = cleared or (total is not None and total.count > 0)
            continue
        if total is None:  # most rules of most members: no arithmetic for them
            rules.append(empty)
            continue
        rate = rule.rate_mode and mode == "rate"
        gain = earned(rule.formula, terms, total, months=months, rate=rate, duty_activities=duty_activities)
        sums[empty.part] += gain
        rules.append(RuleResult(rule.id, empty.part, gain, terms.cap, total.points, Fraction(total.count)))
    base = half_up(min(Fraction(scheme.parts["base"]), sums["base"]))
    positive = half_up(min(Fraction(scheme.parts["positive"]), sums["positive"]))
    conduct = half_up(max(ZERO, scheme.parts["conduct"] - sums["conduct"]))
    score = 0 if cleared else base + positive + conduct
    given = 0 if cleared else stars(scheme.stars, score)
    return PioneerResult(
        base, positive, conduct, score, given, cleared, months, mode, duty_activities, tuple(rules), totals
    )


@dataclass(frozen=True, slots=True)
class Step:
    """A proposal: `times` more events (in the rule's unit) under `rule_id` raise the score by `gain`."""

    rule_id: str
    times: int
    gain: int  # hundredths


@dataclass(frozen=True, slots=True)
class Moves:
    """What would bring the next star, what is missing to it, and whether the steps suffice (`reached`)."""

    next_stars: int
    next_score: int  # lower bound of the next star, hundredths
    missing: int  # hundredths
    steps: tuple[Step, ...]
    reached: bool


def what_moves(
    catalogue: Catalogue,
    result: PioneerResult,
    *,
    as_of: date,
    without: Iterable[str] = (),
) -> Moves | None:
    """The shortest believable list of steps to the next star, most common ones first.

    Gains are computed by the index itself, so caps and months of membership are in them. `without` names
    rules that cannot bring anything now (this month's dues are paid). None at the top, or when the score
    is cleared.
    """
    bands = catalogue.pioneer.terms_on(as_of).stars
    target = next_band(bands, result.score)
    if target is None or result.cleared:
        return None
    steps: list[Step] = []
    now = result
    rules = [r for r in catalogue.pioneer.rule if r.suggest and r.id not in set(without)]
    for rule in sorted(rules, key=lambda r: r.suggest.order if r.suggest else 0):
        assert rule.suggest is not None, "only rules with a suggestion are left"
        before = now
        times = 0
        for more in range(1, rule.suggest.times + 1):
            tried = _after(catalogue, before, rule.id, more, as_of)
            if tried.score <= now.score or now.score >= target[0]:
                break
            now, times = tried, more
        if times:
            steps.append(Step(rule.id, times, now.score - before.score))
    return Moves(target[1], target[0], target[0] - result.score, tuple(steps), now.score >= target[0])


def _after(catalogue: Catalogue, result: PioneerResult, rule_id: str, times: int, as_of: date) -> PioneerResult:
    """The index after `times` more events under one rule; an activity attended is also an activity held."""
    rule = catalogue.rule(rule_id)
    terms = rule.terms_on(as_of)
    points = (terms.points or 0) * times if terms else 0
    total = result.totals.get(rule_id, NOTHING)
    totals = {**result.totals, rule_id: Total(total.points + points, total.count + times)}
    held = result.duty_activities + (times if rule.rate_mode else 0)
    return judge(
        catalogue, as_of=as_of, months=result.months, totals=totals, duty_activities=held, mode=result.mode
    )
