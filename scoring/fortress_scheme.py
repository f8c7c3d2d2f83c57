"""The shape of `fortress.toml`, the rules of the branches' index: one class per block."""

from __future__ import annotations

import itertools
from datetime import date
from fractions import Fraction
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from scoring.blocks import Bands, Block, Named, Status, Text, check_bands, check_dates, in_force, share
from scoring.exact import Exact, FromList

Share = Annotated[Exact, AfterValidator(share)]
Value = bool | Fraction | None
"""A collected value: a statement, a figure, or nothing."""


class Weights(Block):
    """How base and appraisal make the score, and three voices the appraisal."""

    base: Share
    appraisal: Share
    self_: Annotated[Share, Field(alias="self")]
    members_masses: Share
    superior: Share
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.base + self.appraisal != 1:
            raise ValueError("base and appraisal must add up to 1")
        if self.self_ + self.members_masses + self.superior != 1:
            raise ValueError("self, members_masses and superior must add up to 1")
        return self


class Parts(Block):
    """Points of the common and of the field-specific part."""

    common: Annotated[int, Field(ge=0)]
    specific: Annotated[int, Field(ge=0)]
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.common + self.specific != 100:
            raise ValueError(f"common and specific must add up to 100, not {self.common + self.specific}")
        return self


class Checkpoint(Block):
    """A day of the year on which fewer than `activities` is told to the secretary."""

    month: Annotated[int, Field(ge=1, le=12)]
    day: Annotated[int, Field(ge=1, le=31)]
    activities: Annotated[int, Field(gt=0)]


class Veto(Block):
    """What a branch must have held in a year to be rated at all."""

    activities_min: Annotated[int, Field(gt=0, le=366)]
    held_share: Share
    countable_kinds: Annotated[tuple[Text, ...], FromList, Field(min_length=1)]
    checkpoints: Annotated[tuple[Checkpoint, ...], FromList]
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        marks = [(one.month, one.day, one.activities) for one in self.checkpoints]
        if any(a[:2] >= b[:2] or a[2] > b[2] for a, b in itertools.pairwise(marks)):
            raise ValueError("checkpoints must ascend")
        if any(mark[2] > self.activities_min for mark in marks):
            raise ValueError("no checkpoint can ask for more than the year does")
        for one in self.checkpoints:
            date(2000, one.month, one.day)  # ValueError for 31 June
        return self


class Stars(Block):
    """Star bands and the share of a field that may have five."""

    bands: Bands
    five_star_share: Share
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_bands(self.bands)
        return self


class FortressTerms(Block):
    """Everything of the scheme from a day on."""

    starts: Annotated[date, Field(alias="from")]
    weights: Weights
    parts: Parts
    veto: Veto
    stars: Stars


class VetoCase(Block):
    """A worked example of the veto."""

    say: Text
    as_of: date
    founded_on: date | None = None
    activities: int
    needed: int
    veto: bool


class AppraisalCase(Block):
    """Three voices, 0..100 each."""

    self_: Annotated[Exact, Field(alias="self")]
    members_masses: Exact
    superior: Exact


class ScoreCase(Block):
    """A worked example of base and score, from the printed parts."""

    say: Text
    common: Exact
    specific: Exact
    deductions: Exact
    appraisal: AppraisalCase | None = None
    base: Exact
    score: Exact


class CommonCase(Block):
    """A worked example of the share that one common item earns."""

    item: Text
    say: Text
    share: Share
    months: Annotated[int, Field(ge=1, le=12)] = 12
    value: bool | Exact | None = None
    days: Annotated[tuple[int, ...], FromList] = ()  # held days of each of the item's kinds
    hours: Annotated[tuple[Exact, ...], FromList] = ()  # study hours of each member
    scores: Annotated[tuple[Exact, ...], FromList] = ()  # pioneer score of each member
    attended: int = 0
    should_attend: int = 0


class FortressScheme(Block):
    """The file `fortress.toml`."""

    scheme: Named
    terms: Annotated[tuple[FortressTerms, ...], FromList]
    aspect: Annotated[tuple[Named, ...], FromList]
    veto_cases: Annotated[tuple[VetoCase, ...], FromList, Field(min_length=1)]
    score_cases: Annotated[tuple[ScoreCase, ...], FromList, Field(min_length=1)]
    common_cases: Annotated[tuple[CommonCase, ...], FromList]

    def terms_on(self, day: date) -> FortressTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the fortress index has no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        return self
