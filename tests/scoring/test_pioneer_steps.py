"""What would move an index: the way to the next star, by events and their gain."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from scoring.exact import printed
from scoring.pioneer import Step, Total, pioneer, what_moves
from tests.scoring.member_years import ALWAYS, CATALOGUE, FULL_BASE, LAST_DAY, index

# ---- what would move it --------------------------------------------------------------------------------
OCTOBER = date(2026, 10, 5)


def test_the_way_to_the_next_star_names_events_and_their_gain() -> None:
    now = index(OCTOBER, PB1=(20, 10), PB2=(9, 9), PB3=(0, 20), PB4=(6, 1), PP1=(9, 3), PP2=(1, 1), PP4=(2, 1))
    assert printed(now.score) == "73.25"
    moves = what_moves(CATALOGUE, now, as_of=OCTOBER)
    assert moves is not None
    assert (moves.next_stars, moves.next_score, moves.missing, moves.reached) == (4, 8000, 675, True)
    assert moves.steps == (Step("PB1", 3, 600), Step("PB2", 1, 100))


def test_steps_are_no_more_than_are_needed() -> None:
    now = index(OCTOBER, PB1=(28, 14), PB2=(10, 10), PB3=(0, 32))
    assert printed(now.score) == "68.00"
    moves = what_moves(CATALOGUE, now, as_of=OCTOBER)
    assert moves is not None
    assert moves.steps == (Step("PB1", 1, 200),)


def test_a_rule_that_is_full_or_ruled_out_is_not_proposed() -> None:
    now = index(OCTOBER, PB1=(30, 15), PB2=(9, 9), PB3=(0, 16))
    moves = what_moves(CATALOGUE, now, as_of=OCTOBER, without=["PB2"])
    assert moves is not None
    assert [step.rule_id for step in moves.steps] == ["PP3", "PP1"]
    assert moves.reached


def test_what_cannot_be_reached_is_said() -> None:
    moves = what_moves(CATALOGUE, index(OCTOBER), as_of=OCTOBER)
    assert moves is not None
    assert (moves.next_stars, moves.missing, moves.reached) == (2, 4000, False)
    assert {step.rule_id for step in moves.steps} == {"PB1", "PB2", "PB3", "PP1", "PP2", "PP3"}


def test_nothing_moves_at_the_top_or_when_the_score_is_cleared() -> None:
    top = index(**FULL_BASE, PP1=(9, 3), PP4=(2, 1))
    assert what_moves(CATALOGUE, top, as_of=LAST_DAY) is None
    assert what_moves(CATALOGUE, index(PZ1=(0, 1)), as_of=LAST_DAY) is None


def test_in_rate_mode_one_more_attended_is_also_one_more_held() -> None:
    now = pioneer(
        CATALOGUE,
        as_of=OCTOBER,
        memberships=ALWAYS,
        totals={**{k: Total(*v) for k, v in FULL_BASE.items()}, "PB1": Total(2, 1)},
        duty_activities=2,
        mode="rate",
    )
    assert now is not None
    assert now.score == 6500
    moves = what_moves(CATALOGUE, now, as_of=OCTOBER)
    assert moves is not None
    # From 1 of 2 to 4 of 5: 30 x (4/5 - 1/2) = 9.
    assert moves.steps[0] == Step("PB1", 1, 500)
    assert moves.reached


def test_in_rate_mode_only_an_activity_of_the_branch_is_one_more_held() -> None:
    totals = {**{k: Total(*v) for k, v in FULL_BASE.items()}, "PB1": Total(4, 2), "PB2": Total(11, 11)}
    now = pioneer(CATALOGUE, as_of=OCTOBER, memberships=ALWAYS, totals=totals, duty_activities=2, mode="rate")
    assert now is not None
    assert (now.base, now.score) == (5900, 7900)
    moves = what_moves(CATALOGUE, now, as_of=OCTOBER)
    assert moves is not None
    assert (moves.steps, moves.reached) == ((Step("PB2", 1, 100),), True)


def test_a_rule_that_is_not_in_force_yet_is_not_proposed() -> None:
    scheme = CATALOGUE.pioneer
    later = tuple(
        rule.model_copy(update={"terms": (rule.terms[0].model_copy(update={"starts": date(2027, 1, 1)}),)})
        if rule.id == "PB1"
        else rule
        for rule in scheme.rule
    )
    catalogue = replace(CATALOGUE, pioneer=scheme.model_copy(update={"rule": later}))
    now = pioneer(catalogue, as_of=OCTOBER, memberships=ALWAYS, totals={})
    assert now is not None
    moves = what_moves(catalogue, now, as_of=OCTOBER)
    assert moves is not None
    assert [step.rule_id for step in moves.steps] == ["PB2", "PP3", "PP1", "PP2", "PB3"]
