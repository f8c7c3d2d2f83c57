"""Which stored months a computation changes: the organisational power index, and the colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Any

import numpy as np
import orjson
from sqlmodel import Session

from db import city_results
from db.bulk import Row
from db.city_results import Difference, MarkDifference
from scoring.catalogue import Catalogue
from scoring.city import CityIndices
from scoring.month_results import MonthResults


def month_differences(
    session: Session, rules: Catalogue, found: CityIndices, *, whole: bool = False
) -> tuple[Difference, Difference, Difference]:
    """What `org_power_index`, `pool_colour` and the marks of the months have to get and to lose.

    A month whose mark says the same figures is not compared row by row. whole: compare all, with the proofs.
    """
    work = _Months(session, rules, found, whole)
    for number in range(len(found.months)):
        work.month(number)
    work.beyond()
    return work.indices, work.warned, work.marks


class _Months:
    """One comparison under way. moved: per month the places whose row is new or changed."""

    def __init__(self, session: Session, rules: Catalogue, found: CityIndices, whole: bool) -> None:
        self._session, self._found, self._whole = session, found, whole
        self._results = MonthResults(rules, found)
        self._fixed = (found.as_of.isoformat(), rules.org_power.scheme.id)
        self._digests = [self._digest(number) for number in range(len(found.months))]
        self._stored = {one: mark for one, mark in city_results.marks(session).items() if "-" in one}
        self._streak = max((_streak(rules, month.month.last) for month in found.months), default=1)
        self._moved: list[set[int]] = []
        self.indices, self.warned = Difference("org_power_index"), Difference("pool_colour")
        self.marks = MarkDifference(seen=self._stored)

    def _digest(self, number: int) -> str:
        """A mark of everything that the rows of this month are made from."""
        month = self._found.months[number]
        mark = sha256(orjson.dumps([self._fixed[1], [(one.id, one.field) for one in self._found.branches]]))
        for column in (month.row, *month.dimensions, month.deduction, month.score, month.rank, month.size):
            mark.update(np.ascontiguousarray(column).tobytes())
        for column in (month.lower, month.unmet, month.hits):
            mark.update(np.ascontiguousarray(column).tobytes())
        return mark.hexdigest()

    def month(self, number: int) -> None:
        """Compare one month; its colours depend on those before it, too."""
        text = self._found.months[number].month.text
        mark = sha256(" ".join(self._digests[max(0, number + 1 - self._streak) : number + 1]).encode()).hexdigest()
        known = self._stored.get(text) == mark
        if not known:
            self.marks.add([(text, mark)], [], 1)
        if known and not self._whole:
            self._moved.append(set())
            return
        self._power(number, text)
        self._colours(number, text, proof=self._whole or text not in self._stored)

    def _power(self, number: int, text: str) -> None:
        stored = city_results.power(self._session, text)
        moved = {place for place, row in self._results.power(number) if stored.pop(row[0], None) != row[1:]}
        self._moved.append(moved)
        put = _Power(self._results, number, text, self._fixed, moved)
        self.indices.add(put, [(one, text) for one in stored], len(moved))

    def _colours(self, number: int, text: str, *, proof: bool) -> None:
        """proof: compare what proves a colour, too; without, it is written anew with the rows that it tells of."""
        stored = city_results.colours(self._session, text, proof=proof)
        chosen: set[tuple[int, str]] = set()
        for place, warned in self._results.warnings(number):
            now: tuple[Any, ...] = (warned.owner, warned.reason)
            if proof:
                now = (*now, warned.proof())
            since = number + 1 - len(warned.months)
            differs = stored.pop((self._found.branches[place].id, warned.colour), None) != now
            if differs or any(place in moved for moved in self._moved[since : number + 1]):
                chosen.add((place, warned.colour))
        put = _Colours(self._results, number, text, [one.id for one in self._found.branches], chosen)
        self.warned.add(put, [(branch_id, text, colour) for branch_id, colour in stored], len(chosen))

    def beyond(self) -> None:
        """Months that are no part of the record any more."""
        record = {month.month.text for month in self._found.months}
        for text in sorted((city_results.months(self._session) | self._stored.keys()) - record):
            for difference in (self.indices, self.warned):
                difference.add([], city_results.month_rows(self._session, difference.table, text), 0)
            self.marks.add([], [(text,)], 0)


@dataclass
class _Power:
    """Rows of one month that become Python objects only when they are written."""

    results: MonthResults
    number: int
    month: str
    fixed: tuple[str, str]
    places: set[int] = field(default_factory=set)

    def __iter__(self) -> Iterator[Row]:
        for place, row in self.results.power(self.number) if self.places else ():
            if place in self.places:
                yield (row[0], self.month, *row[1:], *self.fixed)


@dataclass
class _Colours:
    """Colours of one month, likewise."""

    results: MonthResults
    number: int
    month: str
    branch_ids: list[int]
    chosen: set[tuple[int, str]] = field(default_factory=set)

    def __iter__(self) -> Iterator[Row]:
        for place, one in self.results.warnings(self.number) if self.chosen else ():
            if (place, one.colour) in self.chosen:
                proof = orjson.dumps(one.proof()).decode()
                yield self.branch_ids[place], self.month, one.colour, one.owner, one.reason, proof


def _streak(rules: Catalogue, day: date) -> int:
    """How many months the colours of a month look at."""
    return rules.org_power.terms_on(day).pool.months
