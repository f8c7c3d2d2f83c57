"""Rows of a department's spreadsheet: as they were read, what they are held against, and what becomes of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from scoring.items import CommonItem, Indicator, NegativeItem

Kind = Literal["new", "changed", "same", "refused"]
KINDS: tuple[Kind, ...] = ("new", "changed", "same", "refused")
Rule = Indicator | CommonItem | NegativeItem


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it was read. odd: `formula`, or `day` where the spreadsheet made a date of the value."""

    number: int  # as the spreadsheet shows it
    organization: str
    indicator: str
    period: str
    value: str
    note: str = ""
    odd: str = ""

    def to_json(self) -> list[Any]:
        """The stored form."""
        return [self.number, self.organization, self.indicator, self.period, self.value, self.note, self.odd]


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch that a row may be about."""

    id: int
    field: str
    path: str
    founded_on: date | None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that rows are held against.

    branches: all of the city, by their numbers. path: the subtree of the department. remit: its indicators, empty:
    all. values: what counts now, by organisation, indicator and period, with its origin. cases: of the negative
    list handed in by departments, by organisation, item and day. locked: written periods.
    """

    branches: Mapping[str, Branch]
    path: str
    remit: Collection[str]
    values: Mapping[tuple[int, str, str], tuple[str, str]]
    cases: Mapping[tuple[int, str, date], int]
    locked: Collection[str]
    today: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one row. why: name of the reason, with what it puts in; before: what stood there.

    For what is accepted: the branch, the written period (or the day of a case), the value (or the count).
    """

    line: Line
    kind: Kind
    why: str = ""
    why_values: Mapping[str, Any] = field(default_factory=dict)
    before: str = ""
    organization_id: int = 0
    period: str = ""
    day: date | None = None  # of a case of the negative list
    value: str = ""


class Wrong(Exception):
    """This row is refused. `why` names the words in `sheets.toml`: `sheets.why_` and this name."""

    def __init__(self, why: str, **values: Any) -> None:
        super().__init__(why)
        self.why, self.values_ = why, values


@dataclass(frozen=True, slots=True)
class Target:
    """What a row is about once its names are understood. day: the last of the period, or the day of the case."""

    branch: Branch
    rule: Rule
    text: str
    last: date
