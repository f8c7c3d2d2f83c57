"""How every rule gets its facts: complete, fitting to the rules, and every mistake told."""

from __future__ import annotations

import shutil

import pytest

from handlers.picking import listed, numbers_of, picked
from handlers.spoken_hours import said_hours, spoken_half_hours
from scoring.booking import worth
from scoring.catalogue import RULES, load, shipped
from scoring.record_rules import record_rules
from scoring.rule_files import RulesError
from tests.cast import DAY


def test_every_rule_says_how_it_gets_its_facts():
    assert {one.rule for one in record_rules().record} == {rule.id for rule in shipped().pioneer.rule}


def test_whoever_is_heard_is_not_confirmed_by_those_who_propose_alone():
    for one in record_rules().record:
        if one.rule.startswith(("PN", "PZ")) and one.fed_by == "proposal":
            assert one.hearing_days == 5
            assert len(set(one.confirms) - {"secretary"}) == 2


@pytest.mark.parametrize(
    ("old", "new", "mistake"),
    [
        ('rule   = "PB1"', 'rule   = "PB9"', "nobody says how PB1 gets its facts"),
        ('rule   = "PP1"', 'rule   = "PB1"', "PB1 stands twice"),
        (
            'id       = "slight"',
            'id       = "mild"',
            "the choices of PN6 must be its grades: marked, serious, slight",
        ),
        ('confirms    = ["secretary", "committee_reviewer"]', "", "by and confirms belong to what is proposed"),
        ("late_days   = [5, 20]", "late_days   = [5, 31]", "late_days"),
    ],
)
def test_a_mistake_is_told(tmp_path, old, new, mistake):
    text = (RULES / "records.toml").read_text(encoding="utf-8")
    assert old in text
    directory = shutil.copytree(RULES, tmp_path / "rules")
    (directory / "records.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RulesError, match=mistake):
        load(directory)


def test_what_an_event_is_worth():
    assert worth("PP5", DAY, "city").points == 5
    assert [worth("PP2", DAY, "", hundredths).points for hundredths in (50, 100, 150, 200, 250, 900)] == [
        0,
        1,
        1,
        2,
        2,
        2,
    ]
    assert worth("PN6", DAY, "serious").points == -10
    assert worth("PZ1", DAY, "cult").points == 0
    with pytest.raises(LookupError):
        worth("PP5", DAY, "galaxy")


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("1", [0]),
        ("1 3 5-8", [0, 2, 4, 5, 6, 7]),
        ("１，３；５至７", [0, 2, 4, 5, 6]),
        ("8-10", [7, 8]),  # nobody has number 9: it means back
        ("全部", list(range(10))),
        ("1 1 1", [0]),
        ("11", [9]),
        ("9", None),
        ("12", None),
        ("0", None),
        ("5-3", None),
        ("1 x", None),
        ("", None),
        ("艾丽丝", None),
        ("13-14", None),
    ],
)
def test_numbers_pick_people(text, places):
    assert numbers_of(10) == [1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert picked(text, 10) == places


def test_nobody_can_be_picked_from_nobody():
    assert picked("全部", 0) is None
    assert picked("1", 0) is None
    assert listed([]) == ""


@pytest.mark.parametrize(
    ("text", "halves"),
    [
        ("2", 4),
        ("1.5", 3),
        ("1.0", 2),
        ("2小时", 4),
        ("1小时半", 3),
        ("半小时", 1),
        ("3h", 3),
        ("1.3", None),
        ("一会儿", None),
    ],
)
def test_hours_are_understood_to_the_half(text, halves):
    assert spoken_half_hours(text) == halves


def test_hours_are_said_without_a_tail():
    assert [said_hours(hundredths) for hundredths in (200, 150, 50)] == ["2", "1.5", "0.5"]
