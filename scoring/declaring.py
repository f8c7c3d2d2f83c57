"""What a branch declares itself, for which periods, and until when. Pure: asks neither storage nor clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from scoring.blocks import Block, Status, Text
from scoring.catalogue import RULES, shipped
from scoring.exact import FromList, fraction
from scoring.items import CommonItem, Indicator, Period, read_value
from scoring.org_power_scheme import Deadlines
from scoring.periods import CalendarPeriod, period, periods_of
from scoring.rule_files import RulesError, read_scheme

FILE = "declarations.toml"
PERIODS: tuple[Period, ...] = ("monthly", "quarterly", "half_yearly", "yearly")
_COUNTED = re.compile(r"count\((\w+)\)")
_FORMS: dict[int, Period] = {7: "monthly", 6: "quarterly", 4: "yearly"}  # by the length of what is written

Form = Literal["statement", "rate", "count"]


class DeclaredItem(Block):
    """A common item that the branch declares: in these months, or together with the indicator that it follows."""

    id: Text
    months: Annotated[tuple[Annotated[int, Field(ge=1, le=12)], ...], FromList] = ()
    follows: str = ""
    status: Status
    source: Text

    @model_validator(mode="after")
    def _relations(self) -> Self:
        if bool(self.months) == bool(self.follows):
            raise ValueError("either months or the indicator that it follows is needed")
        return self


class DeclarationScheme(Block):
    """The file `declarations.toml`."""

    item: Annotated[tuple[DeclaredItem, ...], FromList]


@dataclass(frozen=True)
class Declarable:
    """One thing to declare. months: in which it falls due; also: ids that get the same value for the month."""

    rule: Indicator | CommonItem
    form: Form
    kind: Period
    months: tuple[int, ...]
    seen_kinds: tuple[str, ...] = ()  # activities that the service itself saw speak to it
    also: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The permanent id of the indicator or item."""
        return self.rule.id

    def met(self, value: str) -> bool:
        """Whether `value`, as it is recorded, earns the points."""
        read = read_value(value, statement=self.form == "statement")
        if isinstance(self.rule, Indicator):
            return self.rule.is_met(read)
        if self.rule.required is not None:
            return read is not None and fraction(read) >= self.rule.required
        return read is True


@dataclass(frozen=True)
class Due:
    """A thing to declare for one period; `closing` is the month with which the period ends."""

    what: Declarable
    period: CalendarPeriod
    closing: CalendarPeriod


def scheme(directory: Path = RULES) -> DeclarationScheme:
    """The scheme in `directory`. Raises RulesError with every mistake."""
    mistakes: list[str] = []
    found = read_scheme(DeclarationScheme, directory, FILE, mistakes)
    if found is None:
        raise RulesError(mistakes)
    return found


_shipped = cache(scheme)


def deadlines(day: date) -> Deadlines:
    """The days of the month that hold on `day`."""
    return shipped().org_power.terms_on(day).deadlines


@lru_cache(maxsize=64)
def declarables(field: str, day: date) -> tuple[Declarable, ...]:
    """Everything that a branch of `field` declares by the rules of `day`, in the order of the lists."""
    items = _shipped().item
    also = {one.follows: one.id for one in items if one.follows}
    found = [
        Declarable(
            row,
            _form(row),
            row.period,
            tuple(one.last.month for one in periods_of(row.period, day.year)),
            tuple(_COUNTED.findall(row.metric)),
            (also[row.id],) if row.id in also else (),
        )
        for row in shipped().indicators_on(field, day)
        if row.collect == "declare"
    ]
    common = {row.id: row for row in shipped().common_on(day)}
    rows = [(common[one.id], one.months) for one in items if one.months and one.id in common]
    return (*found, *(Declarable(row, _form(row), "monthly", months) for row, months in rows))


def _form(row: Indicator | CommonItem) -> Form:
    if row.statement:
        return "statement"
    return "rate" if isinstance(row, CommonItem) or row.metric.endswith("_rate") else "count"


def month_of(day: date) -> CalendarPeriod:
    """The calendar month of `day`."""
    return periods_of("monthly", day.year)[day.month - 1]


def read_period(text: str) -> CalendarPeriod:
    """The period that `text` writes, in any of the four forms. Raises ValueError for anything else."""
    kind = _FORMS.get(len(text), "monthly")
    return period("half_yearly" if kind == "quarterly" and "H" in text else kind, text)


def closing_month(one: CalendarPeriod) -> CalendarPeriod:
    """The month with which the period ends."""
    return month_of(one.last)


def closing_periods(month: CalendarPeriod) -> tuple[CalendarPeriod, ...]:
    """Every period, of any length, that ends with `month`."""
    spans = (one for kind in PERIODS for one in periods_of(kind, month.last.year))
    return tuple(one for one in spans if one.last == month.last)


def due_at(field: str, month: CalendarPeriod, founded_on: date | None) -> tuple[Due, ...]:
    """What a branch has to declare for the periods that end with `month`; none of those before it was founded."""
    ending = {one.text: one for one in closing_periods(month)}
    found = []
    for what in declarables(field, month.last):
        span = next((one for one in periods_of(what.kind, month.last.year) if one.text in ending), None)
        if span is None or month.last.month not in what.months:
            continue
        if founded_on is None or span.first >= founded_on:
            found.append(Due(what, span, month))
    return tuple(found)


def due_one(field: str, indicator_id: str, period_text: str, founded_on: date | None) -> Due | None:
    """The thing to declare that these words name; None when there is none for this branch."""
    try:
        month = closing_month(read_period(period_text))
    except ValueError:
        return None
    every = due_at(field, month, founded_on)
    return next((one for one in every if (one.what.id, one.period.text) == (indicator_id, period_text)), None)


def running(field: str, today: date, founded_on: date | None) -> tuple[Due, ...]:
    """What falls due at the end of a period that runs today, the next to end first."""
    months = periods_of("monthly", today.year)[today.month - 1 :]
    every = (one for month in months for one in due_at(field, month, founded_on))
    found: dict[str, Due] = {}
    for one in every:
        if one.period.first <= today:
            found.setdefault(one.what.id, one)
    return tuple(sorted(found.values(), key=lambda one: one.period.last))
