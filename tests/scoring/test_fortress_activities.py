"""What counts as an activity of a branch, and how many it owes in a year."""

from __future__ import annotations

from datetime import date

import pytest

from scoring.fortress_facts import Activity, BranchFacts
from tests.scoring.branch_years import activity, judged

# ---- what counts as an activity --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (activity(date(2026, 3, 1)), 1),
        (activity(date(2026, 1, 1)), 1),
        (activity(date(2026, 12, 31)), 1),
        (activity(date(2025, 12, 31)), 0),
        (activity(date(2027, 1, 1)), 0),
        (activity(date(2026, 3, 1), came=5, should=10), 1),
        (activity(date(2026, 3, 1), came=4, should=9), 0),
        (activity(date(2026, 3, 1), came=0, should=0), 0),
        (activity(date(2026, 3, 1), came=3, should=0), 0),
        (activity(date(2026, 3, 1), "branch_committee_meeting"), 0),
        (activity(date(2026, 3, 1), "party_group_meeting;party_lecture"), 1),
        (activity(date(2026, 3, 1), "branch_committee_meeting", scope="region"), 1),
        (activity(date(2026, 3, 1), "something_else", scope="region"), 1),
        (activity(date(2026, 3, 1), "something_else"), 0),
    ],
)
def test_what_counts_towards_the_yearly_minimum(one: Activity, counts: int) -> None:
    assert judged(BranchFacts("soe", activities=[one])).activities == counts


def test_two_activities_on_one_day_count_once() -> None:
    same = [activity(date(2026, 3, 1)), activity(date(2026, 3, 1), "party_lecture")]
    assert judged(BranchFacts("soe", activities=same)).activities == 1


def test_activities_after_the_day_of_judgement_do_not_exist() -> None:
    facts = BranchFacts("soe", activities=[activity(date(2026, 6, 30)), activity(date(2026, 7, 1))])
    assert judged(facts, date(2026, 6, 30)).activities == 1
    assert judged(facts, date(2026, 7, 1)).activities == 2


@pytest.mark.parametrize(("held", "veto"), [(5, True), (6, False)])
def test_six_activities_are_enough_and_five_are_a_veto(held: int, veto: bool) -> None:
    activities = [activity(date(2026, month, 1)) for month in range(1, held + 1)]
    result = judged(BranchFacts("soe", activities=activities))
    assert (result.needed, result.veto) == (6, veto)


@pytest.mark.parametrize(
    ("founded_on", "needed"),
    [
        (None, 6),
        (date(2025, 12, 31), 6),
        (date(2026, 1, 31), 6),
        (date(2026, 2, 1), 6),
        (date(2026, 3, 1), 5),
        (date(2026, 11, 1), 1),
        (date(2026, 12, 31), 1),
    ],
)
def test_a_young_branch_owes_its_months(founded_on: date | None, needed: int) -> None:
    assert judged(BranchFacts("soe", founded_on=founded_on)).needed == needed


def test_a_branch_that_is_not_founded_yet_has_no_index() -> None:
    facts = BranchFacts("soe", founded_on=date(2026, 5, 2))
    with pytest.raises(ValueError, match=r"^the branch is not founded yet$"):
        judged(facts, date(2026, 5, 1))
    assert judged(facts, date(2026, 5, 2)).months == 8
