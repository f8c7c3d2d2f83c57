"""What the blocks of all rule files share: strict types, dated terms, two languages, star bands."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from scoring.exact import FromList

Status = Literal["S", "F", "F*", "P", "G"]
"""S stated by one of the five articles, F published, F* in part, G to be verified, P our proposal."""

Mode = Literal["normal", "rate", "exempt"]
Bands = Annotated[tuple[Annotated[tuple[int, int], FromList], ...], FromList]
Text = Annotated[str, Field(min_length=1, max_length=300)]


class Block(BaseModel):
    """A block of a rule file: strict types, no unknown keys, never altered after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Named(Block):
    """Something that people see by name, in both languages."""

    id: Text
    title: Text
    title_en: Text

    def title_in(self, language: str) -> str:
        """The title in `zh` or `en`."""
        return self.title_en if language == "en" else self.title


class Dated(Protocol):
    """Terms with the first day on which they hold."""

    @property
    def starts(self) -> date:
        """First day, included."""
        ...


T = TypeVar("T", bound=Dated)


def in_force(terms: Sequence[T], day: date) -> T | None:
    """The terms of `day`: those with the latest start that is not after it; None before the first."""
    return next((one for one in reversed(terms) if one.starts <= day), None)


def check_dates(terms: Sequence[Dated]) -> None:
    """Raise ValueError unless there are terms and each starts after the one before."""
    if not terms:
        raise ValueError("at least one block of terms is needed")
    if any(later.starts <= earlier.starts for earlier, later in itertools.pairwise(terms)):
        raise ValueError("terms must stand in the order of their dates, each day once")


def check_bands(bands: Bands) -> None:
    """Raise ValueError unless lower bounds and stars descend and the last bound is 0."""
    if not bands or bands[-1][0] != 0:
        raise ValueError("the last band must start at 0")
    for upper, lower in itertools.pairwise(bands):
        if lower[0] >= upper[0] or lower[1] >= upper[1]:
            raise ValueError(f"bands must descend: {list(lower)} after {list(upper)}")
    if not 0 <= bands[-1][1] <= bands[0][1] <= 5 or bands[0][0] > 100:
        raise ValueError("bands go from 0 to 100 and stars from 0 to 5")


def share(value: Fraction) -> Fraction:
    """`value` itself. Raises ValueError outside 0..1."""
    if not 0 <= value <= 1:
        raise ValueError("must lie between 0 and 1")
    return value
