"""What follows from what was seen: every worked example of the rule file, and whether the file tells of everything."""

from __future__ import annotations

from datetime import date
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


ASSEMBLY = next(one for one in RULES.posted.meetings if one.kind == "member_assembly")
PARTY_DAY = next(one for one in RULES.posted.meetings if one.kind == "theme_party_day")


@pytest.mark.parametrize(
    ("say", "meeting", "held", "last", "founded_on", "missed"),
    [
        ("the first day of the quarter serves it", ASSEMBLY, [date(2026, 4, 1)], date(2026, 6, 30), None, False),
        ("founded on the first day: a whole period", PARTY_DAY, [], date(2026, 3, 31), date(2026, 3, 1), True),
        ("a day late: not whole", PARTY_DAY, [], date(2026, 3, 31), date(2026, 3, 2), False),
        (
            "December went without, and 10 January made up for it: January owes",
            PARTY_DAY,
            [date(2025, 11, 5), date(2026, 1, 10)],
            date(2026, 1, 31),
            None,
            True,
        ),
        (
            "the record began on the last day of December: January is served by its own",
            PARTY_DAY,
            [date(2025, 12, 31), date(2026, 1, 10)],
            date(2026, 1, 31),
            None,
            False,
        ),
        (
            "the record began in January: nothing was owed for December",
            PARTY_DAY,
            [date(2026, 1, 10)],
            date(2026, 1, 31),
            None,
            False,
        ),
    ],
)
def test_a_held_day_serves_one_period_its_own_or_the_one_before(say, meeting, held, last, founded_on, missed):
    found = missed_meetings(RULES.posted, {meeting.kind: set(held)}, Seen(full_members=7), last, founded_on)
    assert (meeting in found) is missed, say


def by_formula(formula: str):
    return next(block for block in RULES.observed if block.formula == formula)


@pytest.mark.parametrize(
    ("seen", "value"),
    [
        (Seen(secretary=False, full_members=6), "false"),
        (Seen(secretary=True, full_members=6), "true"),
        (Seen(secretary=True, full_members=7), None),
        *((Seen(secretary=True, full_members=7, committee=n), v) for n, v in ((2, "false"), (3, "true"))),
        *((Seen(secretary=True, full_members=7, committee=n), v) for n, v in ((5, "true"), (6, "false"))),
    ],
)
def test_a_committee_is_complete_from_its_least_to_its_most(seen, value):
    assert value_of(by_formula("committee_complete"), seen, date(2026, 3, 31)) == value


@pytest.mark.parametrize(("month", "quarters"), [(1, 1), (3, 1), (4, 2), (6, 2), (7, 3), (9, 3), (10, 4), (12, 4)])
def test_the_hours_to_study_grow_by_the_quarter(month, quarters):
    block = by_formula("study_ratio")
    seen = Seen(heads=2, study_hundredths=2 * 100 * block.numbers["hours_a_quarter"])
    assert value_of(block, seen, date(2026, month, 28)) == written(Fraction(1, quarters))


@pytest.mark.parametrize("hundredths", [0, -1, -500])
def test_study_that_was_taken_back_is_no_study(hundredths):
    assert (
        value_of(by_formula("study_ratio"), Seen(heads=1, study_hundredths=hundredths), date(2026, 3, 31)) == "0"
    )


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
