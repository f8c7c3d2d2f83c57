"""The index of a whole city at once says the same as the index of one member, to the last hundredth."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import given, settings
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
