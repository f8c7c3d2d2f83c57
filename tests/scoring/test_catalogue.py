"""The rule files: their own worked examples, and what a mistake in them is answered with."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from scoring.catalogue import FIELDS, RULES, RulesError, json_schemas, load, shipped
from scoring.exact import ceiling, fraction, half_up, printed
from scoring.fortress import appraisal_score, base_and_score, months_of_existence, needed_activities, vetoed
from scoring.fortress_common import common_results
from scoring.fortress_facts import Activity, Appraisal, BranchFacts, MemberFigures
from scoring.fortress_scheme import CommonCase, ScoreCase, VetoCase
from scoring.items import read_value
from scoring.pioneer import Total, judge
from scoring.pioneer_scheme import Rule, RuleCase

DAY = date(2026, 12, 31)
CATALOGUE = shipped()

Alter = Callable[[str, str, str], Path]


@pytest.fixture
def alter(tmp_path: Path) -> Alter:
    """Alter one text in a copy of the rule files; the copy's directory comes back."""
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)

    def change(name: str, old: str, new: str) -> Path:
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text, "the test alters what is there"
        (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        return copy

    return change


def mistakes(directory: Path) -> tuple[str, ...]:
    with pytest.raises(RulesError) as caught:
        load(directory)
    assert str(caught.value) == "\n".join(caught.value.mistakes)
    return caught.value.mistakes


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


# ---- mistakes --------------------------------------------------------------------------------------------


def test_a_misspelt_key_is_told_with_file_rule_and_place(alter: Alter) -> None:
    assert mistakes(alter("pioneer.toml", "cap    = 12", "cpa    = 12")) == (
        "pioneer.toml: rule 2, terms 1, cpa: Extra inputs are not permitted",
    )


def test_all_mistakes_of_all_files_are_told_at_once(alter: Alter) -> None:
    alter("pioneer.toml", "source = ", "sauce = ")
    alter("fortress.toml", "base           = 0.7", "base           = 1.7")
    directory = alter(
        "org_power_indicators.csv", ",committee_complete,==,true,3,", ",committee_complete,==,true,x,"
    )
    told = mistakes(directory)
    assert len(told) == 4
    assert told[0].startswith("pioneer.toml: rule 1, terms 1, source: Field required")
    assert told[1].startswith("pioneer.toml: rule 1, terms 1, sauce:")
    assert told[2] == "fortress.toml: terms 1, weights, base: must lie between 0 and 1"
    assert told[3].startswith("org_power_indicators.csv: line 2, C01: points:")


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("pioneer.toml", "points = 2\n", 'points = "2"\n', "rule 1, terms 1, points: Input should be a valid"),
        ("pioneer.toml", "points = 2\n", "points = 2.0\n", "rule 1, terms 1, points: Input should be a valid"),
        ("pioneer.toml", "points = 2\n", "points = true\n", "rule 1, terms 1, points: Input should be a valid"),
        ("pioneer.toml", "points = 2\n", "points = -2\n", "rule 1: terms 1: only a deduction has negative points"),
        ("pioneer.toml", "points = -2\n", "points = 2\n", "rule 10: terms 1: a deduction has negative points"),
        ("pioneer.toml", "points = 2\n", "", "rule 1, terms 1: either points or grades must be given"),
        ("pioneer.toml", "cap    = 30\n", "", "rule 1: terms 1: a cap is needed"),
        ("pioneer.toml", "excellent = 8", "excellent = -8", "terms 1: only a deduction has negative points"),
        ("pioneer.toml", "slight = -3", "slight = 3", "terms 1: a deduction has negative points"),
        ("pioneer.toml", "points = -2\n", "points = 1\n", "rule 10: terms 1: a deduction has negative points"),
        ("pioneer.toml", "points = 3\ncap    = 9\n", "points = 3\n", "rule 5: terms 1: a cap is needed"),
        ("pioneer.toml", "cap    = 30\n", "cap    = 29\n", "the caps of base add up to 59, below its 60"),
        ("pioneer.toml", "full_at = 32", "# full_at", "rule 3: terms 1: full_at belongs to the formula"),
        ("pioneer.toml", "base = 60,", "base = 61,", "terms 1: parts must add up to 100, not 101"),
        ("pioneer.toml", "[80, 4]", "[90, 4]", "terms 1: bands must descend: [90, 4] after [90, 5]"),
        ("pioneer.toml", "[80, 4]", "[80, 5]", "terms 1: bands must descend: [80, 5] after [90, 5]"),
        ("pioneer.toml", ", [0, 1]]", "]", "terms 1: the last band must start at 0"),
        ("pioneer.toml", '= "PB2"', '= "PB1"', "rule 2: the id PB1 stands twice"),
        ("pioneer.toml", '= "S"', '= "T"', "rule 1, terms 1, status: Input should be"),
        ("pioneer.toml", "earned = 6\n", "", "rule 4, cases 1, earned: Field required"),
        ("pioneer.toml", "[scheme]", "[scheme", "pioneer.toml: Expected ']'"),
        ("fortress.toml", "appraisal      = 0.3", "appraisal      = 0.4", "base and appraisal must add up to 1"),
        ("fortress.toml", "superior       = 0.2", "superior       = 0.3", "self, members_masses and superior must"),
        ("fortress.toml", "common   = 60", "common   = 59", "common and specific must add up to 100, not 99"),
        ("fortress.toml", "day = 30, activities = 3", "day = 31, activities = 3", "terms 1, veto: day"),
        ("fortress.toml", "activities = 5", "activities = 2", "checkpoints must ascend"),
        ("fortress.toml", "activities = 6 }", "activities = 7 }", "no checkpoint can ask for more than the year"),
        ("fortress.toml", 'item = "F01"', 'item = "F02"', "F01 has no worked example"),
        ("fortress.toml", 'item = "F01"', 'item = "F99"', "common_cases name F99, which"),
        ("fortress.toml", 'id       = "support"', 'id       = "supports"', "the aspects must be leading_group, me"),
        ("fortress.toml", 'share = "2/9"', 'share = "2/0"', "a plain number is needed"),
        ("fortress_common.csv", ",4,value_true", ",5,value_true", "on 2000-01-01 the points add up to 61, not 60"),
        ("fortress_common.csv", "held_days,12,", "held_days,,", "line 3, F02: the formula held_days needs"),
        ("fortress_common.csv", "value_true,,", "value_true,1,", "line 2, F01: the formula value_true has no"),
        ("fortress_common.csv", ",branch_committee_meeting,", ",,", "line 3, F02: the formula held_days needs 1"),
        ("fortress_common.csv", "F02,", "F01,", "F01: stands twice, and the second row"),
        ("fortress_common.csv", "id,from", "id,form", "line 2, F01: from: Field required"),
        ("org_power_indicators.csv", "0.9999", "1", "line 9, C08: the example 1 is met"),
        ("org_power_indicators.csv", "true,3,monthly", "true,4,monthly", "political_leadership: 21 points, not 20"),
        ("org_power_indicators.csv", "C01,2000-01-01", "C01,2000-13-01", "line 2, C01: from: Input should"),
        ("negative_list.csv", ",-2,per case", ",2,per case", "line 2, N01: points: Input should be less than 0"),
        ("negative_list.csv", ",1,2\n", ",1,3\n", "line 2, N01: the example takes 2, not 3"),
        ("negative_list.csv", ",1,2\n", ",1\n", "line 2, N01: 13 cells are needed"),
        ("negative_list.csv", ",1,2\n", ",1,2,3\n", "line 2, N01: 13 cells are needed"),
    ],
)  # fmt: skip
def test_a_mistake_is_answered_in_words(alter: Alter, name: str, old: str, new: str, expected: str) -> None:
    told = mistakes(alter(name, old, new))
    assert any(expected in one and one.startswith(f"{name}: ") for one in told), told


def test_a_deduction_may_take_nothing_for_a_while(alter: Alter) -> None:
    terms = load(alter("pioneer.toml", "points = -2\n", "points = 0\n")).rule("PN1").terms_on(DAY)
    assert terms is not None
    assert terms.points == 0


def test_points_that_change_in_one_file_only_are_told_with_their_day(alter: Alter) -> None:
    directory = alter("fortress_common.csv", "id,from,", "id,from,")
    text = (directory / "fortress_common.csv").read_text(encoding="utf-8").rstrip("\n")
    first = text.splitlines()[1]
    assert first.startswith("F01,2000-01-01,")
    later = first.replace("2000-01-01", "2026-07-01", 1).replace(",4,value_true", ",5,value_true")
    (directory / "fortress_common.csv").write_text(f"{text}\n{later}\n", encoding="utf-8")
    assert mistakes(directory) == ("fortress_common.csv: on 2026-07-01 the points add up to 61, not 60",)


def test_a_place_is_told_without_the_marks_of_the_checker(alter: Alter) -> None:
    (told,) = mistakes(alter("fortress.toml", 'share = "2/9"', 'share = "2/0"'))
    assert re.fullmatch(
        r"fortress\.toml: common_cases \d+, share: a plain number is needed, such as 12 or 0\.85", told
    )


def test_every_wrong_row_is_told_also_one_without_an_id(alter: Alter) -> None:
    directory = alter("negative_list.csv", ",1,2\n", ",1\n")
    text = (directory / "negative_list.csv").read_text(encoding="utf-8").rstrip("\n")
    (directory / "negative_list.csv").write_text(f"{text},9\n,2000-01-01\n", encoding="utf-8")
    last = len(text.splitlines())
    assert mistakes(directory) == (
        "negative_list.csv: line 2, N01: 13 cells are needed",
        f"negative_list.csv: line {last}, N14: 13 cells are needed",
        f"negative_list.csv: line {last + 1}, no id: 13 cells are needed",
    )


def test_a_mark_at_the_beginning_and_windows_lines_change_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)
    for path in copy.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert [one.id for one in load(copy).common] == [one.id for one in CATALOGUE.common]


def test_terms_out_of_order_are_refused(alter: Alter) -> None:
    again = '[[rule.terms]]\nfrom = 2000-01-01\npoints = 4\ncap = 30\nstatus = "P"\nsource = "ours"\n\n'
    told = mistakes(alter("pioneer.toml", "[[rule.cases]]\n", f"{again}[[rule.cases]]\n"))
    assert told == ("pioneer.toml: rule 1: terms must stand in the order of their dates, each day once",)


def test_a_missing_file_and_one_that_is_no_text_are_told(tmp_path: Path) -> None:
    copy = tmp_path / "rules"
    shutil.copytree(RULES, copy)
    (copy / "fortress.toml").unlink()
    (copy / "negative_list.csv").write_bytes(b"\xff\xfe")
    (copy / "fortress_common.csv").write_text("", encoding="utf-8")
    assert mistakes(copy) == (
        "fortress.toml: is missing",
        "fortress_common.csv: has no rows",
        "negative_list.csv: is not UTF-8 text",
    )


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
