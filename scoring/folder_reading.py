"""A folder of seven CSV files, read and checked: what is known on a day, as the indices ask for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import get_args

from scoring.blocks import Mode
from scoring.catalogue import FIELDS, Catalogue
from scoring.folder_rows import (
    boolean,
    checked_id,
    day,
    figure,
    known_id,
    new_id,
    number,
    people,
    read_rows,
    told,
    whole,
)
from scoring.fortress_facts import Activity, Appraisal, Scope
from scoring.fortress_scheme import Value
from scoring.items import Period
from scoring.periods import period
from scoring.pioneer import NOTHING, Total

HEADERS = {
    "organizations.csv": ("id", "name", "field", "parent_id", "founded_on"),
    "members.csv": ("id", "name", "org_id", "from_day", "to_day", "mode"),
    "entries.csv": ("member_id", "rule_id", "day", "points", "count"),
    "activities.csv": ("id", "org_id", "scope", "kinds", "day", "should_attend", "attended", "approved"),
    "values.csv": ("org_id", "indicator_id", "period", "value"),
    "negatives.csv": ("org_id", "item_id", "day", "count"),
    "appraisals.csv": ("org_id", "year", "self", "members_masses", "superior"),
}
"""File -> its columns, in their order."""

MODES: tuple[Mode, ...] = get_args(Mode)
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Organization:
    """One row of `organizations.csv`. field None: a node that is not compared."""

    id: str
    field: str | None
    founded_on: date | None

    def exists(self, as_of: date) -> bool:
        """Whether it is founded by `as_of`."""
        return self.founded_on is None or self.founded_on <= as_of


@dataclass(frozen=True, slots=True)
class Membership:
    """One row of `members.csv`, known on the day: a later end reads as open."""

    org_id: str
    from_day: date
    to_day: date | None
    mode: Mode


@dataclass
class Folder:
    """What the files say of the time up to `as_of`. Rows dated later are checked, and then left out.

    totals: per member and rule, of the year to date. activities: approved ones of the year to date.
    value_rows: (indicator, period) of every row. negatives: per organisation, (item, day, count).
    appraisals: of the year; None where a voice is missing.
    """

    as_of: date
    organizations: dict[str, Organization] = field(default_factory=dict)
    members: dict[str, list[Membership]] = field(default_factory=dict)
    totals: dict[str, dict[str, Total]] = field(default_factory=lambda: defaultdict(dict))
    activities: dict[str, list[Activity]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, dict[tuple[str, str], Value]] = field(default_factory=lambda: defaultdict(dict))
    value_rows: set[tuple[str, str]] = field(default_factory=set)
    negatives: dict[str, list[tuple[str, date, int]]] = field(default_factory=lambda: defaultdict(list))
    appraisals: dict[str, Appraisal | None] = field(default_factory=dict)

    def in_year(self, one: date) -> bool:
        """Whether the day lies in the year to date."""
        return one.year == self.as_of.year and one <= self.as_of


def read_folder(directory: Path, catalogue: Catalogue, as_of: date) -> Folder:
    """The seven files of `directory`. Raises Refusal with the mistakes of the first file that has any."""
    reader = _Reader(catalogue, as_of)
    read: dict[str, Callable[[list[str]], None]] = {
        "organizations.csv": reader.organization,
        "members.csv": reader.membership,
        "entries.csv": reader.entry,
        "activities.csv": reader.activity,
        "values.csv": reader.value,
        "negatives.csv": reader.negative,
        "appraisals.csv": reader.appraisal,
    }
    for name, header in HEADERS.items():
        read_rows(directory, name, header, read[name])
        if name == "organizations.csv":
            read_rows(directory, name, header, reader.parent)  # again: a child may stand before its parent
    return reader.folder


class _Reader:
    """Takes the rows of each file. Every method raises ValueError for a row that cannot be used."""

    def __init__(self, catalogue: Catalogue, as_of: date) -> None:
        self.folder = Folder(as_of)
        self._rules = frozenset(rule.id for rule in catalogue.pioneer.rule)
        self._items = frozenset(item.id for item in catalogue.negatives)
        # The value items of a branch stand by month.
        self._kinds: dict[str, tuple[Period, bool]] = {
            item.id: ("monthly", item.statement) for item in catalogue.common if item.collected
        }
        self._kinds |= {one.id: (one.period, one.statement) for one in catalogue.indicators}

    def organization(self, cells: list[str]) -> None:
        org_id, _, own_field, _, founded_on = cells
        new_id(org_id, self.folder.organizations)
        if own_field and own_field not in FIELDS:
            raise ValueError(f"unknown field {told(own_field)}")
        founded = day(founded_on) if founded_on else None
        self.folder.organizations[org_id] = Organization(org_id, own_field or None, founded)

    def parent(self, cells: list[str]) -> None:
        if cells[3]:
            known_id(cells[3], self.folder.organizations, "parent_id")

    def membership(self, cells: list[str]) -> None:
        member_id, _, org_id, from_text, to_text, mode = cells
        checked_id(member_id)
        known_id(org_id, self.folder.organizations, "org_id")
        from_day, to_day = day(from_text), day(to_text) if to_text else None
        if to_day is not None and to_day <= from_day:
            raise ValueError(f"to_day {to_day} is not after from_day {from_day}")
        if mode and mode not in MODES:
            raise ValueError(f"unknown mode {told(mode)}")
        known = self.folder.members.setdefault(member_id, [])
        if from_day <= self.folder.as_of:
            end = to_day if to_day is not None and to_day <= self.folder.as_of else None
            known.append(Membership(org_id, from_day, end, mode or "normal"))

    def entry(self, cells: list[str]) -> None:
        member_id, rule_id, day_text, points_text, count_text = cells
        known_id(member_id, self.folder.members, "member_id")
        known_id(rule_id, self._rules, "rule_id")
        on, points, count = day(day_text), number(points_text), number(count_text)
        if self.folder.in_year(on):
            own = self.folder.totals[member_id]
            before = own.get(rule_id, NOTHING)
            own[rule_id] = Total(before.points + points, before.count + count)

    def activity(self, cells: list[str]) -> None:
        _, org_id, scope, kinds, day_text, should, came, approved = cells  # nothing refers to its own id
        known_id(org_id, self.folder.organizations, "org_id")
        if scope not in SCOPES:
            raise ValueError(f"unknown scope {told(scope)}")
        one = Activity(day(day_text), scope, frozenset(kinds.split(";")), people(should), people(came))
        if boolean(approved) and self.folder.in_year(one.day):
            self.folder.activities[org_id].append(one)

    def value(self, cells: list[str]) -> None:
        org_id, indicator_id, text, value = cells
        known_id(org_id, self.folder.organizations, "org_id")
        known_id(indicator_id, self._kinds, "indicator_id")
        kind, statement = self._kinds[indicator_id]
        period(kind, text)
        read: Value = None
        if value:
            read = boolean(value) if statement else figure(value)
        self.folder.values[org_id][indicator_id, text] = read
        self.folder.value_rows.add((indicator_id, text))

    def negative(self, cells: list[str]) -> None:
        org_id, item_id, day_text, count_text = cells
        known_id(org_id, self.folder.organizations, "org_id")
        known_id(item_id, self._items, "item_id")
        on, count = day(day_text), whole(count_text)
        if on <= self.folder.as_of:
            self.folder.negatives[org_id].append((item_id, on, count))

    def appraisal(self, cells: list[str]) -> None:
        org_id, year, *texts = cells
        known_id(org_id, self.folder.organizations, "org_id")
        period("yearly", year)
        voices = [figure(text) if text else None for text in texts]
        if int(year) == self.folder.as_of.year:
            given = [voice for voice in voices if voice is not None]
            self.folder.appraisals[org_id] = Appraisal(*given) if len(given) == len(voices) else None
