"""The shape of `pioneer.toml`, the rules of the members' index: one class per block."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Bands, Block, Mode, Named, Status, Text, check_bands, check_dates, in_force
from scoring.exact import Exact, FromList

PartId = Literal["base", "positive", "conduct"]
Formula = Literal["points_pro_rata", "hours_pro_rata", "points", "deduction", "zero_clear"]


class RuleTerms(Block):
    """What a rule is worth from a day on. Either `points` or `grades`."""

    starts: Annotated[date, Field(alias="from")]
    points: int | None = None  # per event; negative when deducted
    grades: dict[str, int] | None = None  # points per grade
    cap: Annotated[int, Field(gt=0, le=100)] | None = None  # of the year; None: no cap
    event_cap: Annotated[int, Field(gt=0)] | None = None  # points that one event may bring; None: no cap
    full_at: Annotated[int, Field(gt=0)] | None = None  # hours that earn the whole cap
    status: Status
    source: Text

    @model_validator(mode="after")
    def _points_or_grades(self) -> Self:
        if (self.points is None) == (self.grades is None):
            raise ValueError("either points or grades must be given")
        return self


class RuleCase(Block):
    """A worked example: what `points` and `count` of a year earn (for a deduction: what they take)."""

    say: Text
    points: int
    count: Exact
    earned: Exact
    months: Annotated[int, Field(ge=1, le=12)] = 12
    mode: Mode = "normal"
    held: Annotated[int, Field(ge=0)] = 0  # duty activities of the branch; only rate mode asks for them
    clears: bool = False


class Suggest(Block):
    """How a rule may be proposed to a member who wants the next star."""

    times: Annotated[int, Field(gt=0, le=100)]  # at most so many events at once
    order: int  # smaller is named first


class Rule(Named):
    """One line of the pioneer index. `id` is permanent: old points refer to it."""

    part: Literal["base", "positive", "conduct", "zero_clear"]
    formula: Formula
    unit: Text
    rate_mode: bool = False  # in mode `rate` the share of held activities counts instead of points
    suggest: Suggest | None = None
    terms: Annotated[tuple[RuleTerms, ...], FromList]
    cases: Annotated[tuple[RuleCase, ...], FromList]

    def terms_on(self, day: date) -> RuleTerms | None:
        """Terms of `day`; None when the rule was not in force."""
        return in_force(self.terms, day)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        if not self.cases:
            raise ValueError("at least one worked example is needed")
        if (self.part == "conduct") != (self.formula == "deduction"):
            raise ValueError("deductions stand in the part conduct, and nothing else does")
        if (self.part == "zero_clear") != (self.formula == "zero_clear"):
            raise ValueError("the part zero_clear and the formula zero_clear belong together")
        if self.part != "base" and (self.rate_mode or self.formula.endswith("pro_rata")):
            raise ValueError("months of membership and rate mode count in the part base only")
        for place, terms in enumerate(self.terms, start=1):
            self._check_terms(place, terms)
        return self

    def _check_terms(self, place: int, terms: RuleTerms) -> None:
        figures = list(terms.grades.values()) if terms.grades else [terms.points or 0]
        if any(figure > 0 for figure in figures) and self.formula == "deduction":
            raise ValueError(f"terms {place}: a deduction has negative points")
        if any(figure < 0 for figure in figures) and self.formula != "deduction":
            raise ValueError(f"terms {place}: only a deduction has negative points")
        if terms.cap is None and self.part in ("base", "positive"):
            raise ValueError(f"terms {place}: a cap is needed")
        if (terms.full_at is not None) != (self.formula == "hours_pro_rata"):
            raise ValueError(f"terms {place}: full_at belongs to the formula hours_pro_rata, and is needed there")


class PioneerTerms(Block):
    """Parts of the hundred points and the star bands from a day on."""

    starts: Annotated[date, Field(alias="from")]
    parts: dict[PartId, int]
    stars: Bands
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if set(self.parts) != {"base", "positive", "conduct"} or min(self.parts.values()) < 0:
            raise ValueError("parts must be base, positive and conduct, none below 0")
        if sum(self.parts.values()) != 100:
            raise ValueError(f"parts must add up to 100, not {sum(self.parts.values())}")
        check_bands(self.stars)
        return self


class PioneerScheme(Block):
    """The file `pioneer.toml`."""

    scheme: Named
    terms: Annotated[tuple[PioneerTerms, ...], FromList]
    part: Annotated[tuple[Named, ...], FromList]
    rule: Annotated[tuple[Rule, ...], FromList]

    def terms_on(self, day: date) -> PioneerTerms:
        """Terms of `day`. Raises LookupError before the first."""
        found = in_force(self.terms, day)
        if found is None:
            raise LookupError(f"the pioneer index has no terms on {day}")
        return found

    @model_validator(mode="after")
    def _relations(self) -> Self:
        check_dates(self.terms)
        ids = [rule.id for rule in self.rule]
        for place, one in enumerate(ids, start=1):
            if one in ids[: place - 1]:
                raise ValueError(f"rule {place}: the id {one} stands twice")
        if [part.id for part in self.part] != ["base", "positive", "conduct"]:
            raise ValueError("the parts base, positive and conduct must be named, in this order")
        for day in sorted({t.starts for rule in self.rule for t in rule.terms} | {t.starts for t in self.terms}):
            self._check_reach(day)
        return self

    def _check_reach(self, day: date) -> None:
        """The caps of a part must allow to reach it, on every day on which terms change."""
        parts = in_force(self.terms, day)
        for part in ("base", "positive"):
            terms = [rule.terms_on(day) for rule in self.rule if rule.part == part]
            caps = sum(one.cap or 0 for one in terms if one)
            if parts and caps < parts.parts[part]:
                raise ValueError(
                    f"on {day} the caps of {part} add up to {caps}, below its {parts.parts[part]} points"
                )
