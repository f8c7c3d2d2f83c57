"""Answers to letters: deadline, quiz and survey as data, and what answers come to. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text, check_dates, in_force, share
from scoring.exact import Exact, FromList, fraction
from scoring.ranks import ranked


class DeadlineTerms(Block):
    """When those who have not answered are reminded, and when it goes up."""

    remind_hours_before: Annotated[int, Field(ge=1, le=240)]
    remind_from_minutes: Annotated[int, Field(ge=1)]
    committee_working_days: Annotated[int, Field(ge=1, le=20)]
    committee_hour: Annotated[int, Field(ge=0, le=23)]

    def remind_at(self, sent_at: datetime, until: datetime) -> datetime | None:
        """When to remind of a letter with this deadline; None when the time for answers is too short for it."""
        span = until - sent_at
        if span < timedelta(minutes=self.remind_from_minutes):
            return None
        return until - min(timedelta(hours=self.remind_hours_before), span / 2)


class QuizTerms(Block):
    """Who passes a quiz, and how few takers are too few to show a place."""

    points: Annotated[int, Field(ge=0, le=10)]
    pass_share: Exact
    takers_min: Annotated[int, Field(ge=2)]
    named_max: Annotated[int, Field(ge=1, le=20)]

    @model_validator(mode="after")
    def _relations(self) -> Self:
        share(fraction(self.pass_share))
        return self

    def passed(self, right: int, questions: int) -> bool:
        """Whether so many right answers earn the letter's points."""
        return Fraction(right, questions) >= fraction(self.pass_share)


class SurveyGrade(Named):
    """One answer of a survey, and whether it counts as satisfied."""

    good: bool


class SurveyTerms(Block):
    """The answers that a survey offers, its usual question, and how few answers are too few."""

    answers_min: Annotated[int, Field(ge=2)]
    open_days: Annotated[int, Field(ge=1, le=60)]
    grade: Annotated[tuple[SurveyGrade, ...], FromList, Field(min_length=2, max_length=7)]
    question: Annotated[tuple[Named, ...], FromList, Field(min_length=1, max_length=3)]

    def grade_at(self, number: int) -> SurveyGrade | None:
        """The grade that the number 1, 2, 3... picks; None for others."""
        return self.grade[number - 1] if 1 <= number <= len(self.grade) else None

    def good_share(self, votes: Mapping[str, int]) -> Fraction | None:
        """The share of the satisfied among `votes` (by grade), 0..1. None: too few to show anything."""
        count = sum(votes.values())
        if count < self.answers_min:
            return None
        return Fraction(sum(votes.get(grade.id, 0) for grade in self.grade if grade.good), count)

    def shown_groups(self, sizes: Mapping[int, int]) -> set[int]:
        """Groups (by how many answered) whose figures may be shown beside that of all.

        What is left when the shown ones are taken from all must be nothing or big enough, too: else it would tell
        what the few have said.
        """
        shown = sorted((key for key in sizes if sizes[key] >= self.answers_min), key=lambda key: (sizes[key], key))
        left = sum(sizes.values()) - sum(sizes[key] for key in shown)
        while shown and 0 < left < self.answers_min:
            left += sizes[shown.pop(0)]
        return set(shown)


class LetterAnswersTerms(Block):
    """Everything about answers from a day on."""

    starts: Annotated[date, Field(alias="from")]
    status: Status
    source: Text
    deadline: DeadlineTerms
    quiz: QuizTerms
    survey: SurveyTerms


class QuizCase(Block):
    """A worked example: so many right of so many."""

    say: Text
    right: Annotated[int, Field(ge=0)]
    questions: Annotated[int, Field(ge=1)]
    passed: bool


class SurveyCase(Block):
    """A worked example: votes per grade in order, and the share that is shown; None: nothing is."""

    say: Text
    votes: Annotated[tuple[int, ...], FromList]
    good_share: Exact | None = None


class GroupCase(Block):
    """A worked example: how many answered per branch, and which of them are shown."""

    say: Text
    sizes: Annotated[tuple[int, ...], FromList]
    shown: Annotated[tuple[bool, ...], FromList]


class LetterAnswersScheme(Block):
    """The file `letter_answers.toml`."""

    scheme: Named
    terms: Annotated[tuple[LetterAnswersTerms, ...], FromList]
    quiz_cases: Annotated[tuple[QuizCase, ...], FromList, Field(min_length=1)]
    survey_cases: Annotated[tuple[SurveyCase, ...], FromList, Field(min_length=1)]
    group_cases: Annotated[tuple[GroupCase, ...], FromList, Field(min_length=1)]

    def terms_on(self, day: date) -> LetterAnswersTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"answers to letters have no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        return self


@dataclass(frozen=True, slots=True)
class Group:
    """A region or field in a letter's quiz. right: right answers of all its takers together."""

    key: str
    takers: int
    right: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A group with its rank, 1 + how many are strictly better, and the share of right answers, 0..1."""

    key: str
    rank: int
    takers: int
    share: Fraction


def contest(terms: QuizTerms, groups: Sequence[Group], questions: int) -> list[Placed]:
    """The groups with enough takers, the best share of right answers first."""
    found = [group for group in groups if group.takers >= terms.takers_min]
    shares = [Fraction(group.right, group.takers * questions) for group in found]
    order = {value: place for place, value in enumerate(sorted(set(shares)))}
    ranks = ranked([order[value] for value in shares])
    placed = [
        Placed(group.key, rank, group.takers, value)
        for group, rank, value in zip(found, ranks, shares, strict=True)
    ]
    return sorted(placed, key=lambda one: (one.rank, one.key))
