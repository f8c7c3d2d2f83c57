"""The list of rules that an operator reads."""

from __future__ import annotations

import re
import shutil
from datetime import date

import pytest

from scoring.catalogue import RULES, load, shipped
from scoring.listing import cut, lines, table, width

DAY = date(2026, 6, 15)


def listed(catalogue, day=DAY) -> list[str]:
    return list(lines(catalogue, day))


def of_section(told: list[str], title: str) -> list[str]:
    """The lines under a heading, with the table's head."""
    start = next(place for place, line in enumerate(told) if line.startswith(title))
    end = next((place for place in range(start, len(told)) if not told[place]), len(told))
    return told[start + 1 : end]


@pytest.fixture
def changed(tmp_path):
    """`changed("pioneer.toml", old, new)`: the shipped rules with one text replaced."""
    folder = tmp_path / "rules"
    shutil.copytree(RULES, folder)

    def change(name: str, old: str, new: str):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return load(folder)

    return change


def test_every_rule_in_force_stands_once_with_points_cap_origin_and_source():
    told = listed(shipped())
    own = [line for line in told if line.split()[:1] == ["PB1"]]
    assert len(own) == 1
    assert "参加本支部活动" in own[0]
    assert "  2, 30 a year" in own[0]
    assert "2000-01-01  S       Zhangjiagang red-fort article" in own[0]
    ids = [rule.id for rule in shipped().pioneer.rule]
    ids += [row.id for rows in (shipped().common, shipped().indicators, shipped().negatives) for row in rows]
    before, _, _ = "\n".join(told).partition("still our own proposal")
    firsts = [line.split()[0] for line in before.splitlines() if line.startswith("  ")]
    assert {one: firsts.count(one) for one in ids} == dict.fromkeys(ids, 1)


def test_a_rule_says_its_grades_caps_and_hours():
    told = "\n".join(listed(shipped()))
    assert "excellent 8 qualified 6 basically_qualified 3 unqualified 0, 8 a year" in told
    assert "1, 2 an event, 6 a year" in told
    assert "0, full at 32 h, 10 a year" in told
    assert "3, full at 0.85" in told
    assert "0.7 base + 0.3 appraisal (self 0.1, members and masses 0.7)" in told


def test_the_proposals_come_last_and_are_all_that_has_status_p():
    told = listed(shipped())
    heading = next(place for place, line in enumerate(told) if line.startswith("still our own proposal"))
    proposals = of_section(told, "still our own proposal")
    marked = [line.split()[0] for line in told[:heading] if "  P       " in line]
    assert [line.split()[0] for line in proposals[1:]] == marked
    assert told[heading].endswith(f": {len(marked)}")
    assert [line.split()[0] for line in proposals[1:4]] == ["pioneer_v1", "PB2", "PP3"]


def test_new_terms_are_announced_and_then_replace_the_old_ones(changed):
    later = (
        '[[rule.terms]]\nfrom = 2027-01-01\npoints = 4\ncap = 30\nstatus = "P"\nsource = "ours"\n\n[[rule.cases]]'
    )
    catalogue = changed("pioneer.toml", "[[rule.cases]]", later)
    told = listed(catalogue)
    assert "2, 30 a year" in next(line for line in of_section(told, "pioneer index") if "PB1 " in line)
    assert [line.split()[0] for line in of_section(told, "begins later: 1")] == ["id", "PB1"]
    assert sum("PB1 " in line for line in of_section(told, "still our own proposal")) == 1
    after = listed(catalogue, date(2027, 1, 1))
    assert "4, 30 a year" in next(line for line in of_section(after, "pioneer index") if "PB1 " in line)
    assert not any(line.startswith("begins later") for line in after)


def test_a_day_before_the_first_terms_has_nothing_in_force():
    told = listed(shipped(), date(1999, 12, 31))
    assert told[0] == "in force on 1999-12-31: 0"
    assert told[2].startswith("begins later: 159")


def test_columns_stand_under_each_other_though_chinese_is_wider():
    told = [line for line in of_section(listed(shipped()), "pioneer index") if "  2000-01-01  " in line]
    assert len({width(line.partition("  2000-01-01  ")[0]) for line in told}) == 1


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("党费", 4, "党费"),
        ("党费好", 5, "党费…"),
        ("党费好", 4, "党…"),
        ("", 3, ""),
    ],
)
def test_a_long_title_is_cut_by_the_columns_that_it_takes(text, most, expected):
    assert cut(text, most) == expected


def test_no_rows_make_no_table():
    assert list(table([])) == []


def columns(told: list[str], which: str) -> list[str]:
    """The cells of the row with this id."""
    row = next(line for line in told if line.split()[:1] == [which])
    return re.split("  +", row.strip())


def test_every_section_has_its_heading_and_they_follow_each_other():
    told = listed(shipped())
    headings = [told[place + 1] for place, line in enumerate(told[:-1]) if not line]
    fields = ["all", "admin_village", "urban_community", "gov_institution", "two_new", "soe"]
    assert headings[:-2] == [
        "pioneer index",
        "fortress index",
        "fortress index, common items",
        "organisational power index",
        *(f"indicators, {field}" for field in fields),
        "negative list",
        "appraisal",
        "year close",
        "six stars",
        *(f"standards, {field}" for field in fields),
    ]
    assert headings[-2].startswith("still our own proposal (status P), to be decided by you: ")
    assert headings[-1] == (
        "status: S stated in an article, F published (F* in part), G to be verified locally, P our proposal"
    )


@pytest.mark.parametrize(
    ("which", "title", "worth", "status"),
    [
        ("pioneer_v1", "先锋指数", "base 60 + positive 20 + conduct 20; stars from 90/80/70/60", "P"),
        ("PN4", "组织生活、学习弄虚作假", "-10", "S"),
        ("fortress_v1.weights", "堡垒指数", "0.7 base + 0.3 appraisal (self 0.1, members and masses 0.7)", "F"),
        ("fortress_v1.parts", "堡垒指数", "common 60 + specific 40", "F*"),
        ("fortress_v1.veto", "堡垒指数", "below 6 activities a year, held from 0.5", "S"),
        ("fortress_v1.stars", "堡垒指数", "stars from 90/80/70/60; five stars for 0.3", "F"),
        ("F01", "班子健全、分工明确", "4", "P"),
        ("F02", "支委会全年不少于12次", "4, full at 12", "P"),
        ("org_power_v1.index", "组织力指数", "20 a dimension, the negative list at most 30", "F*"),
        ("org_power_v1.pool", "组织力指数", "from below: yellow 0.1, red 0.05 in 3 months", "S"),
        (
            "org_power_v1.deadlines",
            "组织力指数",
            "declare by 5, committee by 10, locked on 15; spot check 0.1",
            "P",
        ),
        ("org_power_v1.board", "组织力指数", "the best 10, without red", "P"),
        ("SE01", "“三重一大”前置研究讨论执行率", "4, >= 1.00, quarterly", "F"),
        ("N01", "牌子乱象未按规定清理规范", "-2 per case", "S"),
        ("appraisal_v1", "党支部测评", "excellent 100 good 85 fair 70 poor 50; a figure from 5 answers", "P"),
        ("year_close_v1", "年度定星", "5 working days to object", "P"),
        ("accident", "重大责任事故", "no stars", "P"),
        ("venue_star", "阵地保障", "lit from 80: item:F15 40 item:F16 20 indicator:C16 20 standards 20", "P"),
    ],
)
def test_what_a_rule_is_worth_is_said_in_one_line(which: str, title: str, worth: str, status: str):
    assert columns(listed(shipped()), which)[1:5] == [title, worth, "2000-01-01", status]


def test_a_standard_says_whether_a_branch_can_do_without_it():
    told = listed(shipped())
    for one in shipped().ratings.standards:
        assert columns(told, one.id)[2] == ("mandatory" if one.mandatory else "recommended")


def test_figures_are_written_as_people_write_them(changed):
    changed("fortress_common.csv", "held_days,12,", "held_days,10,")
    changed("org_power.toml", 'left_out     = ["red"]', "left_out     = []")
    told = listed(changed("fortress.toml", "five_star_share = 0.3", 'five_star_share = "1/3"'))
    assert columns(told, "F02")[2] == "4, full at 10"
    assert columns(told, "fortress_v1.stars")[2].endswith("; five stars for 1/3")
    assert columns(told, "org_power_v1.board")[2] == "the best 10, without nobody"
    told = listed(changed("org_power.toml", "left_out     = []", 'left_out     = ["red", "yellow"]'))
    assert columns(told, "org_power_v1.board")[2] == "the best 10, without red, yellow"


def test_what_begins_later_stands_under_a_heading_of_its_own(changed):
    row = "\nN14,2027-01-01,all,督查问题整改逾期,Correction overdue,-3,per item,dept,monthly,P,ours,1,3\n"
    text = (RULES / "negative_list.csv").read_text(encoding="utf-8").rstrip("\n")
    told = listed(changed("negative_list.csv", text, text + row.rstrip("\n")))
    place = next(place for place, line in enumerate(told) if line == "begins later: 1")
    assert told[place - 1] == ""
    assert columns(told[place:], "N14")[2:4] == ["-3 per item", "2027-01-01"]
