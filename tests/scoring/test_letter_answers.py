"""The worked examples of `letter_answers.toml`, and the places of groups in a letter's quiz."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from scoring.catalogue import shipped
from scoring.exact import fraction
from scoring.letter_answers import Group, contest
from tests.cast import NOON

SCHEME = shipped().ratings.letter_answers
TERMS = SCHEME.terms_on(date(2026, 6, 15))


def test_the_worked_examples():
    assert [
        case.say for case in SCHEME.quiz_cases if TERMS.quiz.passed(case.right, case.questions) != case.passed
    ] == []
    ids = [grade.id for grade in TERMS.survey.grade]
    for case in SCHEME.survey_cases:
        expected = fraction(case.good_share) if case.good_share is not None else None
        assert TERMS.survey.good_share(dict(zip(ids, case.votes, strict=True))) == expected, case.say
    for group in SCHEME.group_cases:
        shown = TERMS.survey.shown_groups(dict(enumerate(group.sizes)))
        assert [place in shown for place in range(len(group.sizes))] == list(group.shown), group.say
    with pytest.raises(LookupError):
        SCHEME.terms_on(date(1999, 12, 31))


def test_groups_are_placed_by_their_share_and_equals_share_a_rank():
    groups = [Group("a", 5, 9), Group("b", 10, 18), Group("c", 4, 8), Group("d", 5, 10)]
    found = contest(TERMS.quiz, groups, questions=2)
    assert [(one.key, one.rank, one.share) for one in found] == [
        ("d", 1, Fraction(1)),
        ("a", 2, Fraction(9, 10)),
        ("b", 2, Fraction(9, 10)),
    ]


@pytest.mark.parametrize(
    ("span_minutes", "before_minutes"),
    [(59, None), (60, 30), (360, 180), (47 * 60, 47 * 30), (48 * 60, 24 * 60), (30 * 24 * 60, 24 * 60)],
)
def test_a_reminder_comes_a_day_before_or_in_the_middle(span_minutes, before_minutes):
    until = NOON + timedelta(minutes=span_minutes)
    expected = until - timedelta(minutes=before_minutes) if before_minutes else None
    assert TERMS.deadline.remind_at(NOON, until) == expected
