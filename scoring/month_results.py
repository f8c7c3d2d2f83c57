"""The months of the record as rows: the organisational power index of each organisation, and its colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scoring.catalogue import FIELDS, Catalogue
from scoring.city import CityIndices
from scoring.org_power_batch import PowerMonth, indicators_of, items_of, named
from scoring.org_power_scheme import Colour
from scoring.pool import MonthRow, Warned, bottom_word
from scoring.pool_batch import ColourColumn, pool_batch
from scoring.ranks import Place

PowerRow = tuple[Any, ...]
"""Organisation, field, five dimensions, deduction, score, rank, n, unmet indicators and negative items as text."""


class MonthResults:
    """The months of one computation; places are those of its branches."""

    def __init__(self, rules: Catalogue, found: CityIndices) -> None:
        self._rules, self._branches, self.months = rules, found.branches, found.months
        self._ids = {name: (indicators_of(rules, name), items_of(rules, name)) for name in FIELDS}
        self._known: dict[tuple[str, int, int], tuple[str, ...]] = {}

    def power(self, number: int) -> Iterator[tuple[int, PowerRow]]:
        """(place, row) of every organisation that has one in this month."""
        month = self.months[number]
        figures = [
            *month.dimensions,
            month.deduction,
            month.score,
            month.rank,
            month.size,
            month.unmet,
            month.hits,
        ]
        there = np.flatnonzero(month.row)
        columns = [column[there].tolist() for column in figures]
        for place, *row, unmet, hits in zip(there.tolist(), *columns, strict=True):
            branch = self._branches[place]
            texts = (";".join(self._named(place, 0, unmet)), ";".join(self._named(place, 1, hits)))
            yield place, (branch.id, branch.field, *row, *texts)

    def warnings(self, number: int) -> Iterator[tuple[int, Warned]]:
        """(place, colour with its causes and proof) of this month."""
        month = self.months[number]
        terms = self._rules.org_power.terms_on(month.month.last).pool
        streak = self.months[max(0, number + 1 - terms.months) : number + 1]
        words: dict[Colour, str] = {
            "blue": "",
            "yellow": bottom_word(terms.yellow_share),
            "red": bottom_word(terms.red_share),
        }
        proofs = [_Proof(self, one) for one in streak]
        for colour, column in pool_batch(terms, streak).items():
            proving = proofs if colour == "red" else proofs[-1:]
            for place, causes in self._causes(column, words[colour]):
                months = tuple(proof(place) for proof in proving)
                yield place, Warned(colour, terms.owners[colour], causes, months)

    def _causes(self, column: ColourColumn, word: str) -> Iterator[tuple[int, tuple[str, ...]]]:
        there = np.flatnonzero(column.given)
        told: Iterable[Any] = zip(
            there.tolist(),
            column.indicators[there].tolist(),
            column.items[there].tolist(),
            column.bottom[there].tolist(),
            strict=True,
        )
        for place, unmet, hits, low in told:
            yield place, (*self._named(place, 0, unmet), *self._named(place, 1, hits), *((word,) if low else ()))

    def _named(self, place: int, kind: int, mask: int) -> tuple[str, ...]:
        """Ids behind the bits of a mask (kind 0: indicators, 1: negative items), in the order of the catalogue."""
        if not mask:
            return ()
        field = self._branches[place].field
        known = self._known.get((field, kind, mask))
        if known is None:
            known = self._known[field, kind, mask] = named(mask, self._ids[field][kind])
        return known


class _Proof:
    """What the proof says of one organisation in one month, made when it is asked for."""

    def __init__(self, results: MonthResults, month: PowerMonth) -> None:
        self._results, self._text = results, month.month.text
        self._columns = [one.tolist() for one in (month.rank, month.size, month.lower, month.unmet, month.hits)]

    def __call__(self, place: int) -> MonthRow:
        rank, size, lower, unmet, hits = (column[place] for column in self._columns)
        named = self._results._named
        return MonthRow(self._text, Place(rank, size, lower), named(place, 0, unmet), named(place, 1, hits))
