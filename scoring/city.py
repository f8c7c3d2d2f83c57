"""All facts of the city in columns, ready for the batch arithmetic, and all indices from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from sqlmodel import Session

from db import city_collected, city_columns
from db.city_columns import Branch, View
from db.duties import COUNTABLE
from scoring.batch import BatchResult, Columns, Ints, month_counts, pioneer_batch
from scoring.beside import Beside
from scoring.catalogue import FIELDS, Catalogue, shipped
from scoring.fortress_batch import ActivityColumns, BranchColumns, FortressColumns, Voices, fortress_batch
from scoring.fortress_facts import first_closes
from scoring.org_power import record_months
from scoring.org_power_batch import PowerColumns, PowerMonth, org_power_batch
from scoring.places import Places, distinct
from scoring.value_reading import read_values

STUDY = "PB3"  # whose hours the study of a branch counts


@dataclass(frozen=True)
class Members:
    """Pioneer indices in columns, in the order of `ids`. here: place of the branch on the day, -1 for none."""

    ids: Ints
    here: Ints
    study_hundredths: Ints
    result: BatchResult


@dataclass(frozen=True)
class CityIndices:
    """Everything that one computation found. months: of the organisational power index, in their order."""

    as_of: date
    branches: list[Branch]
    members: Members
    fortress: FortressColumns
    months: list[PowerMonth]


def compute_city(
    session: Session,
    view: View,
    catalogue: Catalogue | None = None,
    *,
    other: Beside | None = None,
    added: Mapping[str, tuple[Ints, Ints]] | None = None,
) -> CityIndices:
    """All indices on the day of `view`; reads only.

    other: reads the points at the same time.
    added: per rule (members, points) that count beside what is booked: for trying another price.
    """
    rules = catalogue or shipped()
    branches = city_columns.branches(session, view)
    places = Places(np.array([branch.id for branch in branches], dtype=np.int64))
    roll = _Roll(session, view)
    other = other or Beside(session, None)
    sums = other.begin(lambda own: _Sums(own, rules, view, roll))
    activities = other.begin(lambda own: city_columns.activities(own, view))
    values = read_values(session, view, places)
    cases = _Cases(city_collected.negatives(session, view), places)
    voices = _voices(city_collected.voices(session, view), places)
    first = first_closes(rules.indicators, values.known, view.as_of)
    fields = np.array([FIELDS.index(branch.field) for branch in branches], dtype=np.int64)
    founded = np.array([one.founded_on.toordinal() if one.founded_on else 0 for one in branches], dtype=np.int64)
    power = PowerColumns(fields, founded, values, cases.by_month())
    record = record_months(rules.indicators, values.known, view.as_of)
    months = [org_power_batch(rules, power, month=month, first_closed=first) for month in record]
    added_up, told = sums().with_more(roll, added or {}), activities()
    members = _members(rules, view, roll, added_up, places, told)
    by_branch = _of_branches(told, places)
    del sums, activities, added_up, told  # so that the largest columns never stand beside all the others
    columns = BranchColumns(
        fields=fields,
        founded=founded,
        activities=by_branch,
        values=values,
        **_figures(members, len(branches)),
        negatives=cases.of_year(view.as_of.year),
        voices=voices,
    )
    fortress = fortress_batch(rules, columns, as_of=view.as_of, first_closed=first)
    return CityIndices(view.as_of, branches, members, fortress, months)


class _Roll:
    """Who was a member in the year to date, and is not exempt. spans: as `city_columns.memberships` gives them."""

    def __init__(self, session: Session, view: View) -> None:
        spans = city_columns.memberships(session, view)
        modes = city_columns.modes(session, view)
        exempt = np.array([one for one, mode in modes.items() if mode == "exempt"], dtype=np.int64)
        self.spans = spans[~np.isin(spans[:, 0], exempt)]
        self.places = Places(distinct(self.spans[:, 0]))
        self.member = self.places(self.spans[:, 0])
        by_rate = np.array([one for one, mode in modes.items() if mode == "rate"], dtype=np.int64)
        self.rate = np.isin(self.places.ids, by_rate)


class _Sums:
    """Points and hundredths of each rule, by the place of the member; a rule has what its formula asks for."""

    def __init__(self, session: Session, rules: Catalogue, view: View, roll: _Roll) -> None:
        counted = ("hours_pro_rata", "zero_clear")
        figures = {one.id: "hundredths" if one.formula in counted else "points" for one in rules.pioneer.rule}
        table = self._added(roll, len(figures), city_columns.sums(session, view, figures))
        self.points = {one: table[n] for n, one in enumerate(figures) if figures[one] == "points"}
        self.counts = {one: table[n] for n, one in enumerate(figures) if figures[one] == "hundredths"}
        by_rate = {rule.id: "hundredths" for rule in rules.pioneer.rule if rule.rate_mode}
        rated = roll.places.ids[roll.rate].tolist()
        if rated and by_rate:
            more = self._added(roll, len(by_rate), city_columns.sums(session, view, by_rate, rated))
            self.counts |= {one: more[n] for n, one in enumerate(by_rate)}

    def with_more(self, roll: _Roll, added: Mapping[str, tuple[Ints, Ints]]) -> _Sums:
        """Itself, with these points, too."""
        for rule_id, (members, points) in added.items():
            if rule_id not in self.points:  # hours and cases count, not points
                continue
            place = roll.places(members)
            np.add.at(self.points[rule_id], place[place >= 0], points[place >= 0].astype(np.int32))
        return self

    @staticmethod
    def _added(roll: _Roll, rules: int, parts: Iterable[tuple[Ints, Ints, Ints]]) -> Any:
        size = len(roll.places.ids)
        table = np.zeros(rules * size, dtype=np.int32)
        for members, rule, figure in parts:
            place = roll.places(members)
            there = place >= 0
            np.add.at(table, rule[there] * size + place[there], figure[there].astype(np.int32))
        return table.reshape(rules, size)


def _members(
    rules: Catalogue, view: View, roll: _Roll, sums: _Sums, branches: Places, told: city_columns.Activities
) -> Members:
    spans, size = roll.spans, len(roll.places.ids)
    months = month_counts(view.as_of.year, view.as_of, roll.member, spans[:, 2], spans[:, 3], size)
    columns = Columns(
        months=np.maximum(months, 1),
        rate=roll.rate,
        duty_activities=_duties(spans, roll.member, roll.rate, told, view),
        points=sums.points,
        counts=sums.counts,
    )
    here = np.full(size, -1, dtype=np.int64)
    day = view.as_of.toordinal()
    now = (spans[:, 2] <= day) & ((spans[:, 3] == 0) | (spans[:, 3] > day))
    here[roll.member[now]] = branches(spans[now, 1])
    study = sums.counts.get(STUDY, np.zeros(size, dtype=np.int64)).astype(np.int64)
    return Members(roll.places.ids, here, study, pioneer_batch(rules, columns, as_of=view.as_of))


def _duties(spans: Ints, member: Ints, rated: Any, told: city_columns.Activities, view: View) -> Ints:
    """Duty activities on days of membership, of the members in mode `rate`."""
    own = rated[member]
    due = _texts_with(told.kind_texts, COUNTABLE)[told.kinds] & (told.region == 0)
    due &= np.isin(told.branch, spans[own, 1])
    # One number for branch and day: how many activities lie between two of them is the distance of their places.
    held = np.sort(told.branch[due] << 32 | told.day[due] + view.first.toordinal() - 1)
    branch, first, end = spans[own, 1:].T
    began = np.searchsorted(held, branch << 32 | first)
    ended = np.searchsorted(held, branch << 32 | np.where(end > 0, end, (1 << 32) - 1))
    found = np.zeros(len(rated), dtype=np.int64)
    np.add.at(found, member[own], np.maximum(0, ended - began))
    return found


def _texts_with(texts: list[str], kinds: Iterable[str]) -> Any:
    return np.array([not set(kinds).isdisjoint(text.split(";")) for text in texts], dtype=bool)


def _of_branches(told: city_columns.Activities, places: Places) -> ActivityColumns:
    names = tuple(sorted({kind for text in told.kind_texts for kind in text.split(";")}))[:62]
    masks = [
        sum(1 << names.index(kind) for kind in set(text.split(";")) if kind in names) for text in told.kind_texts
    ]
    place = places(told.branch)
    there = place >= 0
    return ActivityColumns(
        branch=place[there],
        day=told.day[there],
        region=told.region[there] == 1,
        kinds=np.array(masks, dtype=np.int64)[told.kinds[there]] if masks else told.kinds[there],
        should_attend=told.should_attend[there],
        attended=told.attended[there],
        kind_names=names,
    )


def _figures(members: Members, size: int) -> dict[str, Any]:
    """Of each branch: how many members it has, the sum of their scores, and of their hours."""
    inside = members.here >= 0
    here = members.here[inside]
    score_sum, study = np.zeros((2, size), dtype=np.int64)
    np.add.at(score_sum, here, members.result.score[inside])
    np.add.at(study, here, np.maximum(0, members.study_hundredths[inside]))
    count = np.bincount(here, minlength=size).astype(np.int64)
    return {"members": count, "score_sum": score_sum, "study_hundredths": study}


def _voices(found: Mapping[int, tuple[int, int, int]], places: Places) -> Voices | None:
    if not found:
        return None
    voices, heard = np.zeros((3, len(places.ids)), dtype=np.int64), np.zeros(len(places.ids), dtype=bool)
    place = places(np.array(list(found), dtype=np.int64))
    told = np.array(list(found.values()), dtype=np.int64)
    voices[:, place[place >= 0]], heard[place[place >= 0]] = told[place >= 0].T, True
    return Voices(heard, voices[0], voices[1], voices[2])


class _Cases:
    """Net cases of the negative list by branch, item and month."""

    def __init__(self, rows: Iterable[tuple[int, str, int, int, int]], places: Places) -> None:
        self._size = len(places.ids)
        told = list(rows)
        place = places(np.array([row[0] for row in told], dtype=np.int64)).tolist()
        self._rows = [(one, *row[1:]) for one, row in zip(place, told, strict=True) if one >= 0]

    def of_year(self, year: int) -> dict[str, Ints]:
        """Per item."""
        found: dict[str, Ints] = {}
        for place, item_id, of_year, _, count in self._rows:
            if of_year == year:
                found.setdefault(item_id, np.zeros(self._size, dtype=np.int64))[place] += count
        return found

    def by_month(self) -> dict[tuple[str, str], Ints]:
        """Per written month and item."""
        found: dict[tuple[str, str], Ints] = {}
        for place, item_id, year, month, count in self._rows:
            key = (f"{year:04}-{month:02}", item_id)
            found.setdefault(key, np.zeros(self._size, dtype=np.int64))[place] += count
        return found
