"""Six stars of a branch: six lists of a hundred points each, and what lights a star. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from scoring.blocks import Block, Named, Status, Text, check_dates, in_force, share
from scoring.exact import Exact, FromList, half_up

Shares = Mapping[str, Fraction | None]
"""Per fact how much of it is there, 0..1; None: not due, and counted in full. A fact that is missing counts 0."""


def _none_is_not_due(value: Any) -> Any:
    return None if value == "none" else value


NotDue = Annotated[Exact | None, BeforeValidator(_none_is_not_due)]
"""A share of an example; `"none"` in the file: not due."""


class StarItem(Named):
    """One line of a star's list. fact: `item:F01`, `indicator:C07` or `standards`: where its share comes from."""

    points: Annotated[int, Field(gt=0, le=100)]
    fact: Annotated[str, Field(pattern=r"item:[A-Z0-9]+|indicator:[A-Z0-9]+|standards")]


class StarList(Named):
    """One star: a list of items that add up to 100."""

    item: Annotated[tuple[StarItem, ...], FromList, Field(min_length=1)]

    @model_validator(mode="after")
    def _relations(self) -> Self:
        points = sum(one.points for one in self.item)
        if points != 100:
            raise ValueError(f"the items of a star add up to {points}, not 100")
        return self


class SixStarTerms(Block):
    """Everything of the scheme from a day on."""

    starts: Annotated[date, Field(alias="from")]
    lit_from: Annotated[int, Field(gt=0, le=100)]  # points
    star: Annotated[tuple[StarList, ...], FromList, Field(min_length=6, max_length=6)]
    status: Status
    source: Text


class SixStarCase(Block):
    """A worked example: a star, the shares of its facts in order, its points and whether it is lit."""

    star: Text
    say: Text
    shares: Annotated[tuple[NotDue, ...], FromList]
    points: Exact
    lit: bool


class AllCase(Block):
    """A worked example of the whole: stars that are lit, a veto or none, and whether it is six stars."""

    say: Text
    lit: int
    veto: bool
    six: bool


class SixStarScheme(Block):
    """The file `six_star.toml`."""

    scheme: Named
    terms: Annotated[tuple[SixStarTerms, ...], FromList]
    cases: Annotated[tuple[SixStarCase, ...], FromList, Field(min_length=1)]
    all_cases: Annotated[tuple[AllCase, ...], FromList, Field(min_length=1)]

    def terms_on(self, day: date) -> SixStarTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the six stars have no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        told = {case.star for case in self.cases}
        stars = {star.id for terms in self.terms for star in terms.star}
        if told != stars:
            raise ValueError(f"every star needs a worked example: {', '.join(sorted(stars ^ told))}")
        return self


@dataclass(frozen=True, slots=True)
class Missing:
    """An item that does not bring all its points; missing: hundredths."""

    item: StarItem
    missing: int


@dataclass(frozen=True, slots=True)
class Star:
    """One star of a branch. points: hundredths, 0..10000. missing: the largest gap first."""

    star: StarList
    points: int
    lit: bool
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class SixStars:
    """All six, and whether the branch is a six-star branch: all are lit and nothing vetoes it."""

    stars: tuple[Star, ...]
    veto: bool

    @property
    def lit(self) -> int:
        """How many are lit."""
        return sum(one.lit for one in self.stars)

    @property
    def six(self) -> bool:
        """Whether all are lit without a veto."""
        return not self.veto and all(one.lit for one in self.stars)


def judge_star(terms: SixStarTerms, star: StarList, shares: Shares) -> Star:
    """One star from the shares of its facts. Raises ValueError for a share outside 0..1."""
    points, missing = Fraction(0), []
    for item in star.item:
        known = shares.get(item.fact, Fraction(0))
        earned = item.points * (Fraction(1) if known is None else share(known))
        points += earned
        if earned < item.points:
            missing.append(Missing(item, half_up(item.points - earned)))
    missing.sort(key=lambda one: -one.missing)
    return Star(star, half_up(points), points >= terms.lit_from, tuple(missing))


def six_stars(terms: SixStarTerms, shares: Shares, *, veto: bool) -> SixStars:
    """All six stars of one branch."""
    return SixStars(tuple(judge_star(terms, star, shares) for star in terms.star), veto)
