"""Every figure can be taken apart down to the rule and its source."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from scoring.catalogue import shipped
from scoring.explain import Line, explain_fortress, explain_org_power, explain_pioneer
from scoring.fortress import fortress
from scoring.fortress_facts import Activity, BranchFacts
from scoring.org_power import PowerFacts, org_power
from scoring.periods import period
from scoring.pioneer import Span, Total, pioneer

CATALOGUE = shipped()
LAST_DAY = date(2026, 12, 31)


def test_a_pioneer_index_is_parts_and_rules_with_their_sources() -> None:
    totals = {"PB1": Total(10, 5), "PB3": Total(0, 14), "PN1": Total(-4, 2), "PZ1": Total(0, 1)}
    result = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=[Span(date(2026, 5, 17))], totals=totals)
    assert result is not None
    figure = explain_pioneer(CATALOGUE, result, as_of=LAST_DAY)
    assert [(part.id, part.value, part.most) for part in figure.parts] == [
        ("base", 2156, 6000),
        ("positive", 0, 2000),
        ("conduct", 1600, 2000),
    ]
    own = figure.parts[0].lines[0]
    assert (own.rule.id, own.rule.title, own.value, own.most, own.have) == (
        "PB1",
        "参加本支部活动",
        1500,
        3000,
        5,
    )
    assert (own.status, own.terms_from) == ("S", date(2000, 1, 1))
    assert "own branch +2" in own.source
    hours = figure.parts[0].lines[2]
    assert (hours.value, hours.have, hours.required) == (656, 14, 32)
    absence = figure.parts[2].lines[0]
    assert (absence.rule.id, absence.value, absence.most, absence.have) == ("PN1", -400, None, 2)
    assert (figure.value, figure.stars, [line.rule.id for line in figure.zeroed_by]) == (0, 0, ["PZ1"])


def test_nothing_is_zeroed_without_a_confirmed_case() -> None:
    totals = {"PZ1": Total(0, 0)}
    result = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=[Span(date(2020, 1, 1))], totals=totals)
    assert result is not None
    assert explain_pioneer(CATALOGUE, result, as_of=LAST_DAY).zeroed_by == ()


def test_a_fortress_index_is_aspects_field_and_deductions() -> None:
    day = Activity(date(2026, 3, 1), "branch", frozenset({"theme_party_day"}), 4, 4)
    facts = BranchFacts("soe", activities=[day], values={("SE01", "2026Q1"): Fraction(1)}, negatives={"N04": 2})
    result = fortress(CATALOGUE, facts, as_of=LAST_DAY, first_closed={"SE01": date(2026, 3, 31)})
    figure = explain_fortress(CATALOGUE, result, field="soe", as_of=LAST_DAY, stars=0)
    assert [(part.id, part.value, part.most) for part in figure.parts] == [
        ("leading_group", 0, 1500),
        ("member_team", 0, 1500),
        ("mechanism", 350, 2100),
        ("support", 0, 900),
        ("specific", 1000, 4000),
        ("deductions", -200, None),
    ]
    lines: dict[str, Line] = {line.rule.id: line for part in figure.parts for line in part.lines}
    assert (lines["F10"].value, lines["F10"].have, lines["F10"].required) == (50, 1, 12)
    assert (lines["SE01"].value, lines["SE01"].most, lines["SE01"].have) == (1000, 4000, 1)
    assert (lines["N04"].value, lines["N04"].have) == (-200, 2)
    assert "SE02" not in lines, "what is not due explains nothing"
    assert (figure.value, figure.stars) == (result.score, 0)


def test_the_parts_of_a_branch_add_up_to_its_common_points() -> None:
    days = [Activity(date(2026, month, 1), "branch", frozenset({"member_assembly"}), 4, 4) for month in (1, 2, 3)]
    result = fortress(CATALOGUE, BranchFacts("soe", activities=days), as_of=LAST_DAY, first_closed={})
    figure = explain_fortress(CATALOGUE, result, field="soe", as_of=LAST_DAY)
    assert sum(part.value for part in figure.parts[:4]) == result.common


def test_an_organisational_power_index_is_dimensions_and_the_negative_list() -> None:
    facts = PowerFacts("soe", values={("C02", "2026-03"): Fraction(2)}, negatives={"N03": 7, "N04": 1})
    closed = {one: date(2026, 1, 31) for one in ("C01", "C02", "C04")}
    result = org_power(CATALOGUE, facts, month=period("monthly", "2026-03"), first_closed=closed)
    figure = explain_org_power(CATALOGUE, result, field="soe")
    assert (figure.scheme.id, figure.value, figure.stars) == ("org_power_v1", 5667, None)
    assert [(part.id, part.value, part.most) for part in figure.parts] == [
        ("political_leadership", 667, 2000),
        ("org_coverage", 2000, 2000),
        ("mass_cohesion", 2000, 2000),
        ("development_service", 2000, 2000),
        ("basic_support", 2000, 2000),
        ("deductions", -3000, None),
    ]
    lines = {line.rule.id: line for part in figure.parts for line in part.lines}
    told = {one: (lines[one].standing, lines[one].period, lines[one].handed_in) for one in ("C01", "C02", "C03")}
    assert told == {
        "C01": ("unmet", "2026-03", None),
        "C02": ("met", "2026-03", 2),
        "C03": ("not_due", None, None),
    }
    assert [(lines[one].value, lines[one].most) for one in ("C01", "C02", "C03")] == [(0, 667), (667, 667), (0, 0)]
    assert len(lines) == 28
    assert (lines["N03"].value, lines["N03"].have, lines["N03"].status) == (-3500, 7, "S")
    assert figure.parts[0].title is CATALOGUE.org_power.dimension[0]
