"""The shape of `observed.toml`: which values the service sees by itself, and who hands in the others."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Status, Text
from scoring.exact import FromList
from scoring.rule_files import RulesError, read_scheme

RULES, FILE = Path(__file__).parent / "rules", "observed.toml"

Formula = Literal[
    "committee_complete",
    "term_overdue_days",
    "study_ratio",
    "wishes_on_time",
    "volunteer_times",
    "community_times",
    "dues_rate",
    "dues_months",
    "mobile_contacts",
]
By = Literal["department"]
Ids = Annotated[tuple[Text, ...], FromList]


class Case(Block):
    """A worked example: facts of one branch at the end of a period, and the value that follows from them.

    facts: fields of `scoring.observed.Seen`; the others are as they are for a branch that did nothing.
    value: as it is stored; absent when the service cannot know.
    """

    say: Text
    facts: dict[str, Any]
    last: date
    value: str | None = None


class Observed(Block):
    """Indicators and value items with one formula. unknown: who hands the value in where a fact is missing.

    numbers: what the formula needs beside the facts.
    """

    ids: Ids
    formula: Formula
    numbers: dict[str, int] = Field(default_factory=dict)
    say: Text
    say_en: Text
    unknown: By | None = None
    status: Status
    source: Text
    cases: Annotated[tuple[Case, ...], FromList]

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if not self.ids or not self.cases:
            raise ValueError("ids and at least one of cases are needed")
        return self


class HandedIn(Block):
    """Indicators and value items of which the service sees nothing. why: for people."""

    ids: Ids
    by: By
    why: Text
    why_en: Text


class Meeting(Block):
    """A kind of meeting that belongs into every period. full_members: only from so many on."""

    kind: Text
    period: Literal["monthly", "quarterly"]
    full_members: int = 0


class MeetingCase(Block):
    """A worked example: days on which the kind was held; how often it is missed in the period that ends last."""

    say: Text
    kind: Text
    held: Annotated[tuple[date, ...], FromList]
    last: date
    founded_on: date | None = None
    missed: int


class Posted(Block):
    """Items of the negative list that the service posts by itself: overdue terms, and meetings that are missed.

    make_up_days: days after the period in which a missed meeting may still be held.
    """

    term_item: Text
    meeting_item: Text
    make_up_days: Annotated[int, Field(ge=0, le=27)]
    meetings: Annotated[tuple[Meeting, ...], FromList]
    status: Status
    source: Text
    cases: Annotated[tuple[MeetingCase, ...], FromList]


class ObservedScheme(Block):
    """Everything in the file."""

    observed: Annotated[tuple[Observed, ...], FromList]
    handed_in: Annotated[tuple[HandedIn, ...], FromList]
    posted: Posted

    @model_validator(mode="after")
    def _relations(self) -> Self:
        ids = [one for block in self.observed for one in block.ids]
        ids += [one for other in self.handed_in for one in other.ids]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice")
        return self

    def of(self, value_id: str) -> Observed | None:
        """How the service sees this value; None when it does not."""
        return next((block for block in self.observed if value_id in block.ids), None)

    def by_department(self, value_id: str) -> bool:
        """Whether a department may hand this value in, at least where the service does not know it."""
        block = self.of(value_id)
        if block is not None:
            return block.unknown == "department"
        return any(value_id in one.ids and one.by == "department" for one in self.handed_in)


@cache
def shipped_observed() -> ObservedScheme:
    """The file that comes with the service. Raises RulesError."""
    mistakes: list[str] = []
    found = read_scheme(ObservedScheme, RULES, FILE, mistakes)
    if found is None:
        raise RulesError(mistakes)
    return found
