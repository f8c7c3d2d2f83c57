"""The pool of colours: what makes a branch blue, yellow or red, and from which month on."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.fortress_facts import first_closes
from scoring.fortress_scheme import Value
from scoring.pool import MonthRow, Warned, colours
from scoring.ranks import Place, at_bottom
from tests.scoring.power_months import CATALOGUE, LONG_AGO, TERMS, Key, judged

# ---- colours -----------------------------------------------------------------------------------------------
GOOD = Place(1, 40, 39)
TENTH = Place(37, 40, 3)
TWENTIETH = Place(40, 40, 0)


def row(*unmet: str, place: Place = GOOD, hits: tuple[str, ...] = ()) -> MonthRow:
    return MonthRow("2026-01", place, unmet, hits)


def reasons(*rows: MonthRow | None) -> dict[str, str]:
    return {one.colour: one.reason for one in colours(TERMS.pool, rows)}


def test_blue_has_every_unmet_indicator_and_then_every_negative_item() -> None:
    assert reasons(row("C02", "SE03", hits=("N03", "N04"))) == {"blue": "C02;SE03;N03;N04"}
    assert reasons(row(hits=("N03",))) == {"blue": "N03"}
    assert reasons(row()) == {}
    assert reasons(row("C02"), None) == {}
    assert reasons() == {}


def test_yellow_is_the_bottom_tenth_of_the_month_alone() -> None:
    assert reasons(row(place=TENTH)) == {"yellow": "bottom_10"}
    assert reasons(row(place=Place(36, 40, 4))) == {}


def test_red_needs_three_months_in_a_row() -> None:
    assert reasons(row("C02"), row("C02")) == {"blue": "C02"}
    assert reasons(row("C02"), row("C02"), row("C02")) == {"blue": "C02", "red": "C02"}
    assert reasons(row("C02"), row(), row("C02")) == {"blue": "C02"}
    assert reasons(row("C02"), None, row("C02")) == {"blue": "C02"}
    assert reasons(row("C02"), row("C02"), None, row("C02")) == {"blue": "C02"}
    assert reasons(row("C02"), row("C02"), row("C02"), row()) == {}
    assert reasons(row("C02"), row("SE03"), row("C02", "SE03"))["blue"] == "C02;SE03"
    assert "red" not in reasons(row("C02"), row("SE03"), row("C02", "SE03"))


def test_red_names_what_lasted_and_then_the_bottom_twentieth() -> None:
    low = row("C02", "SE03", place=TWENTIETH)
    assert reasons(row("SE03", place=TWENTIETH), low, low)["red"] == "SE03;bottom_5"
    assert reasons(row("SE03", place=TENTH), low, low)["red"] == "SE03"
    assert reasons(*[row(place=TWENTIETH)] * 3) == {"yellow": "bottom_10", "red": "bottom_5"}
    assert reasons(row(place=TENTH), *[row(place=TWENTIETH)] * 2) == {"yellow": "bottom_10"}


def test_each_colour_has_its_owner_and_the_months_that_prove_it() -> None:
    found = {one.colour: one for one in colours(TERMS.pool, [row("C02", place=TWENTIETH)] * 3)}
    assert {colour: one.owner for colour, one in found.items()} == {
        "blue": "party_work_committee",
        "yellow": "lead_department",
        "red": "district_org_department",
    }
    assert [len(found[colour].months) for colour in ("blue", "yellow", "red")] == [1, 1, 3]
    assert found["blue"].proof() == {
        "months": [{"month": "2026-01", "rank": 40, "n": 40, "unmet": ["C02"], "negatives": []}]
    }


@given(st.lists(st.none() | st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), max_size=15))
def test_red_is_there_exactly_when_three_rows_in_a_row_say_so(
    history: list[tuple[bool, bool, int] | None],
) -> None:
    rows = [
        None
        if one is None
        else row(
            *[name for name, missed in zip(("C02", "C03"), one[:2], strict=True) if missed],
            place=Place(40 - one[2], 40, one[2]),
        )
        for one in history
    ]
    for end in range(1, len(rows) + 1):
        red = next((one for one in colours(TERMS.pool, rows[:end]) if one.colour == "red"), None)
        last = history[max(0, end - 3) : end]
        whole = [one for one in last if one is not None] if len(last) == 3 else []
        expected = []
        if len(whole) == 3:
            expected = [name for place, name in enumerate(("C02", "C03")) if all(one[place] for one in whole)]
            expected += ["bottom_5"] if all(one[2] < 2 for one in whole) else []
        assert (list(red.causes) if red else []) == expected


def test_a_quarter_that_closes_unmet_is_red_in_the_second_month_after_its_close() -> None:
    """Also across the new year: unmet in December stands in January and February."""
    values: dict[Key, Value] = {}
    for one in CATALOGUE.indicators_on("soe", date(2026, 1, 1)):
        for year in (2024, 2025, 2026):
            for text in [f"{year}", f"{year}H1", f"{year}H2"]:
                values[one.id, text] = True if one.statement else Fraction(0 if one.op in ("<=", "<") else 999)
            for quarter in range(1, 5):
                values[one.id, f"{year}Q{quarter}"] = values[one.id, str(year)]
            for number in range(1, 13):
                values[one.id, f"{year}-{number:02}"] = values[one.id, str(year)]
    values["SE03", "2025Q4"] = Fraction("0.8999")
    closed = first_closes(CATALOGUE.indicators, [("SE03", "2025Q1")], date(2026, 4, 30)) | LONG_AGO
    months = ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"]
    rows = []
    told = []
    for month in months:
        result = judged(month, values=values, first_closed=closed)
        rows.append(MonthRow(month, GOOD, result.unmet, result.hits))
        told.append([one.colour for one in colours(TERMS.pool, rows)])
    assert told == [[], ["blue"], ["blue"], ["blue", "red"], []]


def test_warned_prints_its_causes() -> None:
    assert Warned("blue", "party_work_committee", ("C02", "N01"), ()).reason == "C02;N01"


@pytest.mark.parametrize(
    ("place", "low"),
    [
        (Place(1, 20, 0), False),
        (Place(2, 20, 0), True),
        (Place(19, 20, 1), True),
        (Place(18, 20, 2), False),
        (Place(9, 9, 0), False),
        (Place(10, 10, 0), True),
    ],
)
def test_the_bottom_tenth_is_by_how_many_are_lower_and_never_the_best(place: Place, low: bool) -> None:
    assert at_bottom(place, Fraction(1, 10)) is low
