"""The index of a whole city at once says the same as the index of one member, to the last hundredth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scoring.batch import Columns, month_counts, pioneer_batch
from scoring.catalogue import shipped
from scoring.pioneer import Span, Total, judge, month_count

CATALOGUE = shipped()
LAST_DAY = date(2026, 12, 31)
RULE_IDS = [rule.id for rule in CATALOGUE.pioneer.rule]

member = st.fixed_dictionaries(
    {
        "months": st.integers(1, 12),
        "mode": st.sampled_from(["normal", "rate"]),
        "held": st.integers(0, 60),
        "totals": st.dictionaries(
            st.sampled_from(RULE_IDS), st.tuples(st.integers(-100, 100), st.integers(-500, 10_000))
        ),
    }
)


BORDERS = [
    {"months": 5, "mode": "rate", "held": 1, "totals": {"PB1": (2, 100)}},
    {"months": 12, "mode": "rate", "held": 0, "totals": {"PB1": (20, 1000), "PB2": (1, 100)}},
    {"months": 7, "mode": "rate", "held": 2, "totals": {"PB1": (0, 300), "PB3": (0, 1)}},
    {"months": 1, "mode": "normal", "held": 0, "totals": {"PZ1": (0, 1), "PB1": (2, 100)}},
    {"months": 1, "mode": "normal", "held": 3, "totals": {"PZ1": (0, 0), "PB3": (0, 10_000)}},
    {"months": 12, "mode": "normal", "held": 0, "totals": {"PB3": (0, -1), "PN1": (3, 0), "PN4": (-100, 0)}},
]


@example(BORDERS, 100)
@settings(max_examples=200)
@given(st.lists(member, min_size=1, max_size=12), st.sampled_from([1, 60, 100]))
def test_batch_and_single_agree_on_every_column(members: list[dict[str, Any]], unit: int) -> None:
    def column(place: int, rule_id: str) -> Any:
        return np.array([one["totals"].get(rule_id, (0, 0))[place] for one in members], dtype=np.int64)

    batch = pioneer_batch(
        CATALOGUE,
        Columns(
            months=np.array([one["months"] for one in members], dtype=np.int64),
            rate=np.array([one["mode"] == "rate" for one in members]),
            duty_activities=np.array([one["held"] for one in members], dtype=np.int64),
            points={rule_id: column(0, rule_id) for rule_id in RULE_IDS},
            counts={rule_id: column(1, rule_id) for rule_id in RULE_IDS},
            count_unit=unit,
        ),
        as_of=LAST_DAY,
    )
    for place, one in enumerate(members):
        totals = {key: Total(points, Fraction(count, unit)) for key, (points, count) in one["totals"].items()}
        single = judge(
            CATALOGUE,
            as_of=LAST_DAY,
            months=one["months"],
            totals=totals,
            duty_activities=one["held"],
            mode=one["mode"],
        )
        assert (
            batch.base[place],
            batch.positive[place],
            batch.conduct[place],
            batch.score[place],
            batch.stars[place],
            batch.cleared[place],
        ) == (single.base, single.positive, single.conduct, single.score, single.stars, single.cleared)


def test_figures_far_beyond_every_cap_do_not_overflow() -> None:
    huge = np.array([10**12, -(10**12)], dtype=np.int64)
    batch = pioneer_batch(
        CATALOGUE,
        Columns(
            months=np.array([1, 11], dtype=np.int64),
            rate=np.array([True, False]),
            duty_activities=np.array([10_000, 10_000], dtype=np.int64),
            points=dict.fromkeys(RULE_IDS, huge),
            counts=dict.fromkeys([one for one in RULE_IDS if one != "PZ1"], huge),
        ),
        as_of=LAST_DAY,
    )
    assert batch.base.tolist() == [6000, 0]
    assert batch.positive.tolist() == [2000, 0]
    assert batch.conduct.tolist() == [2000, 0]
    assert batch.stars.tolist() == [5, 1]


def test_nobody_at_all_gives_empty_columns() -> None:
    none = np.zeros(0, dtype=np.int64)
    batch = pioneer_batch(CATALOGUE, Columns(none, none.astype(bool), none), as_of=LAST_DAY)
    assert batch.score.tolist() == []


days = st.dates(date(2025, 11, 1), date(2027, 2, 28))
spans = st.builds(Span, days, st.none() | days).filter(lambda s: s.to_day is None or s.to_day > s.from_day)


@given(st.lists(st.lists(spans, max_size=3), min_size=1, max_size=6), st.dates(date(2026, 1, 1), LAST_DAY))
def test_months_of_many_members_are_those_of_each(members: list[list[Span]], as_of: date) -> None:
    rows = [(place, one) for place, own in enumerate(members) for one in own]
    counted = month_counts(
        2026,
        as_of,
        np.array([place for place, _ in rows], dtype=np.int64),
        np.array([one.from_day.toordinal() for _, one in rows], dtype=np.int64),
        np.array([one.to_day.toordinal() if one.to_day else 0 for _, one in rows], dtype=np.int64),
        len(members),
    )
    assert counted.tolist() == [month_count(own, as_of) for own in members]


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [Span(date(2026, 1, 1))],
        [Span(date(2026, 1, 1), date(2026, 1, 1))],
        [Span(date(2025, 3, 1), date(2026, 1, 1))],
        [Span(date(2025, 3, 1), date(2026, 1, 2))],
        [Span(date(2026, 2, 1), date(2026, 3, 1))],
        [Span(date(2026, 1, 31), date(2026, 3, 2))],
        [Span(date(2026, 5, 15), date(2026, 6, 30))],
        [Span(date(2026, 5, 15), date(2026, 7, 1))],
        [Span(date(2026, 6, 30))],
        [Span(date(2026, 7, 1))],
        [Span(date(2026, 12, 31))],
        [Span(date(2026, 1, 5), date(2026, 2, 10)), Span(date(2026, 2, 10), date(2026, 4, 1))],
    ],
)
@pytest.mark.parametrize("as_of", [date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 1), LAST_DAY])
def test_months_at_their_borders_are_those_of_one(spans: list[Span], as_of: date) -> None:
    def column(numbers: list[int]) -> Any:
        return np.array(numbers, dtype=np.int64)

    found = month_counts(
        2026,
        as_of,
        column([1] * len(spans)),
        column([one.from_day.toordinal() for one in spans]),
        column([one.to_day.toordinal() if one.to_day else 0 for one in spans]),
        members=3,
    )
    assert found.tolist() == [0, month_count(spans, as_of), 0]
    assert found.dtype == np.int64


def test_rules_that_begin_later_keep_nothing_from_the_others() -> None:
    scheme = CATALOGUE.pioneer
    later = tuple(
        rule.model_copy(update={"terms": (rule.terms[0].model_copy(update={"starts": date(2027, 1, 1)}),)})
        if rule.id in ("PB1", "PB3", "PN1")
        else rule
        for rule in scheme.rule
    )
    catalogue = replace(CATALOGUE, pioneer=scheme.model_copy(update={"rule": later}))
    totals = {rule: Total(points) for rule, points in (("PB1", 4), ("PB2", 3), ("PN1", -2), ("PN4", -10))}
    single = judge(catalogue, as_of=LAST_DAY, months=4, totals=totals, duty_activities=0, mode="normal")
    batch = pioneer_batch(
        catalogue,
        Columns(
            months=np.array([4]),
            rate=np.array([False]),
            duty_activities=np.array([0]),
            points={rule: np.array([one.points]) for rule, one in totals.items()},
        ),
        as_of=LAST_DAY,
    )
    found = [batch.base, batch.positive, batch.conduct, batch.score, batch.stars]
    assert [one.tolist() for one in found] == [
        [one] for one in (single.base, single.positive, single.conduct, single.score, single.stars)
    ]
    assert single.base == 900
    assert {one.dtype for one in found} == {np.dtype(np.int64)}
