"""What a mistake in the rule files is answered with."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from scoring.catalogue import RULES, load
from tests.scoring.conftest import Alter
from tests.scoring.rule_copies import CATALOGUE, DAY, mistakes

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
