"""Values in columns are judged as single values are: whatever was written, and whatever the threshold."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest

from scoring.catalogue import shipped
from scoring.items import Indicator
from scoring.value_columns import ValueColumns, stored_value

LARGE = 10**12
PERIOD = "2026-01"
TEXTS = (
    *("", " ", "true", "FALSE", "1", "0", "yes", "None", " 1 ", "-1", "-0", "1.0", "2/9", "3/1000000", "1/64"),
    *("0.85", "0.8499", "0.850001", "0.8500001", "0.0000001", "0.000001", "1/3", "0.3333333", "0.9999999"),
    *(f"{LARGE}", f"{LARGE}.000001", f"{LARGE + 1}", f"{LARGE - 1}", f"-{LARGE}", f"-{LARGE + 1}", "9" * 15),
)
THRESHOLDS = (
    "0.85",
    "0.000001",
    "0.0000001",
    "0.0000005",
    "1/3",
    "2/9",
    "plan",
    "0",
    "-1",
    f"{LARGE}",
    f"{LARGE + 1}",
    "9" * 15,
)
SHIPPED = shipped().indicators
FIGURE = next(one for one in SHIPPED if not one.statement)


def columns() -> ValueColumns:
    """One organisation for each of TEXTS."""
    key = (FIGURE.id, PERIOD)
    return ValueColumns(list(TEXTS), {key: np.arange(len(TEXTS), dtype=np.int32)}, frozenset({key}))


def asks(op: str, threshold: str, starts: date = date(2026, 1, 1)) -> Indicator:
    """A row of its own: a copy would keep the limit that another has read."""
    return Indicator.model_construct(**{**dict(FIGURE), "op": op, "threshold": threshold, "starts": starts})


@pytest.mark.parametrize("op", ["==", ">=", "<=", "<"])
def test_every_figure_meets_in_columns_what_it_meets_alone(op: str) -> None:
    found_in = columns()
    alone = [stored_value(text, statement=False) for text in TEXTS]
    for number, threshold in enumerate(THRESHOLDS, start=1):
        indicator = asks(op, threshold, date(2026, 1, number))
        found = found_in.met(indicator, PERIOD)
        assert found is not None
        assert found.dtype == np.bool_
        expected = [indicator.is_met(one) for one in alone]
        assert dict(zip(TEXTS, found.tolist(), strict=True)) == dict(zip(TEXTS, expected, strict=True)), threshold


def test_a_statement_is_met_by_yes_alone() -> None:
    met = columns().met(asks("==", "true"), PERIOD)
    assert met is not None
    assert [text for text, one in zip(TEXTS, met.tolist(), strict=True) if one] == ["true", "1", " 1 "]


def test_what_stands_in_a_column_is_a_value_or_none() -> None:
    given = columns().given(statement=True)
    assert [text for text, one in zip(TEXTS, given.tolist(), strict=True) if one] == [
        *("true", "FALSE", "1", "0", " 1 "),
    ]
    figures = columns().given(statement=False)
    none = [text for text, one in zip(TEXTS, figures.tolist(), strict=True) if not one]
    assert none == ["", " ", "true", "FALSE", "yes", "None"]
    assert columns().value(TEXTS.index(" 1 "), statement=False) == Fraction(1)
    assert columns().value(TEXTS.index(" 1 "), statement=True) is True
    assert columns().value(TEXTS.index("0.85"), statement=True) is None


def test_of_a_period_that_nobody_has_nothing_is_said() -> None:
    assert columns().met(FIGURE, "2026-02") is None
    assert columns().met(next(one for one in SHIPPED if one.id != FIGURE.id), PERIOD) is None
    assert ValueColumns().texts == [""]
    assert ValueColumns().given(statement=True).tolist() == [False]


def test_a_later_row_of_an_indicator_is_judged_by_its_own_threshold() -> None:
    two = ValueColumns(["", "0.5"], {(FIGURE.id, PERIOD): np.array([1, 0, 1], dtype=np.int32)})
    for starts, threshold, expected in ((1, "0.4", True), (2, "0.6", False)):
        found = two.met(asks(">=", threshold, date(2026, 1, starts)), PERIOD)
        assert found is not None
        assert found.tolist() == [expected, False, expected]
