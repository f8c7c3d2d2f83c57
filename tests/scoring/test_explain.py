"""Every figure can be taken apart down to the rule and its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction

from scoring.catalogue import shipped
from scoring.explain import Figure, Line, explain_fortress, explain_org_power, explain_pioneer
from scoring.fortress import fortress
from scoring.fortress_facts import Activity, BranchFacts
from scoring.items import Row
from scoring.org_power import PowerFacts, org_power
from scoring.periods import period
from scoring.pioneer import Span, Total, pioneer
from scoring.pioneer_scheme import Rule, RuleTerms

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


def all_lines(figure: Figure) -> list[Line]:
    return [line for part in figure.parts for line in part.lines] + list(figure.zeroed_by)


def test_every_figure_names_its_scheme_its_parts_and_the_origin_of_every_line() -> None:
    totals = {"PB1": Total(10, 5), "PN1": Total(-4, 2), "PZ1": Total(0, 2)}
    member = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=[Span(date(2020, 1, 1))], totals=totals)
    assert member is not None
    closed = {"SE01": date(2026, 3, 31), "C01": date(2026, 1, 31)}
    facts = BranchFacts("soe", negatives={"N04": 2})
    branch = fortress(CATALOGUE, facts, as_of=LAST_DAY, first_closed=closed)
    power = org_power(
        CATALOGUE, PowerFacts("soe", negatives={"N04": 1}), month=period("monthly", "2026-03"), first_closed=closed
    )
    for figure, scheme, named in (
        (explain_pioneer(CATALOGUE, member, as_of=LAST_DAY), CATALOGUE.pioneer.scheme, CATALOGUE.pioneer.part),
        (
            explain_fortress(CATALOGUE, branch, field="soe", as_of=LAST_DAY),
            CATALOGUE.fortress.scheme,
            (*CATALOGUE.fortress.aspect, None),
        ),
        (
            explain_org_power(CATALOGUE, power, field="soe"),
            CATALOGUE.org_power.scheme,
            (*CATALOGUE.org_power.dimension, None),
        ),
    ):
        assert figure.scheme is scheme
        assert [part.title for part in figure.parts] == list(named)
        for line in all_lines(figure):
            terms = line.rule.terms_on(LAST_DAY) if isinstance(line.rule, Rule) else line.rule
            assert isinstance(terms, RuleTerms | Row)
            assert (line.terms_from, line.status, line.source) == (terms.starts, terms.status, terms.source)


def test_a_line_says_what_it_can_bring_and_how_far_it_is() -> None:
    totals = {"PN1": Total(-4, 2), "PZ1": Total(0, 2)}
    member = pioneer(CATALOGUE, as_of=LAST_DAY, memberships=[Span(date(2020, 1, 1))], totals=totals)
    assert member is not None
    figure = explain_pioneer(CATALOGUE, member, as_of=LAST_DAY)
    (zeroed,) = figure.zeroed_by
    assert (zeroed.value, zeroed.most, zeroed.have, zeroed.required) == (0, None, 2, None)
    capped = next(line for line in all_lines(figure) if line.rule.id == "PN1")
    assert capped.most is None, "what takes points can bring none, though it has a cap"

    closed = {"SE01": date(2026, 3, 31), "SE03": date(2026, 3, 31)}
    values = {("SE01", "2026Q1"): Fraction(1), ("SE01", "2026Q2"): Fraction(1)}
    branch = fortress(CATALOGUE, BranchFacts("soe", values=values), as_of=LAST_DAY, first_closed=closed)
    lines = {
        line.rule.id: line for line in all_lines(explain_fortress(CATALOGUE, branch, field="soe", as_of=LAST_DAY))
    }
    assert [(lines[one].value, lines[one].most) for one in ("SE01", "SE03")] == [(1000, 2000), (0, 2000)]
    assert [(lines[one].have, lines[one].required) for one in ("SE01", "SE03")] == [(2, 4), (0, 4)]
    for item in CATALOGUE.common_on(LAST_DAY):
        assert lines[item.id].most == 100 * item.points


def test_aspects_that_follow_the_field_are_explained_too() -> None:
    scheme = CATALOGUE.fortress
    turned = replace(CATALOGUE, fortress=scheme.model_copy(update={"aspect": scheme.aspect[::-1]}))
    branch = fortress(turned, BranchFacts("soe"), as_of=LAST_DAY, first_closed={})
    figure = explain_fortress(turned, branch, field="soe", as_of=LAST_DAY)
    assert [part.id for part in figure.parts] == [
        *("specific", "support", "mechanism", "member_team", "leading_group", "deductions")
    ]


def test_a_case_of_an_item_that_only_the_field_has_is_explained() -> None:
    listed = tuple(
        one.model_copy(update={"field": "soe"}) if one.id == "N04" else one for one in CATALOGUE.negatives
    )
    own = replace(CATALOGUE, negatives=listed)
    branch = fortress(own, BranchFacts("soe", negatives={"N04": 1}), as_of=LAST_DAY, first_closed={})
    month = period("monthly", "2026-03")
    power = org_power(own, PowerFacts("soe", negatives={"N04": 1}), month=month, first_closed={})
    for figure in (
        explain_fortress(own, branch, field="soe", as_of=LAST_DAY),
        explain_org_power(own, power, field="soe"),
    ):
        assert [line.rule.id for line in figure.parts[-1].lines] == ["N04"]
