"""The collected values of all branches, out of the database into columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from sqlmodel import Session

from db import city_collected
from db.city_collected import OfPeriod
from db.city_columns import View
from scoring.places import Places
from scoring.ratios import Ints
from scoring.value_columns import Codes, ValueColumns


def read_values(session: Session, view: View, places: Places) -> ValueColumns:
    """The values of the branches in `places`, from `PeriodValues`, or from the log where `view` asks for lines."""
    found = _Reading(places)
    for part in _from_log(session, view) if view.lines else city_collected.period_values(session):
        found.take(part)
    return ValueColumns(["", *found.codes], found.columns, frozenset(found.columns))


@dataclass
class _Reading:
    """codes: the number of each distinct text; 0 stays free for what nobody has."""

    places: Places
    codes: dict[str, int] = field(default_factory=dict)
    columns: dict[tuple[str, str], Codes] = field(default_factory=dict)

    def take(self, part: list[OfPeriod]) -> None:
        """Periods with the same ids side by side: there are few such groups, and each becomes one array."""
        groups: dict[tuple[str, tuple[str, ...]], tuple[list[int], list[int]]] = {}
        texts: list[str] = []
        for organization_id, period, entries in part:
            key = (period, tuple(entries))
            group = groups.get(key)
            if group is None:
                group = groups[key] = ([], [])
            group[0].append(organization_id)
            group[1].append(len(texts))
            texts.extend(entries.values())
        for text in set(texts) - self.codes.keys():
            self.codes[text] = len(self.codes) + 1
        flat = np.fromiter(map(self.codes.__getitem__, texts), dtype=np.int32, count=len(texts))
        for (period, names), (ids, starts) in groups.items():
            self._lay(period, names, np.array(ids, dtype=np.int64), np.array(starts, dtype=np.int64), flat)

    def _lay(self, period: str, names: tuple[str, ...], ids: Ints, starts: Ints, flat: Codes) -> None:
        place = self.places(ids)
        starts, place = starts[place >= 0], place[place >= 0]
        for number, name in enumerate(names):
            column = self.columns.get((name, period))
            if column is None:
                column = self.columns[name, period] = np.zeros(len(self.places.ids), dtype=np.int32)
            column[place] = flat[starts + number]


def _from_log(session: Session, view: View) -> Iterator[list[OfPeriod]]:
    latest: dict[tuple[int, str], dict[str, str]] = {}
    for organization_id, indicator_id, period, value in city_collected.value_lines(session, view):
        latest.setdefault((organization_id, period), {})[indicator_id] = value
    yield [(organization_id, period, entries) for (organization_id, period), entries in latest.items()]
