"""What a branch declares, for which periods: both sides of every border of the calendar and of the founding day."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.catalogue import RulesError, shipped
from scoring.declaring import (
    Due,
    closing_month,
    deadlines,
    declarables,
    due_at,
    due_one,
    month_of,
    read_period,
    running,
    scheme,
)

MARCH = read_period("2026-03")
MONTHLY = [("C02", "2026-03"), ("C04", "2026-03")]
QUARTERLY = [(one, "2026Q1") for one in ("C03", "C05", "C09", "C14", "SE01", "SE06")]
COMMON = [("F01", "2026-03"), ("F16", "2026-03")]


def told(found: tuple[Due, ...]) -> list[tuple[str, str]]:
    return [(one.what.id, one.period.text) for one in found]


def test_what_is_due_in_a_month_stands_in_the_order_of_the_lists() -> None:
    in_order = ["C02", "C03", "C04", "C05", "C09", "C14", "SE01", "SE06", "F01", "F16"]
    found = due_at("soe", MARCH, None)
    assert [one.what.id for one in found] == in_order
    assert set(told(found)) == {*MONTHLY, *QUARTERLY, *COMMON}
    assert {one.closing for one in found} == {MARCH}
    assert told(due_at("soe", read_period("2026-02"), None)) == [("C02", "2026-02"), ("C04", "2026-02")]
    december = told(due_at("soe", read_period("2026-12"), None))
    assert {("C06", "2026"), ("SE05", "2026H2"), ("SE04", "2026"), ("F03", "2026-12")} <= set(december)


@pytest.mark.parametrize(
    ("founded_on", "due"),
    [
        (date(2026, 1, 1), {*MONTHLY, *QUARTERLY, *COMMON}),
        (date(2026, 1, 2), {*MONTHLY, *COMMON}),
        (date(2026, 3, 1), {*MONTHLY, *COMMON}),
        (date(2026, 3, 2), set()),
    ],
)
def test_a_period_that_began_before_the_branch_is_not_declared(
    founded_on: date, due: set[tuple[str, str]]
) -> None:
    assert set(told(due_at("soe", MARCH, founded_on))) == due
    for one, period in (*MONTHLY, *QUARTERLY, *COMMON):
        found = due_one("soe", one, period, founded_on)
        assert (found is not None) == ((one, period) in due)
        if found is not None:
            assert (found.what.id, found.period.text, found.closing) == (one, period, MARCH)


@pytest.mark.parametrize(
    ("value_id", "period"),
    [("C02", "2026Q1"), ("C03", "2026-03"), ("C03", "nonsense"), ("UC01", "2026Q1"), ("F01", "2026-02"), ("", "")],
)
def test_what_nobody_declares_is_named_by_nothing(value_id: str, period: str) -> None:
    assert due_one("soe", value_id, period, None) is None


def test_what_runs_ends_first_comes_first() -> None:
    half = [("C03", "2026Q2"), ("C05", "2026Q2"), ("C09", "2026Q2"), ("C14", "2026Q2"), ("SE01", "2026Q2")]
    half += [("SE05", "2026H1"), ("SE06", "2026Q2")]
    year = [("C06", "2026"), ("SE04", "2026"), ("SE07", "2026")]
    may = date(2026, 5, 10)
    assert told(running("soe", may, None)) == [("C02", "2026-05"), ("C04", "2026-05"), *half, *year]
    assert told(running("soe", may, date(2026, 5, 1))) == [("C02", "2026-05"), ("C04", "2026-05")]
    assert told(running("soe", may, date(2026, 5, 2))) == []
    first = running("soe", date(2026, 6, 1), None)
    assert ("F01", "2026-06") in told(first), "the month begins today"
    assert ("F01", "2026-06") not in told(running("soe", date(2026, 5, 31), None))
    assert ("C02", "2026-12") in told(running("soe", date(2026, 12, 31), None))


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2026H1", date(2026, 1, 1), date(2026, 6, 30)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_is_read_in_any_form_and_closes_with_its_last_month(text: str, first: date, last: date) -> None:
    found = read_period(text)
    assert (found.first, found.last, found.text) == (first, last, text)
    closing = closing_month(found)
    assert (closing.first, closing.last) == (last.replace(day=1), last)
    assert month_of(last) == month_of(closing.first) == closing


@pytest.mark.parametrize("text", ["", "26", "2026-13", "2026Q5", "2026H3", "2026H", "2026-3", "year", "2026-001"])
def test_anything_else_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        read_period(text)


def test_forms_months_kinds_and_companions_follow_the_lists() -> None:
    found = {one.id: one for one in declarables("soe", date(2026, 3, 31))}
    forms = {one: found[one].form for one in ("C02", "C06", "C09", "SE04", "F01", "F04")}
    assert forms == {
        "C02": "count",
        "C06": "statement",
        "C09": "rate",
        "SE04": "count",
        "F01": "statement",
        "F04": "rate",
    }
    assert {one.kind for name, one in found.items() if name.startswith("F")} == {"monthly"}
    months = {one: found[one].months for one in ("C02", "C03", "C06", "SE05", "F07")}
    assert months == {
        "C02": tuple(range(1, 13)),
        "C03": (3, 6, 9, 12),
        "C06": (12,),
        "SE05": (6, 12),
        "F07": (6, 12),
    }
    assert found["C03"].seen_kinds == ("member_assembly",)
    assert {one.id: one.also for one in found.values() if one.also} == {"C09": ("F08",)}
    assert "UC01" in {one.id for one in declarables("urban_community", date(2026, 3, 31))}
    assert "UC01" not in found


@pytest.mark.parametrize(
    ("value_id", "value", "met"),
    [
        ("C02", "1", True),
        ("C02", "0", False),
        ("C06", "true", True),
        ("C06", "false", False),
        ("C09", "0.99", False),
        ("F01", "true", True),
        ("F01", "false", False),
        ("F01", "", False),
        ("F04", "0.85", True),
        ("F04", "0.8499", False),
        ("F04", "", False),
    ],
)
def test_a_declared_value_earns_the_points_or_not(value_id: str, value: str, met: bool) -> None:
    one = next(one for one in declarables("soe", date(2026, 12, 31)) if one.id == value_id)
    assert one.met(value) is met


def test_the_days_of_a_month_are_those_of_its_rules() -> None:
    day = date(2026, 3, 31)
    assert deadlines(day) == shipped().org_power.terms_on(day).deadlines


@pytest.mark.parametrize(
    ("text", "told_as"),
    [
        ("", "declarations.toml"),
        ('[[item]]\nid = "F01"\nstatus = "P"\nsource = "x"\n', "either months or the indicator that it follows"),
        (
            '[[item]]\nid = "F01"\nmonths = [3]\nfollows = "C09"\nstatus = "P"\nsource = "x"\n',
            "either months or the indicator that it follows",
        ),
        ('[[item]]\nid = "F01"\nmonths = [13]\nstatus = "P"\nsource = "x"\n', "12"),
    ],
)
def test_a_mistake_in_the_scheme_is_told_with_its_file(tmp_path, text: str, told_as: str) -> None:
    (tmp_path / "declarations.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RulesError) as caught:
        scheme(tmp_path)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith("declarations.toml")
    assert told_as in mistake
