"""The list of rules that an operator reads."""

from __future__ import annotations

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
