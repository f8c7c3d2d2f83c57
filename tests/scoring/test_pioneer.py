"""The pioneer index: the worked year, and both sides of every border."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.exact import half_up, printed
from scoring.pioneer import Span, Total, earned, month_count, pioneer, what_moves
from scoring.pioneer_scheme import Formula, RuleTerms
from tests.scoring.member_years import ALWAYS, CATALOGUE, FULL_BASE, LAST_DAY, index

YEAR = tomllib.loads(
    (Path(__file__).parent / "data" / "pioneer_year.toml").read_text(encoding="utf-8"), parse_float=Decimal
)


def summed(entries: list[list[Any]]) -> dict[str, Total]:
    points: dict[str, int] = defaultdict(int)
    counts: dict[str, Fraction] = defaultdict(Fraction)
    for rule_id, paid, count in entries:
        points[rule_id] += paid
        counts[rule_id] += Fraction(count)
    return {rule_id: Total(points[rule_id], counts[rule_id]) for rule_id in points}


@pytest.mark.parametrize("member", YEAR["member"], ids=lambda member: member["name"])
def test_the_worked_year_comes_out_to_the_last_hundredth(member: dict[str, Any]) -> None:
    duties = sum(len(one["days"]) for one in YEAR["activity"] if one["kinds"] == ["theme_party_day"])
    result = pioneer(
        CATALOGUE,
        as_of=YEAR["as_of"],
        memberships=[Span(member["from_day"])],
        totals=summed(member["entries"]),
        duty_activities=duties,
        mode=member.get("mode", "normal"),
    )
    if "expected" not in member:
        assert result is None, "an exempt member has no index"
        return
    assert result is not None
    assert {
        "base": printed(result.base),
        "positive": printed(result.positive),
        "conduct": printed(result.conduct),
        "score": printed(result.score),
        "stars": result.stars,
    } == member["expected"]


def test_a_member_with_nothing_has_the_conduct_part_and_one_star() -> None:
    result = index()
    assert (result.base, result.positive, result.conduct, result.score, result.stars) == (0, 0, 2000, 2000, 1)


@pytest.mark.parametrize(
    ("missing", "score", "stars"),
    [(0, 8000, 4), (1, 7900, 3), (10, 7000, 3), (11, 6900, 2), (20, 6000, 2), (21, 5900, 1)],
)
def test_stars_change_exactly_at_their_lower_bounds(missing: int, score: int, stars: int) -> None:
    paid = 30 - min(missing, 30)
    result = index(**{**FULL_BASE, "PB1": (paid, paid // 2)})
    assert (result.score, result.stars) == (score, stars)


def test_ninety_is_five_stars_and_a_hundredth_less_is_four() -> None:
    at = index(**FULL_BASE, PP1=(9, 3), PP4=(1, 1))
    assert (at.score, at.stars) == (9000, 5)
    # 0.04 of an hour short of 32 hours is 0.0125 points: 89.9875 prints as 89.99.
    below = index(**{**FULL_BASE, "PB3": (0, Fraction(3196, 100))}, PP1=(9, 3), PP4=(1, 1))
    assert (below.score, below.stars) == (8999, 4)


def test_parts_have_caps_of_their_own() -> None:
    result = index(**FULL_BASE, PP1=(9, 3), PP2=(6, 6), PP3=(6, 3), PP4=(4, 2), PP5=(8, 1))
    assert (result.base, result.positive, result.score, result.stars) == (6000, 2000, 10000, 5)


def test_conduct_never_falls_below_zero() -> None:
    assert index(PN4=(-20, 2)).conduct == 0
    assert index(PN4=(-20, 2), PN5=(-3, 1)).conduct == 0
    assert index(PN4=(-10, 1), PN5=(-9, 3)).conduct == 100


def test_points_taken_back_beyond_what_was_earned_count_as_nothing() -> None:
    result = index(PB1=(-2, -1), PP1=(-3, -1), PN1=(4, -2), PB3=(0, -5), PZ1=(0, -1))
    assert (result.score, result.cleared) == (2000, False)


def test_one_rounding_at_the_printed_parts_only() -> None:
    # Three shares of 12/7 x 1: single roundings would give 1.71 each.
    result = pioneer(
        CATALOGUE,
        as_of=LAST_DAY,
        memberships=[Span(date(2026, 6, 1))],
        totals={"PB1": Total(1, 1), "PB2": Total(1, 1), "PB3": Total(0, Fraction(32, 10))},
    )
    assert result is not None
    assert result.base == half_up(Fraction(12, 7) * 3) == 514


def test_rate_mode_without_any_duty_earns_nothing_for_activities() -> None:
    result = pioneer(
        CATALOGUE,
        as_of=LAST_DAY,
        memberships=ALWAYS,
        totals={"PB1": Total(10, 5)},
        duty_activities=0,
        mode="rate",
    )
    assert result is not None
    assert result.base == 0


def test_rate_mode_never_gives_more_than_the_cap() -> None:
    result = pioneer(
        CATALOGUE,
        as_of=LAST_DAY,
        memberships=ALWAYS,
        totals={"PB1": Total(20, 10)},
        duty_activities=9,
        mode="rate",
    )
    assert result is not None
    assert result.base == 3000


@pytest.mark.parametrize(
    ("formula", "terms", "total", "more", "expected"),
    [
        ("points", {"points": 3}, Total(7), {}, 7),
        ("points", {"points": 3, "cap": 6}, Total(7), {}, 6),
        ("points", {"points": 3, "cap": 6}, Total(-1), {}, 0),
        ("points", {"points": 3, "cap": 6}, Total(5, 3), {"duty_activities": 4}, 5),
        ("points_pro_rata", {"points": 3, "cap": 30}, Total(7), {}, 14),
        ("points_pro_rata", {"points": 3, "cap": 30}, Total(7, 1), {"rate": True, "duty_activities": 4}, "15/2"),
        ("points_pro_rata", {"points": 3, "cap": 30}, Total(7, 1), {"rate": True}, 0),
        ("points_pro_rata", {"points": 3}, Total(7, 1), {"rate": True, "duty_activities": 4}, 0),
        ("hours_pro_rata", {"points": 0, "cap": 10, "full_at": 32}, Total(0, 8), {}, 5),
        ("hours_pro_rata", {"points": 0, "cap": 10}, Total(0, "1/4"), {}, 5),
        ("hours_pro_rata", {"points": 0, "full_at": 32}, Total(0, 8), {}, 0),
        ("deduction", {"points": -2}, Total(-7), {}, 7),
        ("deduction", {"points": -2, "cap": 6}, Total(-7), {}, 6),
        ("deduction", {"points": -2}, Total(7), {}, 0),
        ("zero_clear", {"points": 0}, Total(7, 7), {}, 0),
    ],
)  # fmt: skip
def test_what_one_rule_earns_in_half_a_year(
    formula: Formula, terms: dict[str, int], total: Total, more: dict[str, Any], expected: int | str
) -> None:
    block = RuleTerms(starts=date(2000, 1, 1), status="P", source="ours", **terms)
    exact = Total(total.points, Fraction(total.count))
    assert earned(formula, block, exact, months=6, **more) == Fraction(expected)


def test_every_rule_has_its_line_with_what_was_booked() -> None:
    scheme = CATALOGUE.pioneer
    turned = replace(CATALOGUE, pioneer=scheme.model_copy(update={"rule": scheme.rule[::-1]}))
    totals = {"PB1": Total(10, 5), "PN1": Total(-4, 2), "PZ1": Total(0, 0)}
    found = pioneer(turned, as_of=LAST_DAY, memberships=ALWAYS, totals=totals)
    assert found is not None
    assert [one.rule_id for one in found.rules] == [
        rule.id for rule in scheme.rule[::-1] if rule.part != "zero_clear"
    ]
    booked = {one.rule_id: (one.points, one.count) for one in found.rules if one.points or one.count}
    assert booked == {"PB1": (10, 5), "PN1": (-4, 2)}
    assert (found.mode, found.duty_activities, found.months, found.cleared) == ("normal", 0, 12, False)


# ---- months of membership ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spans", "as_of", "months"),
    [
        ([Span(date(2026, 1, 1))], date(2026, 1, 1), 12),
        ([Span(date(2026, 12, 31))], LAST_DAY, 1),
        ([Span(date(2026, 12, 31))], date(2026, 12, 30), 0),
        ([Span(date(2027, 1, 1))], LAST_DAY, 0),
        ([Span(date(2025, 3, 1), date(2026, 1, 1))], LAST_DAY, 0),
        ([Span(date(2025, 3, 1), date(2026, 1, 2))], LAST_DAY, 1),
        ([Span(date(2025, 3, 1), date(2026, 5, 1))], LAST_DAY, 4),
        ([Span(date(2025, 3, 1), date(2026, 5, 2))], LAST_DAY, 5),
        ([Span(date(2025, 3, 1), date(2026, 5, 2))], date(2026, 5, 1), 12),
        ([Span(date(2025, 3, 1), date(2026, 5, 2))], date(2026, 5, 2), 5),
        ([Span(date(2026, 1, 31), date(2026, 2, 1))], LAST_DAY, 1),
        ([Span(date(2026, 1, 5), date(2026, 2, 10)), Span(date(2026, 2, 10))], LAST_DAY, 12),
        ([Span(date(2026, 1, 5), date(2026, 2, 10)), Span(date(2026, 11, 30))], LAST_DAY, 4),
        ([Span(date(2026, 1, 5), date(2027, 2, 10))], LAST_DAY, 12),
        ([Span(date(2026, 5, 5), date(2026, 5, 5))], LAST_DAY, 0),
        ([Span(date(2020, 1, 1), date(2025, 3, 1)), Span(date(2026, 11, 1))], LAST_DAY, 2),
        ([], LAST_DAY, 0),
    ],
)
def test_a_month_counts_with_one_day_in_it(spans: list[Span], as_of: date, months: int) -> None:
    assert month_count(spans, as_of) == months


def test_nobody_has_an_index_without_a_day_in_the_year() -> None:
    gone = [Span(date(2020, 1, 1), date(2026, 1, 1))]
    assert pioneer(CATALOGUE, as_of=LAST_DAY, memberships=gone, totals={}) is None
    gone = [Span(date(2020, 1, 1), date(2026, 1, 2))]
    assert pioneer(CATALOGUE, as_of=LAST_DAY, memberships=gone, totals={}) is not None


# ---- properties ----------------------------------------------------------------------------------------
rule_ids = [rule.id for rule in CATALOGUE.pioneer.rule if rule.id != "PZ1"]
any_totals = st.dictionaries(
    st.sampled_from(rule_ids),
    st.builds(Total, st.integers(-60, 60), st.fractions(-5, 50, max_denominator=100)),
)
starts = st.dates(date(2024, 1, 1), date(2026, 11, 30))


@given(any_totals, starts, st.sampled_from(["normal", "rate"]), st.integers(0, 40))
def test_every_index_stays_in_its_bounds(
    totals: dict[str, Total], start: date, mode: Any, duty_activities: int
) -> None:
    result = pioneer(
        CATALOGUE,
        as_of=LAST_DAY,
        memberships=[Span(start)],
        totals=totals,
        duty_activities=duty_activities,
        mode=mode,
    )
    assert result is not None
    assert 0 <= result.base <= 6000
    assert 0 <= result.positive <= 2000
    assert 0 <= result.conduct <= 2000
    assert result.score == result.base + result.positive + result.conduct
    assert all(one.cap is None or 0 <= one.earned <= one.cap for one in result.rules)


@given(any_totals, st.sampled_from(rule_ids), st.integers(1, 20))
def test_more_points_never_lower_an_index(totals: dict[str, Total], rule_id: str, more: int) -> None:
    had = totals.get(rule_id, Total())
    before = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=ALWAYS, totals=totals)
    after = pioneer(
        CATALOGUE,
        as_of=LAST_DAY,
        memberships=ALWAYS,
        totals={**totals, rule_id: Total(had.points + more, had.count + more)},
    )
    assert before is not None
    assert after is not None
    assert after.score >= before.score


@given(any_totals)
def test_proposed_steps_add_up_to_what_they_promise(totals: dict[str, Total]) -> None:
    now = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=ALWAYS, totals=totals)
    assert now is not None
    moves = what_moves(CATALOGUE, now, as_of=LAST_DAY)
    if moves is None:
        assert now.stars == 5
        return
    done = dict(totals)
    for step in moves.steps:
        had = done.get(step.rule_id, Total())
        terms = CATALOGUE.rule(step.rule_id).terms_on(LAST_DAY)
        assert terms is not None
        done[step.rule_id] = Total(had.points + (terms.points or 0) * step.times, had.count + step.times)
    then = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=ALWAYS, totals=done)
    assert then is not None
    assert then.score - now.score == sum(step.gain for step in moves.steps)
    assert (then.stars >= moves.next_stars) is moves.reached
