"""What to do about a weak point: advice as data, one for every indicator and item, checked against the lists."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text
from scoring.exact import FromList
from scoring.items import Period
from scoring.periods import periods_of

FILE = "suggestions.toml"
Ask = Literal["branch", "committee", "department"]
By = Literal["now", "period", "year"]
Next = Literal[
    "activity", "declare", "dues", "study", "wishes", "letters", "appraisal", "rectify", "records", "none"
]


class Suggestion(Block):
    """One piece of advice. next: the step in the chat that begins it."""

    id: Text
    do: Annotated[str, Field(min_length=4, max_length=40)]
    do_en: Annotated[str, Field(min_length=4, max_length=120)]
    ask: Ask
    by: By
    next: Next

    def do_in(self, language: str) -> str:
        """What to do, in `zh` or `en`."""
        return self.do_en if language == "en" else self.do

    def until(self, kind: Period, today: date) -> date:
        """The last day on which it helps: of today's period of this kind, of the year; today for `now`."""
        if self.by == "now":
            return today
        spans = periods_of("yearly" if self.by == "year" else kind, today.year)
        return next(one.last for one in spans if one.last >= today)


class Suggestions(Block):
    """The file `suggestions.toml`."""

    status: Status
    source: Text
    ask: Annotated[tuple[Named, ...], FromList]
    suggestion: Annotated[tuple[Suggestion, ...], FromList]

    @cached_property
    def by_id(self) -> dict[str, Suggestion]:
        """Each advice by the id of what it is about."""
        return {one.id: one for one in self.suggestion}

    def whom(self, ask: Ask) -> Named:
        """Who can help."""
        return next(one for one in self.ask if one.id == ask)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if len(self.by_id) != len(self.suggestion):
            raise ValueError("an id stands twice")
        missing = {one.ask for one in self.suggestion} - {one.id for one in self.ask}
        if missing:
            raise ValueError(f"{', '.join(sorted(missing))} must be named under ask")
        return self


def mismatches(suggestions: Suggestions, known: Collection[str]) -> Iterator[str]:
    """What lacks an advice, and what is advised about and not in the lists."""
    advised = set(suggestions.by_id)
    yield from (f"{FILE}: {one} has no suggestion" for one in sorted(set(known) - advised))
    yield from (f"{FILE}: there is no {one}" for one in sorted(advised - set(known)))
