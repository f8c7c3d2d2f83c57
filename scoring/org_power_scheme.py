"""The shape of `org_power.toml`: the organisations' index, its pool of colours, and the days of its values."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Named, Status, Text, check_dates, in_force
from scoring.exact import Exact, FromList
from scoring.fortress_scheme import Share
from scoring.items import Dimension

Colour = Literal["blue", "yellow", "red"]
Owner = Literal["party_work_committee", "lead_department", "district_org_department"]
DIMENSIONS: tuple[Dimension, ...] = (
    "political_leadership",
    "org_coverage",
    "mass_cohesion",
    "development_service",
    "basic_support",
)
COLOURS: tuple[Colour, ...] = ("blue", "yellow", "red")
"""From the mildest to the most severe."""


class IndexTerms(Block):
    """How points of indicators and the negative list make the score."""

    dimension_points: Annotated[int, Field(gt=0)]
    deduction_max: Annotated[int, Field(ge=0)]
    score_min: Annotated[int, Field(ge=0)]
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.dimension_points * len(DIMENSIONS) != 100:
            raise ValueError(f"{len(DIMENSIONS)} dimensions of {self.dimension_points} points do not make 100")
        return self


class PoolTerms(Block):
    """When an organisation gets a colour, and who has to act on it."""

    months: Annotated[int, Field(ge=1, le=12)]
    yellow_share: Share
    red_share: Share
    owners: dict[Colour, Owner]
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if set(self.owners) != set(COLOURS):
            raise ValueError(f"each of {', '.join(COLOURS)} needs an owner")
        return self


class Deadlines(Block):
    """Last days of declaring, of the committee's review and of every change, in the month after a period."""

    declare_day: Annotated[int, Field(ge=1, le=28)]
    committee_day: Annotated[int, Field(ge=1, le=28)]
    lock_day: Annotated[int, Field(ge=1, le=28)]
    spot_check_share: Share
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if not self.declare_day < self.committee_day < self.lock_day:
            raise ValueError("declare_day, committee_day and lock_day must follow each other")
        return self

    def declare_until(self, period_last: date) -> date:
        """The last day on which a period that ends on `period_last` can be declared."""
        return period_last + timedelta(days=self.declare_day)

    def committee_until(self, period_last: date) -> date:
        """The last day on which the committee can approve or return."""
        return period_last + timedelta(days=self.committee_day)

    def locked_from(self, period_last: date) -> date:
        """The day from which the period's values stand; a change needs a correction."""
        return period_last + timedelta(days=self.lock_day)


class BoardTerms(Block):
    """Who stands on the board of the best of a field."""

    places: Annotated[int, Field(ge=1, le=20)]
    left_out: Annotated[tuple[Colour, ...], FromList]  # colours of the month that keep somebody off it
    vetoed: bool  # whether somebody with a veto in the year is shown
    status: Status
    source: Text


class OrgPowerTerms(Block):
    """Everything of the scheme from a day on."""

    starts: Annotated[date, Field(alias="from")]
    index: IndexTerms
    pool: PoolTerms
    deadlines: Deadlines
    board: BoardTerms


class DimensionCase(Block):
    """A worked example of one dimension."""

    say: Text
    due: int
    earned: int
    score: Exact


class PowerScoreCase(Block):
    """A worked example of the score, from the printed dimensions."""

    say: Text
    dimensions: Annotated[tuple[Exact, ...], FromList, Field(min_length=5, max_length=5)]
    taken: int
    deduction: Exact
    score: Exact


class BottomCase(Block):
    """A worked example of the bottom share: scores of a field, and the places (from 1) that are in it."""

    say: Text
    scores: Annotated[tuple[Exact, ...], FromList]
    low: Annotated[tuple[int, ...], FromList]


class OrgPowerScheme(Block):
    """The file `org_power.toml`."""

    scheme: Named
    terms: Annotated[tuple[OrgPowerTerms, ...], FromList]
    dimension: Annotated[tuple[Named, ...], FromList]
    colour: Annotated[tuple[Named, ...], FromList]
    owner: Annotated[tuple[Named, ...], FromList]
    dimension_cases: Annotated[tuple[DimensionCase, ...], FromList, Field(min_length=1)]
    score_cases: Annotated[tuple[PowerScoreCase, ...], FromList, Field(min_length=1)]
    bottom_cases: Annotated[tuple[BottomCase, ...], FromList, Field(min_length=1)]

    def terms_on(self, day: date) -> OrgPowerTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the organisational power index has no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        owners = tuple(dict.fromkeys(owner for terms in self.terms for owner in terms.pool.owners.values()))
        for name, titles, wanted in (
            ("dimensions", self.dimension, DIMENSIONS),
            ("colours", self.colour, COLOURS),
        ):
            if tuple(one.id for one in titles) != wanted:
                raise ValueError(f"the {name} {', '.join(wanted)} must be named, in this order")
        if not set(owners) <= {one.id for one in self.owner}:
            raise ValueError(f"the owners {', '.join(owners)} must be named")
        return self
