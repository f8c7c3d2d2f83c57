"""What follows from what was seen: every worked example of the rule file, and whether the file tells of everything."""

from __future__ import annotations

from fractions import Fraction

import pytest

from scoring.catalogue import shipped
from scoring.observed import Seen, missed_meetings, seen_from, value_of, written
from scoring.observed_scheme import ObservedScheme, shipped_observed

RULES = shipped_observed()
CASES = [(block, case) for block in RULES.observed for case in block.cases]


@pytest.mark.parametrize(("block", "case"), CASES, ids=[f"{block.ids[0]}: {case.say}" for block, case in CASES])
def test_every_worked_example_of_a_value_holds(block, case):
    assert value_of(block, seen_from(case.facts), case.last) == case.value


@pytest.mark.parametrize("case", RULES.posted.cases, ids=lambda case: case.say)
def test_every_worked_example_of_a_missed_meeting_holds(case):
    held = {case.kind: set(case.held)}
    missed = missed_meetings(RULES.posted, held, Seen(full_members=3), case.last, case.founded_on)
    assert sum(one.kind == case.kind for one in missed) == case.missed


def test_a_small_branch_owes_no_committee_meeting():
    last = RULES.posted.cases[0].last
    for full_members, owed in ((6, False), (7, True)):
        missed = missed_meetings(RULES.posted, {}, Seen(full_members=full_members), last)
        assert any(one.kind == "branch_committee_meeting" for one in missed) is owed


def test_the_file_tells_of_every_value_that_no_person_is_asked_for():
    catalogue = shipped()
    told = {one for block in (*RULES.observed, *RULES.handed_in) for one in block.ids}
    auto = {row.id for row in catalogue.indicators if row.collect == "auto"}
    items = {item.id for item in catalogue.common if item.collected}
    assert told == auto | items
    posted = {RULES.posted.term_item, RULES.posted.meeting_item}
    assert posted == {row.id for row in catalogue.negatives if row.collect == "auto"}


def test_what_is_seen_is_handed_in_by_nobody_unless_a_fact_may_be_missing():
    assert [RULES.by_department(one) for one in ("C15", "C07", "AV01", "C02")] == [False, True, True, False]


def test_a_ratio_is_written_exactly_or_rounded_down():
    shares = (
        Fraction(1),
        Fraction(19, 20),
        Fraction(2, 3),
        Fraction(99_999, 100_000),
        Fraction(5, 2),
        Fraction(0),
    )
    assert [written(one) for one in shares] == ["1", "0.95", "0.6666", "0.9999", "2.5", "0"]


def test_a_value_that_stands_twice_in_the_file_is_a_mistake():
    twice = RULES.model_dump()
    twice["handed_in"] += ({**twice["handed_in"][0], "ids": ("C15",)},)
    with pytest.raises(ValueError, match="C15 stands twice"):
        ObservedScheme.model_validate(twice)


def test_a_misspelt_fact_is_a_mistake():
    with pytest.raises(ValueError, match="haeds"):
        seen_from({"haeds": 3})
