"""All branches at once give what one branch after the other gives, to the last hundredth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoring.catalogue import FIELDS, Catalogue
from scoring.exact import half_up
from scoring.explain import earned_points
from scoring.fortress import fortress, rate_field
from scoring.fortress_batch import fortress_batch, no_activities
from scoring.fortress_facts import first_closes
from scoring.org_power import PowerFacts, has_row, org_power, record_months
from scoring.org_power_batch import IDS_MAX, PowerColumns, indicators_of, items_of, named, org_power_batch
from scoring.periods import period
from scoring.pool import MonthRow, colours
from scoring.pool_batch import pool_batch
from scoring.ranks import places, ranked
from scoring.ratios import half_up_sum, weighted
from tests.scoring.branch_columns import (
    ASPECTS,
    DAYS,
    RULES,
    branch,
    branch_columns,
    common_columns,
    facts_of,
    founded_by,
    ints,
    read,
    values_of,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(branch, min_size=1, max_size=6), DAYS)
def test_the_fortress_index_of_all_is_that_of_each(branches: list[dict[str, Any]], as_of: date) -> None:
    all_are_each(branches, as_of)


def all_are_each(branches: list[dict[str, Any]], as_of: date) -> None:
    branches = founded_by(branches, as_of)
    if not branches:
        return
    facts = [facts_of(one, as_of) for one in branches]
    columns = branch_columns(branches, facts, as_of)
    closed = first_closes(RULES.indicators, columns.values.known, as_of)
    found = fortress_batch(RULES, columns, as_of=as_of, first_closed=closed)
    single = [fortress(RULES, one, as_of=as_of, first_closed=closed) for one in facts]
    for place, one in enumerate(single):
        for name in ("common", "specific", "deductions", "base", "score", "activities", "veto"):
            assert getattr(found, name)[place] == getattr(one, name), name
        assert found.appraisal[place] == (-1 if one.appraisal is None else one.appraisal)
        for aspect in ASPECTS:
            own = [item for item in one.items if item.aspect == aspect]
            assert found.parts[aspect][place] == earned_points(own), aspect
        assert found.parts["specific"][place] == one.specific
    assert set(found.parts) == {*ASPECTS, "specific"}
    columns_of_integers = (found.stars, found.rank, found.appraisal, found.score, found.activities)
    assert {one.dtype for one in columns_of_integers} == {np.dtype(np.int64)}
    for field in FIELDS:
        here = [place for place, one in enumerate(branches) if one["field"] == field]
        results = [single[place] for place in here]
        assert found.stars[here].tolist() == rate_field(RULES, results, as_of=as_of)
        assert found.rank[here].tolist() == ranked([one.score for one in results])


def at_a_border(**facts: Any) -> dict[str, Any]:
    nothing = {
        "founded": None,
        "activities": [],
        "members": [],
        "negatives": {},
        "voices": None,
        "seed": 1,
        "empty": 9,
    }
    return {"field": "soe", **nothing, **facts}


def held(days: range, should: int = 2, came: int = 2) -> list[tuple[int, bool, set[str], int, int]]:
    return [(day, False, {"theme_party_day"}, should, came) for day in days]


def test_borders_of_single_facts_are_the_same_for_all_and_for_each() -> None:
    need = {
        item.formula: item.required for item in RULES.common_on(date(2026, 12, 31)) if item.required is not None
    }
    mean, rate = int(100 * need["pioneer_mean"]), need["attendance"]
    branches = [
        *(at_a_border(activities=held(range(1, 1 + days))) for days in (5, 6, 7)),  # the veto
        *(at_a_border(activities=held(range(1, 2), 1, came)) for came in (0, 1)),
        *(at_a_border(activities=held(range(1, 2), rate.denominator, rate.numerator + more)) for more in (-1, 0)),
        *(at_a_border(members=[(mean + more, 3_200)]) for more in (-1, 0)),
        *(at_a_border(members=[(mean + more, 1_600), (mean, 100)]) for more in (-1, 0, 1)),
        *(at_a_border(voices=(10_000, 10_000, 10_000), founded=date(2026, month, 1)) for month in (1, 2, 12)),
        at_a_border(field="two_new"),  # nothing due at all
        at_a_border(empty=0, seed=5),
        at_a_border(empty=0, seed=6, negatives={("N04", "2026-03"): 2, ("N04", "2026-04"): -2}),
    ]
    for as_of in (date(2026, 12, 30), date(2026, 12, 31)):
        all_are_each(branches, as_of)
        for one in branches:
            all_are_each([one], as_of)


def test_a_case_of_an_item_that_only_one_field_has_is_taken_there() -> None:
    listed = tuple(one.model_copy(update={"field": "soe"}) if one.id == "N04" else one for one in RULES.negatives)
    own = replace(RULES, negatives=listed)
    branches = [at_a_border(field=field, negatives={("N04", "2026-03"): 2}) for field in ("soe", "two_new")]
    as_of = date(2026, 12, 31)
    columns = branch_columns(branches, [facts_of(one, as_of) for one in branches], as_of)
    found = fortress_batch(own, columns, as_of=as_of, first_closed={})
    assert found.deductions.tolist() == [200, 0]


def test_a_city_without_activities_has_none() -> None:
    empty = no_activities()
    columns = (empty.branch, empty.day, empty.region, empty.kinds, empty.should_attend, empty.attended)
    assert [(len(one), one.dtype) for one in columns] == [
        (0, np.dtype(bool if place == 2 else np.int64)) for place in range(6)
    ]
    assert empty.of_kinds(["theme_party_day"]).tolist() == []


@settings(max_examples=40, deadline=None)
@given(st.lists(branch, min_size=1, max_size=26), DAYS)
def test_every_month_of_all_is_that_of_each(branches: list[dict[str, Any]], as_of: date) -> None:
    every_month_is_that_of_each(branches, as_of)


def every_month_is_that_of_each(branches: list[dict[str, Any]], as_of: date, rules: Catalogue = RULES) -> None:
    branches = founded_by(branches, as_of)
    if not branches:
        return
    fields, founded, values = common_columns(branches)
    closed = first_closes(rules.indicators, values.known, as_of)
    cases: dict[tuple[str, str], Any] = {}
    for place, one in enumerate(branches):
        for (item_id, month), count in one["negatives"].items():
            cases.setdefault((month, item_id), ints([0] * len(branches)))[place] = count
    history: list[list[MonthRow | None]] = [[] for _ in branches]
    months = []
    for month in record_months(rules.indicators, values.known, as_of):
        found = org_power_batch(
            rules, PowerColumns(fields, founded, values, cases), month=month, first_closed=closed
        )
        months.append(found)
        terms = rules.org_power.terms_on(month.last).pool
        given_colours = pool_batch(terms, months)
        for number, field in enumerate(FIELDS):
            here = [p for p, one in enumerate(branches) if fields[p] == number and has_row(one["founded"], month)]
            results = []
            for place in here:
                one = branches[place]
                negatives = {item: count for (item, text), count in one["negatives"].items() if text == month.text}
                facts = PowerFacts(field, one["founded"], read(values_of(one)), negatives)
                results.append(org_power(rules, facts, month=month, first_closed=closed))
            for place, result, rank in zip(here, results, places([one.score for one in results]), strict=True):
                assert found.dimensions[:, place].tolist() == [one.score for one in result.dimensions]
                assert (found.deduction[place], found.score[place]) == (result.deduction, result.score)
                assert (found.rank[place], found.size[place], found.lower[place]) == (
                    rank.rank,
                    rank.n,
                    rank.lower,
                )
                assert named(int(found.unmet[place]), indicators_of(rules, field)) == result.unmet
                assert named(int(found.hits[place]), items_of(rules, field)) == result.hits
                history[place].append(MonthRow(month.text, rank, result.unmet, result.hits))
        for place, one in enumerate(branches):
            if not has_row(one["founded"], month):
                history[place].append(None)
            assert found.row[place] == has_row(one["founded"], month)
            expected = {warned.colour: warned.causes for warned in colours(terms, history[place])}
            for colour, column in given_colours.items():
                assert column.given[place] == (colour in expected), colour
                if colour not in expected:
                    continue
                ids = (indicators_of(rules, one["field"]), items_of(rules, one["field"]))
                told = named(int(column.indicators[place]), ids[0]) + named(int(column.items[place]), ids[1])
                assert told == tuple(cause for cause in expected[colour] if not cause.startswith("bottom"))
                assert column.bottom[place] == any(cause.startswith("bottom") for cause in expected[colour])


def test_months_of_all_at_their_borders_are_those_of_each() -> None:
    """Ties, more cases than the cap takes, cases taken back, days of founding, and fields with nothing of their own."""
    cases = {("N01", "2026-03"): 99, ("N02", "2026-03"): 1, ("N04", "2026-03"): -1, ("N04", "2026-02"): 2}
    branches = [
        *(at_a_border(empty=0, seed=seed) for seed in (3, 3, 4)),
        *(at_a_border(empty=0, seed=3, field=field, negatives=cases) for field in FIELDS),
        *(at_a_border(empty=0, seed=8, founded=date(2026, month, day)) for month, day in ((1, 1), (1, 2), (3, 1))),
        at_a_border(founded=date(2026, 3, 1), negatives={("N04", "2026-03"): 1}),
    ]
    for as_of in (date(2026, 1, 1), date(2026, 3, 30), date(2026, 4, 30)):
        every_month_is_that_of_each(branches, as_of)


def test_months_of_other_rules_are_those_of_each_too() -> None:
    """Rules that may come: an item of one field, a score that never falls to 0, a dimension of a single point."""
    terms = RULES.org_power.terms_on(date(2026, 1, 1))
    floor = terms.model_copy(update={"index": terms.index.model_copy(update={"score_min": 85})})
    single = next(one for one in RULES.indicators if one.period == "monthly")
    own = replace(
        RULES,
        indicators=(single.model_copy(update={"points": 1}),),
        negatives=tuple(one.model_copy(update={"field": "soe"}) for one in RULES.negatives),
        org_power=RULES.org_power.model_copy(update={"terms": (floor,)}),
    )
    cases = {("N01", "2026-03"): 99, ("N04", "2026-03"): 1}
    branches = [
        *(at_a_border(empty=0, seed=seed, negatives=cases) for seed in (3, 5, 6)),
        at_a_border(field="two_new", negatives=cases),
    ]
    every_month_is_that_of_each(branches, date(2026, 4, 30), own)


def test_columns_of_a_month_are_integers_of_64_bits_and_masks_are_bounded() -> None:
    fields, founded, values = common_columns([at_a_border(empty=0), at_a_border(founded=date(2026, 2, 2))])
    month = period("monthly", "2026-01")
    found = org_power_batch(RULES, PowerColumns(fields, founded, values), month=month, first_closed={})
    assert found.month == month
    assert found.row.tolist() == [True, False]
    names = ("dimensions", "deduction", "score", "rank", "size", "lower", "unmet", "hits")
    assert {getattr(found, name).dtype for name in names} == {np.dtype(np.int64)}
    assert (found.dimensions.shape, found.score.tolist()) == ((5, 2), [10_000, 0]), "what is not due is in full"
    many = [RULES.indicators[0].model_copy(update={"id": f"X{number}"}) for number in range(IDS_MAX)]
    assert len(indicators_of(replace(RULES, indicators=tuple(many)), many[0].field)) == IDS_MAX
    one_more = (*many, RULES.indicators[0])
    told = f"^a field cannot have more than {IDS_MAX} ids in a list, and one has {IDS_MAX + 1}$"
    with pytest.raises(ValueError, match=told):
        indicators_of(replace(RULES, indicators=one_more), many[0].field)


ratio = st.tuples(st.integers(0, 10**16), st.integers(1, 10**15)).filter(lambda one: one[0] <= 30 * one[1])


@given(st.lists(st.tuples(ratio, ratio, ratio), min_size=1, max_size=4))
@example([((1, 200), (0, 1), (0, 1))])  # exactly half a hundredth
@example([((1, 10**15), (7, 10**15 - 1), (1, 3))])  # no common denominator in 63 bits
def test_sums_of_ratios_are_rounded_once_however_wide_they_are(rows: list[Any]) -> None:
    parts = [(ints(row[n][0] for row in rows), ints(row[n][1] for row in rows)) for n in range(3)]
    assert half_up_sum(parts).tolist() == [
        half_up(sum((Fraction(*one) for one in row), Fraction(0))) for row in rows
    ]


def test_weights_without_a_small_common_denominator_stay_exact() -> None:
    weights = [Fraction(1, 999_999_937), 1 - Fraction(1, 999_999_937)]
    assert weighted(weights, [ints([10_000, 5]), ints([0, 5])]).tolist() == [0, 5]
    assert weighted([Fraction(7, 10), Fraction(3, 10)], [ints([5]), ints([0])]).tolist() == [4]  # 3.5 goes up


def test_weights_and_columns_that_do_not_belong_together_are_refused() -> None:
    exact = [Fraction(1, 999_999_937), 1 - Fraction(1, 999_999_937)]
    assert weighted(exact, [ints([0]), ints([10_000])]).tolist() == [10_000]
    assert weighted(exact, [ints([0]), ints([10_000])]).dtype == np.int64
    assert weighted([Fraction(1)], [ints([10_000])]).dtype == np.int64
    for weights in (exact, [Fraction(7, 10), Fraction(3, 10)]):
        with pytest.raises(ValueError, match="argument"):
            weighted(weights, [ints([1])])
    with pytest.raises(ValueError, match="argument"):
        weighted(exact, [ints([1, 2]), ints([1])])
