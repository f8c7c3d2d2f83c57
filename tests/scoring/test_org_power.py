"""The organisational power index: worked examples, and both sides of every border."""

from __future__ import annotations

import shutil
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.catalogue import FIELDS, RULES, RulesError, load
from scoring.exact import half_up
from scoring.fortress_scheme import Value
from scoring.org_power import (
    OrgPowerResult,
    PowerFacts,
    deduction_and_score,
    dimension_score,
    has_row,
    org_power,
    record_months,
)
from scoring.org_power_scheme import BottomCase, DimensionCase, PowerScoreCase
from scoring.periods import last_ended, month_before, period
from scoring.ranks import at_bottom, places, ranked
from tests.scoring.power_months import CATALOGUE, LONG_AGO, TERMS, Key, judged


def standing(result: OrgPowerResult, indicator_id: str) -> tuple[str, str | None]:
    return next((one.standing, one.period) for one in result.indicators if one.indicator.id == indicator_id)


# ---- the worked examples of the rule file ----------------------------------------------------------------


@pytest.mark.parametrize("case", CATALOGUE.org_power.dimension_cases, ids=lambda case: case.say)
def test_every_dimension_case_comes_out_as_written(case: DimensionCase) -> None:
    assert dimension_score(TERMS.index, due=case.due, earned=case.earned) == half_up(case.score)


@pytest.mark.parametrize("case", CATALOGUE.org_power.score_cases, ids=lambda case: case.say)
def test_every_score_case_of_the_organisations_comes_out_as_written(case: PowerScoreCase) -> None:
    dimensions = [half_up(one) for one in case.dimensions]
    found = deduction_and_score(TERMS.index, dimensions, taken=case.taken)
    assert found == (half_up(case.deduction), half_up(case.score))


@pytest.mark.parametrize("case", CATALOGUE.org_power.bottom_cases, ids=lambda case: case.say)
def test_every_bottom_case_comes_out_as_written(case: BottomCase) -> None:
    found = places([half_up(one) for one in case.scores])
    low = [number for number, place in enumerate(found, start=1) if at_bottom(place, TERMS.pool.yellow_share)]
    assert tuple(low) == case.low


def test_a_period_can_be_declared_reviewed_and_locked_until_the_days_of_the_next_month() -> None:
    last = date(2026, 12, 31)
    assert TERMS.deadlines.declare_until(last) == date(2027, 1, 5)
    assert TERMS.deadlines.committee_until(last) == date(2027, 1, 10)
    assert TERMS.deadlines.locked_from(last) == date(2027, 1, 15)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        (
            "org_power.toml",
            "dimension_points = 20 ",
            "dimension_points = 25 ",
            "5 dimensions of 25 points do not make 100",
        ),
        ("org_power.toml", "committee_day    = 10", "committee_day    = 5", "must follow each other"),
        ("org_power.toml", "yellow_share = 0.10", "yellow_share = 1.10", "must lie between 0 and 1"),
        ("org_power.toml", 'blue   = "party_work_committee"', "", "each of blue, yellow, red needs an owner"),
        ("org_power.toml", 'id       = "mass_cohesion"', 'id       = "masses"', "must be named, in this order"),
        ("org_power.toml", 'id       = "lead_department"', 'id       = "lead"', "must be named"),
        ("org_power.toml", "from = 2000-01-01", "from = 2001-01-01", "no terms on 2000-01-01"),
        ("field_names.toml", 'id       = "soe"', 'id       = "state"', "must be named, in this order"),
        ("field_names.toml", 'field  = "two_new"', 'field  = "school"', "there is no field school"),
        ("field_names.toml", 'word   = "学校"', 'word   = "国企"', "国企: stands for two fields"),
    ],
)
def test_a_mistake_in_the_new_files_is_told_with_its_place(
    name: str, old: str, new: str, told: str, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(RULES, tmp_path / "rules"))
    text = (copy / name).read_text(encoding="utf-8")
    assert old in text
    (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError, match=told) as caught:
        load(copy)
    assert caught.value.mistakes[0].startswith(name)


def test_the_seven_fields_of_another_city_are_five_of_ours() -> None:
    words = CATALOGUE.field_names.words
    seven = ["农村", "城市", "机关", "学校", "国企", "非公企业", "社会组织"]
    assert [words[word] for word in seven] == [
        *("admin_village", "urban_community", "gov_institution", "gov_institution"),
        *("soe", "two_new", "two_new"),
    ]
    assert all(words[word] == word for word in FIELDS)
    assert words["行政村"] == "admin_village"


# ---- how indicators stand ----------------------------------------------------------------------------------


def test_an_indicator_stands_from_the_close_of_its_period_to_the_next_close() -> None:
    values: dict[Key, Value] = {("SE03", "2025Q4"): Fraction(9, 10), ("SE03", "2026Q1"): Fraction("0.8999")}
    for month, expected in (
        ("2026-01", ("met", "2025Q4")),
        ("2026-02", ("met", "2025Q4")),
        ("2026-03", ("unmet", "2026Q1")),
        ("2026-05", ("unmet", "2026Q1")),
        ("2026-06", ("unmet", "2026Q2")),
    ):
        assert standing(judged(month, values=values), "SE03") == expected


def test_nothing_is_due_before_the_first_close_of_anyone() -> None:
    first = {"C02": date(2026, 2, 28)}
    january, february = judged("2026-01", first_closed=first), judged("2026-02", first_closed=first)
    assert standing(january, "C02") == ("not_due", None)
    assert january.score == 10000
    assert standing(february, "C02") == ("unmet", "2026-02")
    assert (february.dimensions[0].due, february.dimensions[0].score, february.score) == (3, 0, 8000)


def test_an_organisation_is_judged_by_whole_periods_of_its_life() -> None:
    inside = judged("2026-03", founded_on=date(2026, 1, 1))
    cut = judged("2026-03", founded_on=date(2026, 1, 2))
    assert standing(inside, "SE03") == ("unmet", "2026Q1")
    assert standing(cut, "SE03") == ("not_due", None)
    assert standing(cut, "C02") == ("unmet", "2026-03")
    assert standing(cut, "SE02") == ("not_due", None), "the year 2025 ended before it was founded"
    month = period("monthly", "2026-03")
    assert has_row(None, month)
    assert has_row(date(2026, 3, 1), month)
    assert not has_row(date(2026, 3, 2), month)


def test_no_value_and_an_empty_one_are_both_unmet() -> None:
    assert standing(judged("2026-03", values={("C02", "2026-03"): None}), "C02")[0] == "unmet"
    assert standing(judged("2026-03", values={("C02", "2026-02"): Fraction(1)}), "C02")[0] == "unmet"
    assert standing(judged("2026-03", values={("C02", "2026-03"): Fraction(1)}), "C02")[0] == "met"


def test_progress_is_measured_against_its_plan() -> None:
    for value, expected in ((Fraction(1), "met"), (Fraction(999, 1000), "unmet")):
        facts = PowerFacts("admin_village", values={("AV07", "2026Q1"): value})
        result = org_power(CATALOGUE, facts, month=period("monthly", "2026-03"), first_closed=LONG_AGO)
        assert standing(result, "AV07")[0] == expected


@pytest.mark.parametrize(("cases", "deduction"), [(0, 0), (-1, 0), (6, 3000), (5, 2500), (7, 3000)])
def test_the_negative_list_takes_up_to_its_cap(cases: int, deduction: int) -> None:
    result = judged("2026-03", first_closed={}, negatives={"N03": cases})
    assert (result.deduction, result.score) == (deduction, 10000 - deduction)
    assert result.hits == (("N03",) if cases > 0 else ())


def test_an_organisation_that_does_nothing_falls_no_lower_than_zero() -> None:
    result = judged("2026-12", negatives={"N03": 3})
    assert (result.score, len(result.unmet)) == (0, 26)
    assert {one.due for one in result.dimensions} == {20}


def test_the_record_begins_with_the_first_closed_month_and_has_no_gaps() -> None:
    def months(rows: list[Key], as_of: date) -> list[str]:
        return [one.text for one in record_months(CATALOGUE.indicators, rows, as_of)]

    rows = [("C02", "2025-12"), ("C02", "2026-06"), ("SE03", "2025Q1"), ("F01", "2025-01")]
    assert months(rows, date(2026, 2, 27)) == ["2025-12", "2026-01"]
    assert months(rows, date(2026, 2, 28)) == ["2025-12", "2026-01", "2026-02"]
    assert months(rows, date(2025, 12, 30)) == []
    assert months(rows, date(2025, 12, 31)) == ["2025-12"]
    assert months(rows[2:], date(2026, 12, 31)) == []


def test_the_last_ended_period_of_a_day() -> None:
    def ended(kind: str, day: date) -> str | None:
        found = last_ended(kind, day)  # type: ignore[arg-type]
        return found.text if found else None

    assert ended("monthly", date(2026, 3, 31)) == "2026-03"
    assert ended("monthly", date(2026, 3, 30)) == "2026-02"
    assert ended("quarterly", date(2026, 3, 30)) == "2025Q4"
    assert ended("half_yearly", date(2026, 6, 30)) == "2026H1"
    assert ended("yearly", date(2026, 12, 30)) == "2025"
    assert ended("yearly", date(1, 12, 30)) is None
    assert month_before(period("monthly", "2026-01")) == "2025-12"
    assert month_before(period("monthly", "2026-03"), 2) == "2026-01"


# ---- ranks and the bottom of a field -----------------------------------------------------------------------


def test_equal_scores_share_a_rank_and_the_next_one_is_skipped() -> None:
    assert ranked([80, 100, 90, 90]) == [4, 1, 2, 2]
    assert ranked([]) == []


@pytest.mark.parametrize("share", [10, 5])
def test_the_bottom_of_every_field_size_is_as_many_as_it_says(share: int) -> None:
    for n in range(1, 201):
        scores = list(range(n, 0, -1))
        found = [at_bottom(place, Fraction(share, 100)) for place in places(scores)]
        low = n * share // 100
        assert found == [False] * (n - low) + [True] * low


@given(st.lists(st.integers(0, 12), min_size=1, max_size=200), st.sampled_from([5, 10]))
def test_places_and_bottom_say_what_counting_says(scores: list[int], share: int) -> None:
    for score, place in zip(scores, places(scores), strict=True):
        higher = sum(other > score for other in scores)
        lower = sum(other < score for other in scores)
        assert (place.rank, place.lower, place.n) == (1 + higher, lower, len(scores))
        low = lower < len(scores) * share // 100 and score != max(scores)
        assert at_bottom(place, Fraction(share, 100)) is low


def test_a_dimension_says_how_many_of_its_points_were_due_and_earned() -> None:
    first = {one: date(2026, 1, 31) for one in ("C01", "C02")}
    result = judged("2026-03", first_closed=first, values={("C02", "2026-03"): Fraction(2)})
    points = {one.id: one.points for one in CATALOGUE.indicators}
    told = result.dimensions[0]
    assert (told.due, told.earned) == (points["C01"] + points["C02"], points["C02"])
    assert [(one.due, one.earned) for one in result.dimensions[1:]] == [(0, 0)] * 4


@pytest.mark.parametrize(
    ("taken", "deduction", "score"), [(0, 0, 5000), (29, 2900, 2100), (30, 3000, 2000), (31, 3000, 2000)]
)
def test_the_negative_list_takes_at_most_its_share_and_leaves_the_least(
    taken: int, deduction: int, score: int
) -> None:
    assert deduction_and_score(TERMS.index, [1000] * 5, taken=taken) == (deduction, score)
    least = TERMS.index.model_copy(update={"score_min": 20})
    assert deduction_and_score(least, [100] * 5, taken=taken)[1] == 2000
