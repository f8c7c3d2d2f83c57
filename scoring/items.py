"""The flat lists: common items of a branch, indicators of a field, negative list. One row is one rule.

A row with the id of an earlier one and a later `from` day replaces it from that day on.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, model_validator

from scoring.blocks import Named, Status, Text
from scoring.exact import Exact, fraction
from scoring.fortress_scheme import Value

FieldId = Literal["all", "admin_village", "urban_community", "gov_institution", "two_new", "soe"]
Dimension = Literal[
    "political_leadership", "org_coverage", "mass_cohesion", "development_service", "basic_support"
]
Period = Literal["monthly", "quarterly", "half_yearly", "yearly"]
Aspect = Literal["leading_group", "member_team", "mechanism", "support"]
ShareFormula = Literal[
    "value_true",
    "value_at_least",
    "value_months",
    "held_days",
    "kinds_held",
    "study_hours",
    "pioneer_mean",
    "attendance",
]
Collect = Literal["auto", "declare", "dept", "inspect"]


_COMPARE = {"==": operator.eq, ">=": operator.ge, "<=": operator.le, "<": operator.lt}


def _split(value: Any) -> Any:
    return tuple(part for part in value.split(";") if part) if isinstance(value, str) else value


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


def read_value(text: str, *, statement: bool) -> Value:
    """A collected value as it is written: `true`, `1` (a statement), `0.95`; an empty text is None.

    Raises ValueError for anything else.
    """
    if text == "":
        return None
    if not statement:
        return fraction(text)
    known = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in known:
        raise ValueError(f"true, false, 1 or 0 is needed, not {text[:40]!r}")
    return known[text.lower()]


class Row(Named):
    """One row of a list: a permanent id, titles, the first day on which it holds, and where it comes from."""

    starts: Annotated[date, Field(alias="from")]
    status: Status
    source: Text


class CommonItem(Row):
    """One of the items that every branch has; `formula` says how much of its points is earned."""

    aspect: Aspect
    points: Annotated[int, Field(gt=0)]
    formula: ShareFormula
    required: Annotated[Exact | None, BeforeValidator(_empty_is_none)]
    kinds: Annotated[tuple[str, ...], BeforeValidator(_split)]

    @property
    def statement(self) -> bool:
        """Whether its collected value is yes or no."""
        return self.formula == "value_true"

    @property
    def collected(self) -> bool:
        """Whether it is judged from a value that somebody hands in every month."""
        return self.formula.startswith("value_")

    @model_validator(mode="after")
    def _relations(self) -> Self:
        counted = self.formula in ("value_at_least", "held_days", "study_hours", "pioneer_mean", "attendance")
        if counted != (self.required is not None) or (self.required is not None and self.required <= 0):
            raise ValueError(f"the formula {self.formula} {'needs' if counted else 'has no'} required figure")
        kinds = {"held_days": 1, "kinds_held": len(self.kinds) or 1}.get(self.formula, 0)
        if len(self.kinds) != kinds:
            raise ValueError(f"the formula {self.formula} needs {kinds} kinds of activity")
        return self


class Indicator(Row):
    """One indicator of the organisational power index; those of a field also make its specific part."""

    field: FieldId
    dimension: Dimension
    category: Text
    metric: Text
    op: Literal["==", ">=", "<=", "<"]
    threshold: Text  # a number, `true`, or `plan` for progress against a plan
    points: Annotated[int, Field(gt=0)]
    period: Period
    collect: Collect
    met: Text  # a worked example: a value that meets the threshold
    unmet: Text  # and one that does not

    @property
    def statement(self) -> bool:
        """Whether its value is yes or no."""
        return self.threshold == "true"

    def is_met(self, value: Value) -> bool:
        """Whether `value` meets the threshold; nothing meets none."""
        if value is None:
            return False
        if self.statement:
            return value is True
        return bool(_COMPARE[self.op](value, self._limit))

    @cached_property
    def _limit(self) -> Fraction:
        # Read once: the city asks some hundred thousand times.
        return Fraction(1) if self.threshold == "plan" else fraction(self.threshold)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.statement and self.op != "==":
            raise ValueError("the threshold true needs the op ==")
        if not self.statement and self.threshold != "plan":
            fraction(self.threshold)
        for text, expected in ((self.met, True), (self.unmet, False)):
            if self.is_met(read_value(text, statement=self.statement)) is not expected:
                raise ValueError(f"the example {text} is {'not ' if expected else ''}met")
        return self


class NegativeItem(Row):
    """One item of the negative list; each case takes its points."""

    field: FieldId
    points: Annotated[int, Field(lt=0)]
    unit: Text
    collect: Collect
    period: Period  # how often it is collected; no formula asks for it
    example_count: int
    example_deduction: int

    def deduction(self, count: int) -> int:
        """Points taken for `count` cases, at least 0."""
        return -self.points * max(0, count)

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if self.deduction(self.example_count) != self.example_deduction:
            raise ValueError(
                f"the example takes {self.deduction(self.example_count)}, not {self.example_deduction}"
            )
        return self


R = TypeVar("R", bound=Row)


def rows_on(rows: Sequence[R], day: date) -> tuple[R, ...]:
    """The rows of `day`, one per id, in the order in which their ids first stand in the file.

    A later row of an id starts later (`date_mistakes`), so the last one that has begun is the one that holds.
    """
    return tuple({row.id: row for row in rows if row.starts <= day}.values())


def date_mistakes(rows: Iterable[Row]) -> list[str]:
    """What is wrong with the dates of rows that share an id: a later row must start later."""
    latest: dict[str, date] = {}
    mistakes = []
    for row in rows:
        if row.id in latest and row.starts <= latest[row.id]:
            mistakes.append(f"{row.id}: stands twice, and the second row does not start later")
        latest[row.id] = row.starts
    return mistakes
