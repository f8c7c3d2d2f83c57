"""The rule files: their own worked examples, what they say, and how a figure is read."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from scoring.catalogue import FIELDS, RULES, json_schemas, load
from scoring.exact import ceiling, fraction, half_up, printed
from scoring.fortress import appraisal_score, base_and_score, months_of_existence, needed_activities, vetoed
from scoring.fortress_common import common_results
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures
from scoring.fortress_scheme import CommonCase, ScoreCase, VetoCase
from scoring.items import read_value
from scoring.pioneer import Total, judge
from scoring.pioneer_scheme import Rule, RuleCase
from tests.scoring.conftest import Alter
from tests.scoring.rule_copies import CATALOGUE, DAY

# ---- the worked examples of the rule files ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "case"),
    [(rule, case) for rule in CATALOGUE.pioneer.rule for case in rule.cases],
    ids=lambda one: one.id if isinstance(one, Rule) else one.say,
)
def test_every_case_of_a_pioneer_rule_comes_out_as_written(rule: Rule, case: RuleCase) -> None:
    totals = {rule.id: Total(case.points, case.count)}
    result = judge(
        CATALOGUE,
        as_of=DAY,
        months=case.months,
        totals=totals,
        duty_activities=case.held,
        mode=case.mode,
    )
    got = {one.rule_id: one.earned for one in result.rules}
    assert got.get(rule.id, Fraction(0)) == case.earned
    assert result.cleared is case.clears
    assert sum(got.values()) == case.earned, "no other rule earns anything"


@pytest.mark.parametrize("case", CATALOGUE.fortress.veto_cases, ids=lambda case: case.say)
def test_every_veto_case_comes_out_as_written(case: VetoCase) -> None:
    veto = CATALOGUE.fortress.terms_on(case.as_of).veto
    months = months_of_existence(case.founded_on, case.as_of.year)
    assert needed_activities(veto, months) == case.needed
    assert vetoed(veto, months=months, activities=case.activities, as_of=case.as_of) is case.veto


@pytest.mark.parametrize("case", CATALOGUE.fortress.score_cases, ids=lambda case: case.say)
def test_every_score_case_comes_out_as_written(case: ScoreCase) -> None:
    weights = CATALOGUE.fortress.terms_on(DAY).weights
    said = case.appraisal
    appraisal = (
        appraisal_score(weights, Appraisal(said.self_, said.members_masses, said.superior)) if said else None
    )
    common, specific, deductions = (half_up(part) for part in (case.common, case.specific, case.deductions))
    base, score = base_and_score(
        weights, common=common, specific=specific, deductions=deductions, appraisal=appraisal
    )
    assert (base, score) == (half_up(case.base), half_up(case.score))


@pytest.mark.parametrize("case", CATALOGUE.fortress.common_cases, ids=lambda case: f"{case.item} {case.say}")
def test_every_common_case_comes_out_as_written(case: CommonCase) -> None:
    item = next(one for one in CATALOGUE.common_on(DAY) if one.id == case.item)
    activities = [
        Activity(date(2026, 1, day), "branch", frozenset({kind}), 2, 2)
        for kind, days in zip(item.kinds, case.days, strict=False)
        for day in range(1, days + 1)
    ]
    if case.should_attend:
        kinds = frozenset({"theme_party_day"})
        activities.append(Activity(DAY, "branch", kinds, case.should_attend, case.attended))
    members = [MemberFigures(0, hours) for hours in case.hours]
    members += [MemberFigures(half_up(score), 0) for score in case.scores]
    value = {(item.id, "2026-12"): case.value}
    facts = BranchFacts("soe", values=value, members=members)
    veto = CATALOGUE.fortress.terms_on(DAY).veto
    results = common_results(CATALOGUE, facts, veto, activities=activities, months=case.months, as_of=DAY)
    assert next(one.share for one in results if one.item_id == item.id) == case.share


# ---- what the files say ------------------------------------------------------------------------------------


def test_own_branch_pays_two_and_regional_three_and_the_sources_say_so() -> None:
    own, regional = CATALOGUE.rule("PB1").terms_on(DAY), CATALOGUE.rule("PP1").terms_on(DAY)
    assert own is not None
    assert regional is not None
    assert (own.points, own.status, regional.points, regional.status) == (2, "S", 3, "S")


def test_every_field_has_ten_indicators_of_its_own_and_twenty_six_in_all() -> None:
    for field in FIELDS:
        assert len(CATALOGUE.specific_on(field, DAY)) == 10
        assert len(CATALOGUE.indicators_on(field, DAY)) == 26
        assert sum(one.points for one in CATALOGUE.indicators_on(field, DAY)) == 100
    assert len(CATALOGUE.common_on(DAY)) == 16
    assert len(CATALOGUE.negatives_on("soe", DAY)) == 14


def test_every_rule_has_both_titles() -> None:
    for rule in CATALOGUE.pioneer.rule:
        assert rule.title_in("zh") == rule.title
        assert rule.title_in("en") == rule.title_en
        assert rule.title_en.isascii()
        assert not rule.title.isascii()


def test_an_unknown_rule_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match=r"^no rule 'PB9'$"):
        CATALOGUE.rule("PB9")
    with pytest.raises(LookupError, match=f"^no rule '{'x' * 40}'$"):
        CATALOGUE.rule("x" * 41)


def test_new_terms_hold_from_their_day_and_the_old_ones_before(alter: Alter) -> None:
    later = '[[rule.terms]]\nfrom = 2026-07-01\npoints = 4\ncap = 30\nstatus = "P"\nsource = "ours"\n\n'
    directory = alter("pioneer.toml", "[[rule.cases]]\n", f"{later}[[rule.cases]]\n")
    rule = load(directory).rule("PB1")
    before, after = rule.terms_on(date(2026, 6, 30)), rule.terms_on(date(2026, 7, 1))
    assert before is not None
    assert after is not None
    assert (before.points, after.points) == (2, 4)


def test_no_terms_before_the_first_day() -> None:
    assert CATALOGUE.rule("PB1").terms_on(date(1999, 12, 31)) is None
    assert CATALOGUE.rule("PB1").terms_on(date(2000, 1, 1)) is not None
    with pytest.raises(LookupError, match="1999"):
        CATALOGUE.pioneer.terms_on(date(1999, 12, 31))
    with pytest.raises(LookupError, match="1999"):
        CATALOGUE.fortress.terms_on(date(1999, 12, 31))


def test_a_later_row_of_a_list_replaces_the_earlier_one_from_its_day(alter: Alter) -> None:
    row = "N14,2026-07-01,all,督查问题整改逾期,Correction overdue,-3,per item,dept,monthly,P,ours,1,3\n"
    directory = alter("negative_list.csv", "id,from,", "id,from,")
    with (directory / "negative_list.csv").open("a", encoding="utf-8") as file:
        file.write(row)
    catalogue = load(directory)
    before = catalogue.negatives_on("soe", date(2026, 6, 30))
    after = catalogue.negatives_on("soe", date(2026, 7, 1))
    assert (before[-1].points, after[-1].points) == (-2, -3)
    assert [one.id for one in before] == [one.id for one in after]


def test_loading_takes_every_file_to_its_place() -> None:
    loaded, names = load(), [one.name for one in fields(CATALOGUE) if one.name != "ratings"]
    assert [getattr(loaded, one) for one in names] == [getattr(CATALOGUE, one) for one in names]
    assert vars(loaded.ratings) == vars(CATALOGUE.ratings)


def test_a_loaded_rule_cannot_be_altered() -> None:
    with pytest.raises(ValueError, match="frozen"):
        CATALOGUE.rule("PB1").title = "x"
    assert isinstance(CATALOGUE.pioneer.terms_on(DAY).stars, tuple)


def test_the_json_schema_knows_every_file_and_key() -> None:
    schemas = json_schemas()
    assert set(schemas) == {path.name for path in RULES.iterdir()}
    terms = schemas["pioneer.toml"]["$defs"]["RuleTerms"]["properties"]
    assert {"from", "points", "cap", "status", "source"} <= set(terms)


# ---- figures -----------------------------------------------------------------------------------------------


def test_halves_are_rounded_up_once() -> None:
    assert half_up(Fraction("53.465")) == 5347
    assert half_up(Fraction("53.4649999999")) == 5346
    assert [printed(figure) for figure in (0, 7, 700, 10000, -50)] == ["0.00", "0.07", "7.00", "100.00", "-0.50"]
    assert [ceiling(Fraction(n, 2)) for n in (8, 9)] == [4, 5]


@pytest.mark.parametrize("text", ["", "1e3", "0x1", "nan", "1,5", " 1", "٣", "1/0", "9" * 16, "1_000", "+1"])
def test_only_plain_numbers_are_figures(text: str) -> None:
    with pytest.raises(ValueError, match="plain number"):
        fraction(text)


def test_a_binary_float_is_no_figure() -> None:
    with pytest.raises(ValueError, match="plain number"):
        fraction(0.1)
    with pytest.raises(ValueError, match="plain number"):
        fraction(Decimal("NaN"))
    assert fraction(Decimal("0.1")) == Fraction(1, 10)
    assert fraction(Decimal("1E-7")) == Fraction(1, 10**7), "a short way to write it in a rule file"
    with pytest.raises(ValueError, match=r"^a plain number is needed, such as 12 or 0\.85$"):
        fraction("many")


def test_values_are_read_as_they_are_written() -> None:
    assert [read_value(text, statement=True) for text in ("true", "TRUE", "1", "false", "0", "")] == [
        True, True, True, False, False, None,
    ]  # fmt: skip
    assert read_value("0.9499", statement=False) == Fraction("0.9499")
    with pytest.raises(ValueError, match="true, false, 1 or 0"):
        read_value("yes", statement=True)
    with pytest.raises(ValueError, match=f"not '{'y' * 40}'$"):
        read_value("y" * 41, statement=True)
    with pytest.raises(ValueError, match="plain number"):
        read_value("true", statement=False)


def test_both_sides_of_each_operator() -> None:
    by_id = {one.id: one for one in CATALOGUE.indicators_on("admin_village", DAY)}
    assert by_id["C07"].is_met(Fraction(0))
    assert not by_id["C07"].is_met(Fraction(1, 10))
    assert by_id["C10"].is_met(Fraction(19, 10))
    assert not by_id["C10"].is_met(Fraction(2))
    assert by_id["AV07"].is_met(Fraction(1)), "progress against the plan"
    assert not by_id["AV07"].is_met(Fraction(99, 100))
    assert not by_id["C01"].is_met(None)
    assert not by_id["C01"].is_met(False)
