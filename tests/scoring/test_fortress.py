"""The fortress index: the worked year, and both sides of every border."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.exact import printed
from scoring.fortress import base_and_score, fortress, months_of_existence, needed_activities, rate_field
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures, first_closes
from scoring.fortress_scheme import Value
from scoring.periods import period, periods_of
from tests.scoring.branch_years import CATALOGUE, LAST_DAY, YEAR, activity, facts_of, judged


def test_the_worked_year_comes_out_to_the_last_hundredth() -> None:
    branches = YEAR["branch"]
    rows = [(one, text) for branch in branches for one, text, _ in branch["values"]]
    first_closed = first_closes(CATALOGUE.indicators, rows, YEAR["as_of"])
    results = [
        fortress(CATALOGUE, facts_of(one), as_of=YEAR["as_of"], first_closed=first_closed) for one in branches
    ]
    stars = rate_field(CATALOGUE, results, as_of=YEAR["as_of"])
    for branch, result, given_stars in zip(branches, results, stars, strict=True):
        row = {
            "common": printed(result.common),
            "specific": printed(result.specific),
            "deductions": printed(result.deductions),
            "base": printed(result.base),
            "score": printed(result.score),
            "activities": result.activities,
            "veto": result.veto,
            "stars": given_stars,
        }
        if result.appraisal is not None:
            row["appraisal"] = printed(result.appraisal)
        assert row == branch["expected"], branch["name"]


# ---- common items ----------------------------------------------------------------------------------------


def shares(facts: BranchFacts, as_of: date = LAST_DAY) -> dict[str, Fraction]:
    return {one.item_id: one.share for one in judged(facts, as_of).items}


def test_a_value_counts_from_the_last_day_of_its_month() -> None:
    facts = BranchFacts("soe", values={("F01", "2026-05"): True, ("F01", "2026-06"): False})
    assert shares(facts, date(2026, 5, 30))["F01"] == 0
    assert shares(facts, date(2026, 5, 31))["F01"] == 1
    assert shares(facts, date(2026, 6, 30))["F01"] == 0


def test_an_empty_value_and_last_years_are_no_values() -> None:
    empty = BranchFacts("soe", values={("F01", "2026-05"): True, ("F01", "2026-06"): None})
    assert shares(empty)["F01"] == 1
    assert shares(BranchFacts("soe", values={("F01", "2025-12"): True}))["F01"] == 0


def test_regional_activities_are_no_duty_in_the_attendance_rate() -> None:
    duties = [activity(date(2026, 3, 1), came=8, should=10)]
    region = activity(date(2026, 3, 2), came=0, should=100, scope="region")
    committee = activity(date(2026, 3, 3), "branch_committee_meeting", came=0, should=100)
    assert shares(BranchFacts("soe", activities=[*duties, region, committee]))["F13"] == 1
    late = activity(date(2026, 3, 4), came=7, should=10)
    assert shares(BranchFacts("soe", activities=[*duties, late]))["F13"] == 0


def test_hours_below_nothing_count_as_nothing() -> None:
    members = [MemberFigures(0, 32), MemberFigures(0, -32)]
    assert shares(BranchFacts("soe", members=members))["F05"] == Fraction(1, 2)


def test_dues_of_more_months_than_the_year_has_are_full() -> None:
    assert shares(BranchFacts("soe", values={("F14", "2026-12"): Fraction(13)}))["F14"] == 1
    assert shares(BranchFacts("soe", values={("F14", "2026-12"): Fraction(-1)}))["F14"] == 0


def test_a_branch_that_does_everything_has_sixty() -> None:
    everything = "theme_party_day;member_assembly;party_lecture;branch_committee_meeting"
    reviews = "org_life_meeting;democratic_review;heart_talk"
    values: dict[tuple[str, str], Value] = {(one, "2026-12"): True for one in ("F01", "F03", "F07", "F15")}
    values |= {(one, "2026-12"): Fraction(1) for one in ("F04", "F08", "F16")}
    facts = BranchFacts(
        "soe",
        activities=[activity(date(2026, month, 5), f"{everything};{reviews}") for month in range(1, 13)],
        values={**values, ("F14", "2026-12"): Fraction(12)},
        members=[MemberFigures(8000, 32)],
    )
    result = judged(facts)
    assert (result.common, result.specific, result.score) == (6000, 4000, 10000)


# ---- field-specific part -------------------------------------------------------------------------------


def test_where_nothing_is_due_the_part_counts_in_full() -> None:
    assert judged(BranchFacts("soe")).specific == 4000


def test_periods_still_to_come_are_judged_and_not_met() -> None:
    facts = BranchFacts("soe", values={("SE01", "2026Q1"): Fraction(1)})
    result = judged(facts, date(2026, 3, 31), SE01=date(2026, 3, 31))
    assert (result.indicators[0].met, result.indicators[0].judged, result.specific) == (1, 4, 1000)


def test_periods_before_the_first_close_are_not_judged() -> None:
    facts = BranchFacts("soe", values={("SE01", "2026Q4"): Fraction(1)})
    assert judged(facts, SE01=date(2026, 12, 31)).specific == 4000
    assert judged(facts, SE01=date(2025, 12, 31)).specific == 1000


def test_only_whole_periods_of_a_young_branch_are_judged() -> None:
    closes = {"SE01": date(2025, 3, 31)}
    assert judged(BranchFacts("soe", founded_on=date(2026, 7, 1)), **closes).indicators[0].judged == 2
    assert judged(BranchFacts("soe", founded_on=date(2026, 7, 2)), **closes).indicators[0].judged == 1


def test_the_first_close_is_the_earliest_closed_period_of_anyone() -> None:
    rows = [("SE01", "2026Q2"), ("SE01", "2026Q1"), ("SE02", "2026"), ("F01", "2026-01")]
    assert first_closes(CATALOGUE.indicators, rows, date(2026, 6, 30)) == {"SE01": date(2026, 3, 31)}
    assert first_closes(CATALOGUE.indicators, rows, date(2026, 3, 30)) == {}
    assert first_closes(CATALOGUE.indicators, rows, LAST_DAY)["SE02"] == LAST_DAY
    with pytest.raises(ValueError, match="'2026-01' is not a quarterly period"):
        first_closes(CATALOGUE.indicators, [("SE01", "2026-01")], LAST_DAY)


def test_periods_begin_and_end_on_their_days() -> None:
    assert (period("monthly", "2028-02").first, period("monthly", "2028-02").last) == (
        date(2028, 2, 1),
        date(2028, 2, 29),
    )
    assert period("quarterly", "2026Q4").last == period("half_yearly", "2026H2").last == LAST_DAY
    assert [one.text for one in periods_of("half_yearly", 2026)] == ["2026H1", "2026H2"]
    assert [one.text for one in periods_of("monthly", 2026)][-1] == "2026-12"
    assert period("yearly", "9999").last == date(9999, 12, 31)
    for text in ("2026-13", "2026-1", "2026Q5", "2026", "0000-01", "٢٠٢٦-01", ""):
        with pytest.raises(ValueError, match="is not a monthly period"):
            period("monthly", text)


# ---- base, appraisal, score ------------------------------------------------------------------------------


def test_an_appraisal_exists_from_the_last_day_of_its_year() -> None:
    facts = BranchFacts("soe", appraisal=Appraisal(Fraction(100), Fraction(100), Fraction(100)))
    assert judged(facts, date(2026, 12, 30)).appraisal is None
    result = judged(facts)
    assert (result.base, result.appraisal, result.score) == (4000, 10000, 5800)


def test_negative_items_have_no_cap_and_taken_back_ones_count_nothing() -> None:
    result = judged(BranchFacts("soe", negatives={"N03": 9, "N04": -1, "N99": 5}))
    assert (result.deductions, result.base) == (4500, 0)
    assert [one.item_id for one in result.negatives] == ["N03"]


some_days = st.dates(date(2025, 12, 1), date(2027, 1, 31))
some_activity = st.builds(
    Activity,
    some_days,
    st.sampled_from(["branch", "region"]),
    st.frozensets(st.sampled_from(["theme_party_day", "party_lecture", "heart_talk", "other"]), max_size=3),
    st.integers(0, 20),
    st.integers(0, 20),
)


@given(
    st.lists(some_activity, max_size=30),
    st.none() | st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    st.dates(date(2026, 6, 1), LAST_DAY),
    st.dictionaries(st.sampled_from(["N01", "N03", "N08"]), st.integers(-3, 12)),
)
def test_every_index_stays_in_its_bounds(
    activities: list[Activity], founded_on: date | None, as_of: date, negatives: dict[str, int]
) -> None:
    facts = BranchFacts("soe", founded_on=founded_on, activities=activities, negatives=negatives)
    result = judged(facts, as_of)
    assert 0 <= result.common <= 6000
    assert result.base == min(10000, max(0, result.common + result.specific - result.deductions))
    assert result.activities <= len({one.day for one in activities})
    assert result.veto is (as_of == LAST_DAY and result.activities < result.needed)
    assert all(0 <= one.share <= 1 for one in result.items)
    more = BranchFacts("soe", founded_on, [*activities, activity(as_of)], negatives=negatives)
    assert judged(more, as_of).activities >= result.activities


# ---- borders of the single steps -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("founded_on", "months"),
    [
        (None, 12),
        (date(2025, 12, 31), 12),
        (date(2026, 1, 1), 12),
        (date(2026, 1, 31), 12),
        (date(2026, 2, 1), 11),
        (date(2026, 12, 31), 1),
        (date(2027, 1, 1), 0),
        (date(2028, 6, 1), 0),
    ],
)
def test_the_month_of_the_founding_counts_and_a_later_year_has_none(founded_on: date | None, months: int) -> None:
    assert months_of_existence(founded_on, 2026) == months


@pytest.mark.parametrize(
    ("least", "months", "needed"), [(24, 12, 24), (24, 6, 12), (24, 1, 2), (12, 5, 5), (6, 1, 1)]
)
def test_a_part_of_the_year_owes_as_many_twelfths(least: int, months: int, needed: int) -> None:
    veto = CATALOGUE.fortress.terms_on(LAST_DAY).veto.model_copy(update={"activities_min": least})
    assert needed_activities(veto, months) == needed


def test_a_base_has_at_most_a_hundred_points_and_at_least_none() -> None:
    weights = CATALOGUE.fortress.terms_on(LAST_DAY).weights
    for parts, base in (((6000, 4001, 0), 10000), ((6000, 4001, 1), 10000), ((100, 0, 101), 0), ((1, 0, 0), 1)):
        common, specific, deductions = parts
        found = base_and_score(weights, common=common, specific=specific, deductions=deductions, appraisal=None)
        assert found == (base, base)


def test_what_is_not_due_is_listed_with_nothing_judged() -> None:
    result = judged(BranchFacts("soe"), SE01=date(2027, 1, 1))
    assert [one.indicator_id for one in result.indicators] == [
        one.id for one in CATALOGUE.specific_on("soe", LAST_DAY)
    ]
    assert {(one.met, one.judged) for one in result.indicators} == {(0, 0)}


def test_an_item_that_only_another_field_has_takes_nothing() -> None:
    listed = tuple(
        one.model_copy(update={"field": "soe"}) if one.id == "N04" else one for one in CATALOGUE.negatives
    )
    own = replace(CATALOGUE, negatives=listed)
    for field, taken in (("soe", [("N04", 2, 2)]), ("two_new", [])):
        result = fortress(own, BranchFacts(field, negatives={"N04": 2}), as_of=LAST_DAY, first_closed={})
        assert [(one.item_id, one.count, one.points) for one in result.negatives] == taken


def test_cases_that_were_taken_back_give_no_points() -> None:
    item = next(one for one in CATALOGUE.negatives if one.id == "N04")
    assert [item.deduction(count) for count in (-1, 0, 1, 3)] == [0, 0, -item.points, -3 * item.points]
