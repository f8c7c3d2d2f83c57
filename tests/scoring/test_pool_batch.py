"""The colours of many organisations at once are those of each, whatever the shares and the length of a streak."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.catalogue import shipped
from scoring.org_power_batch import PowerMonth
from scoring.periods import CalendarPeriod, periods_of
from scoring.pool import MonthRow, bottom_word, colours
from scoring.pool_batch import pool_batch
from scoring.ranks import Place, places

TERMS = shipped().org_power.terms_on(date(2026, 12, 31)).pool
NAMES = ("a", "b", "c")
MONTHS = periods_of("monthly", 2026)[:4]

cell = st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 7), st.integers(0, 7))
table = st.integers(1, 24).flatmap(
    lambda size: st.lists(st.lists(cell, min_size=size, max_size=size), min_size=1, max_size=4)
)


def named(bits: int) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(NAMES) if bits >> place & 1)


def columns(month: CalendarPeriod, cells: list[tuple[bool, int, int, int]]) -> PowerMonth:
    """One field: places among those with a row; what stands where there is none means nothing, and is not nothing."""
    there = [place for place, one in enumerate(cells) if one[0]]
    found = dict(zip(there, places([cells[place][1] for place in there]), strict=True))

    def column(value: str) -> np.ndarray:
        return np.array([getattr(found[n], value) if n in found else 2 for n in range(len(cells))], dtype=np.int64)

    unmet, hits = (np.array([one[at] for one in cells], dtype=np.int64) for at in (2, 3))
    empty = np.zeros(len(cells), dtype=np.int64)
    return PowerMonth(
        month=month,
        row=np.array([one[0] for one in cells], dtype=bool),
        dimensions=np.zeros((5, len(cells)), dtype=np.int64),
        deduction=empty,
        score=np.array([one[1] for one in cells], dtype=np.int64),
        rank=column("rank"),
        size=column("n"),
        lower=column("lower"),
        unmet=unmet,
        hits=hits,
    )


@pytest.mark.parametrize(
    ("months", "yellow", "red"),
    [
        (3, Fraction(1, 10), Fraction(1, 20)),
        (1, Fraction(3, 10), Fraction(1, 3)),
        (2, Fraction(1), Fraction(2, 3)),
    ],
)
@settings(max_examples=40)
@given(table)
def test_colours_of_all_are_those_of_each(
    months: int, yellow: Fraction, red: Fraction, record: list[list[tuple[bool, int, int, int]]]
) -> None:
    terms = TERMS.model_copy(update={"months": months, "yellow_share": yellow, "red_share": red})
    record_months = [columns(month, cells) for month, cells in zip(MONTHS, record, strict=False)]
    batch = pool_batch(terms, record_months)
    masks = [mask for column in batch.values() for mask in (column.indicators, column.items)]
    assert {mask.dtype for mask in masks} == {np.dtype(np.int64)}, "whose bits are read by shifting"
    for number in range(len(record[0])):
        rows = [
            MonthRow(month.text, places_of(one, number), named(cells[number][2]), named(cells[number][3]))
            if cells[number][0]
            else None
            for month, cells, one in zip(MONTHS, record, record_months, strict=False)
        ]
        expected = {one.colour: one.causes for one in colours(terms, rows)}
        found = {
            colour: (
                *named(int(column.indicators[number])),
                *named(int(column.items[number])),
                *((bottom_word(red if colour == "red" else yellow),) if column.bottom[number] else ()),
            )
            for colour, column in batch.items()
            if column.given[number]
        }
        assert found == expected
        for column in batch.values():
            assert column.given[number] or not (column.indicators[number] or column.items[number])


def places_of(month: PowerMonth, number: int) -> Place:
    return Place(int(month.rank[number]), int(month.size[number]), int(month.lower[number]))
