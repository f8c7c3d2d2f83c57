"""The organisational power index of all organisations in a month: the same figures as `org_power`, in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scoring.catalogue import FIELDS, Catalogue
from scoring.items import Indicator
from scoring.org_power_scheme import DIMENSIONS, IndexTerms
from scoring.periods import CalendarPeriod, last_ended
from scoring.ratios import Ints
from scoring.value_columns import ValueColumns

Bools = NDArray[np.bool_]
IDS_MAX = 62  # bits of a mask


@dataclass(frozen=True)
class PowerColumns:
    """All organisations with a field, one entry each. fields: place in FIELDS; founded: ordinal, 0 for always.

    negatives: per written month and item, the net cases with a day in it; what nobody has may be missing.
    """

    fields: Ints
    founded: Ints
    values: ValueColumns
    negatives: Mapping[tuple[str, str], Ints] = field(default_factory=dict)


@dataclass(frozen=True)
class PowerMonth:
    """One month, one entry per organisation. What stands where `row` is false means nothing.

    dimensions: five columns in the order of DIMENSIONS. unmet and hits: a bit per place in `indicators_of` and
    `items_of` the field. rank, size, lower: in the field; lower counts the strictly lower.
    """

    month: CalendarPeriod
    row: Bools
    dimensions: Ints
    deduction: Ints
    score: Ints
    rank: Ints
    size: Ints
    lower: Ints
    unmet: Ints
    hits: Ints


@lru_cache(maxsize=64)
def indicators_of(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """Ids of the indicators that a field ever had, in their order. Raises ValueError for too many."""
    return _fitting(row.id for row in catalogue.indicators if row.field in ("all", name))


@lru_cache(maxsize=64)
def items_of(catalogue: Catalogue, name: str) -> tuple[str, ...]:
    """Ids of the negative items that a field ever had, in their order. Raises ValueError for too many."""
    return _fitting(row.id for row in catalogue.negatives if row.field in ("all", name))


def _fitting(ids: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(ids))
    if len(found) > IDS_MAX:
        raise ValueError(f"a field cannot have more than {IDS_MAX} ids in a list, and one has {len(found)}")
    return found


def named(mask: int, ids: Sequence[str]) -> tuple[str, ...]:
    """The ids whose bits are set, in their order."""
    return tuple(one for place, one in enumerate(ids) if mask >> place & 1)


def org_power_batch(
    catalogue: Catalogue, columns: PowerColumns, *, month: CalendarPeriod, first_closed: Mapping[str, date]
) -> PowerMonth:
    """The index of every organisation in `month`, by the rules of its last day; one founded later has no row."""
    size = len(columns.fields)
    work = _Month(catalogue, columns, month, first_closed)
    row = columns.founded <= month.first.toordinal()
    dimensions = np.zeros((len(DIMENSIONS), size), dtype=np.int64)
    deduction, unmet, hits, score, rank, fields, lower = np.zeros((7, size), dtype=np.int64)
    terms = catalogue.org_power.terms_on(month.last).index
    for number, name in enumerate(FIELDS):
        here = np.flatnonzero(row & (columns.fields == number))
        if not len(here):
            continue
        dimensions[:, here], unmet[here] = work.dimensions(terms, name, here)
        taken, hits[here] = work.negatives(name, here)
        deduction[here] = 100 * np.minimum(terms.deduction_max, taken)
        printed = np.maximum(100 * terms.score_min, dimensions[:, here].sum(axis=0) - deduction[here])
        score[here], fields[here] = printed, len(here)
        ordered = np.sort(printed)
        rank[here] = 1 + len(here) - np.searchsorted(ordered, printed, side="right")
        lower[here] = np.searchsorted(ordered, printed, side="left")
    return PowerMonth(month, row, dimensions, deduction, score, rank, fields, lower, unmet, hits)


class _Month:
    """One month under way."""

    def __init__(
        self, catalogue: Catalogue, columns: PowerColumns, month: CalendarPeriod, first: Mapping[str, date]
    ) -> None:
        self._catalogue, self._columns, self._month, self._first = catalogue, columns, month, first

    def dimensions(self, terms: IndexTerms, name: str, here: Ints) -> tuple[Ints, Ints]:
        """The five dimensions of these organisations of one field, and what stands unmet."""
        due, earned = np.zeros((2, len(DIMENSIONS), len(here)), dtype=np.int64)
        unmet, ids = np.zeros(len(here), dtype=np.int64), indicators_of(self._catalogue, name)
        for one in self._catalogue.indicators_on(name, self._month.last):
            asked, met = self._standing(one, here)
            place = DIMENSIONS.index(one.dimension)
            due[place] += one.points * asked
            earned[place] += one.points * met
            unmet |= (asked & ~met).astype(np.int64) << ids.index(one.id)
        bottom = np.maximum(due, 1)
        printed = (200 * terms.dimension_points * earned + bottom) // (2 * bottom)
        return np.where(due > 0, printed, 100 * terms.dimension_points), unmet

    def _standing(self, one: Indicator, here: Ints) -> tuple[Bools, Bools]:
        """Whether the indicator is due, and whether it is met, by the last period that has ended."""
        nothing = np.zeros(len(here), dtype=bool)
        ended, first = last_ended(one.period, self._month.last), self._first.get(one.id)
        if ended is None or first is None or ended.last < first:
            return nothing, nothing
        asked = self._columns.founded[here] <= ended.first.toordinal()
        verdict = self._columns.values.met(one, ended.text)
        return asked, nothing if verdict is None else asked & verdict[here]

    def negatives(self, name: str, here: Ints) -> tuple[Ints, Ints]:
        """Points that the negative list takes before its cap, and the items that have cases."""
        taken, hits = np.zeros((2, len(here)), dtype=np.int64)
        ids = items_of(self._catalogue, name)
        for item in self._catalogue.negatives_on(name, self._month.last):
            counts = self._columns.negatives.get((self._month.text, item.id))
            if counts is not None:
                net = np.maximum(counts[here], 0)
                taken += -item.points * net
                hits |= (net > 0).astype(np.int64) << ids.index(item.id)
        return taken, hits
