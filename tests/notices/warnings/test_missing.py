"""What is missing on which day: pure arithmetic."""

from __future__ import annotations

from datetime import date

import pytest

from notices.troubles import Branch, troubles
from scoring.catalogue import shipped
from tests.notices.warnings.branch import (
    ASSEMBLY,
    COMMITTEE,
    DAY,
    LECTURE,
    THEME,
    fact,
    kinds,
    veto_on,
)


@pytest.mark.parametrize(
    ("day", "enough"),
    [(date(2026, 6, 30), 3), (date(2026, 9, 30), 5), (date(2026, 12, 1), 6), (date(2026, 12, 31), 6)],
)
def test_a_checkpoint_warns_with_one_too_few(day, enough):
    assert veto_on(day, enough) is None
    assert veto_on(day, enough - 1) is not None


def test_between_the_checkpoints_an_even_pace_with_one_to_spare_is_enough():
    assert veto_on(date(2026, 3, 31), 0) is None  # the first three months say nothing
    assert veto_on(date(2026, 4, 1), 0) is not None
    assert veto_on(date(2026, 4, 1), 1) is None
    assert veto_on(date(2026, 6, 29), 2) is None  # floor(6 x 180 / 365)
    assert veto_on(date(2026, 6, 29), 1) is not None


def test_the_proof_holds_the_figures_of_the_sentence():
    assert veto_on(date(2026, 10, 5), 4) == {
        "activities": 4,
        "needed": 6,
        "missing": 2,
        "expected": 5,
        "due": 5,
        "last": "2026-12-31",
    }


def test_a_young_branch_owes_its_share():
    founded = date(2026, 7, 1)  # needs 3
    assert veto_on(date(2026, 12, 1), 3, founded) is None
    assert veto_on(date(2026, 12, 1), 2, founded)["needed"] == 3
    assert veto_on(date(2026, 9, 20), 0, founded) is None  # too young to have a pace


def test_six_are_enough_however_early():
    assert veto_on(date(2026, 12, 31), 6) is None


def test_only_distinct_days_that_half_came_to_count():
    day = date(2026, 3, 3)
    found = troubles(
        shipped(),
        Branch(
            activities=[fact(day), fact(day, LECTURE), fact(day + DAY, attended=9), fact(day + 2 * DAY, COMMITTEE)]
        ),
        date(2026, 6, 30),
    )
    assert found[0].proof["activities"] == 1


def test_a_theme_day_is_missed_from_the_25th_of_its_month_on():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    assert kinds(date(2026, 5, 24), *enough) == set()
    assert kinds(date(2026, 5, 25), *enough) == {"overdue_theme_day"}
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 5, 2))) == set()
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 4, 30))) == {"overdue_theme_day"}
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 5, 2), attended=9)) == {"overdue_theme_day"}


def test_what_is_arranged_within_the_period_raises_no_warning():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    planned = [(date(2026, 5, 31), frozenset({THEME}))]
    assert kinds(date(2026, 5, 25), *enough, planned=planned) == set()
    later = [(date(2026, 6, 1), frozenset({THEME}))]
    assert kinds(date(2026, 5, 25), *enough, planned=later) == {"overdue_theme_day"}


def test_assembly_and_lecture_are_missed_five_days_before_the_quarter_ends():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    assert kinds(date(2026, 6, 24), *enough) == set()
    assert kinds(date(2026, 6, 25), *enough, fact(date(2026, 6, 1))) == {"overdue_assembly", "overdue_lecture"}
    held = [fact(date(2026, 4, 1), ASSEMBLY), fact(date(2026, 6, 25), LECTURE), fact(date(2026, 6, 1))]
    assert kinds(date(2026, 6, 25), *enough, *held) == set()


def test_a_committee_is_owed_only_by_branches_that_have_one():
    facts = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)] + [fact(date(2026, 5, 2))]
    assert kinds(date(2026, 5, 25), *facts, full_members=6) == set()
    assert kinds(date(2026, 5, 25), *facts, full_members=7) == {"overdue_committee"}


def test_a_branch_owes_nothing_for_a_period_in_which_it_was_founded():
    assert kinds(date(2026, 5, 25), founded_on=date(2026, 5, 2)) == set()
    assert kinds(date(2026, 5, 25), founded_on=date(2026, 5, 1)) == {"overdue_theme_day"}
