"""The appraisal of a branch: questions and grades as data, and what the tallies come to. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text, check_dates, in_force
from scoring.exact import Exact, FromList, half_up

Tallies = Mapping[str, Mapping[str, int]]
"""Per question and grade how many gave it. Nothing here says who."""


class Grade(Named):
    """One answer that a question may get, and what it is worth, 0..100."""

    value: Annotated[int, Field(ge=0, le=100)]
    good: bool  # counts as excellent or good


class AppraisalTerms(Block):
    """Everything of the poll from a day on."""

    starts: Annotated[date, Field(alias="from")]
    answers_min: Annotated[int, Field(ge=2)]  # fewer: no figure is shown or kept
    open_days: Annotated[int, Field(ge=1, le=60)]
    remind_before_days: Annotated[int, Field(ge=0)]
    good_item: Text  # the common item that the share of good answers is a value of
    good_question: Text
    grade: Annotated[tuple[Grade, ...], FromList, Field(min_length=2, max_length=7)]
    question: Annotated[tuple[Named, ...], FromList, Field(min_length=1, max_length=9)]
    status: Status
    source: Text

    def grade_at(self, number: int) -> Grade | None:
        """The grade that the number 1, 2, 3... picks; None for others."""
        return self.grade[number - 1] if 1 <= number <= len(self.grade) else None

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.good_question not in {one.id for one in self.question}:
            raise ValueError(f"there is no question {self.good_question}")
        for named in (self.grade, self.question):
            if len({one.id for one in named}) != len(named):
                raise ValueError("an id stands twice")
        if any(later.value >= earlier.value for earlier, later in zip(self.grade, self.grade[1:], strict=False)):
            raise ValueError("grades must stand from the best to the worst")
        return self


class AppraisalCase(Block):
    """A worked example: every question with its answers per grade, and what comes out; None: too few."""

    say: Text
    answers: Annotated[tuple[Annotated[tuple[int, ...], FromList], ...], FromList]
    figure: Exact | None = None
    good_share: Exact | None = None


class AppraisalScheme(Block):
    """The file `appraisal_poll.toml`."""

    scheme: Named
    terms: Annotated[tuple[AppraisalTerms, ...], FromList]
    cases: Annotated[tuple[AppraisalCase, ...], FromList, Field(min_length=1)]

    def terms_on(self, day: date) -> AppraisalTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the appraisal has no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        return self


def enough(terms: AppraisalTerms, tallies: Tallies) -> bool:
    """Whether every question has the answers that a figure needs: with fewer, one could guess who said what."""
    return all(sum(tallies.get(one.id, {}).values()) >= terms.answers_min for one in terms.question)


def members_masses(terms: AppraisalTerms, tallies: Tallies) -> int | None:
    """The voice of members and masses in hundredths: the mean over the questions of their means. None: too few."""
    if not enough(terms, tallies):
        return None
    means = []
    for question in terms.question:
        counts = tallies[question.id]
        worth = sum(counts.get(grade.id, 0) * grade.value for grade in terms.grade)
        means.append(Fraction(worth, sum(counts.values())))
    return half_up(sum(means, Fraction(0)) / len(means))


def good_share(terms: AppraisalTerms, tallies: Tallies) -> Fraction | None:
    """The share of good answers to the question about the committee, 0..1. None: too few answers."""
    if not enough(terms, tallies):
        return None
    counts = tallies[terms.good_question]
    good = sum(counts.get(grade.id, 0) for grade in terms.grade if grade.good)
    return Fraction(good, sum(counts.values()))


def written_share(share: Fraction) -> str:
    """The share as a value is stored: six decimals, cut: no threshold is met by rounding."""
    millionths = share.numerator * 1_000_000 // share.denominator
    return f"{millionths // 1_000_000}.{millionths % 1_000_000:06d}"
