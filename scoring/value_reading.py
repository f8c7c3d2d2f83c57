"""The collected values of all branches, out of the database into columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from sqlmodel import Session

from db import city_collected
from db.city_collected import Laid, OfPeriod
from db.city_columns import View
from db.entry_texts import Words, text_of
from scoring.places import Places
from scoring.ratios import Ints
from scoring.value_columns import Codes, ValueColumns

SLOT_BITS = 16
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # spreads words over the slots; any odd number does


def read_values(session: Session, view: View, places: Places) -> ValueColumns:
    """The values of the branches in `places`, from `PeriodValues`, or from the log where `view` asks for lines."""
    found = _Reading(places)
    for part in _from_log(session, view) if view.lines else city_collected.period_values(session):
        if isinstance(part, Laid):
            found.take_laid(part)
        else:
            found.take(part)
    return ValueColumns(["", *found.codes], found.columns, frozenset(found.columns))


class _Words:
    """From words to numbers, by a table with a slot for the hash of a word; the first in a slot has it."""

    def __init__(self, number_of: Callable[[str], int]) -> None:
        self._number_of = number_of
        self._words = np.zeros(1 << SLOT_BITS, dtype=np.uint64)
        self._numbers = np.full(1 << SLOT_BITS, -1, dtype=np.int32)

    def __call__(self, words: Words) -> Codes:
        """The number of each; what is new gets one."""
        slots = (words * _SPREAD) >> np.uint64(64 - SLOT_BITS)
        found: Codes = self._numbers[slots]
        other = np.flatnonzero((self._words[slots] != words) | (found < 0))
        if len(other):
            distinct, back = np.unique(words[other], return_inverse=True)
            numbers = np.array([self._number_of(text_of(word)) for word in distinct.tolist()], dtype=np.int32)
            found[other] = numbers[back]
            slots = (distinct * _SPREAD) >> np.uint64(64 - SLOT_BITS)
            free = self._numbers[slots] < 0
            self._words[slots[free]], self._numbers[slots[free]] = distinct[free], numbers[free]
        return found


class _Reading:
    """codes: the number of each distinct text; 0 stays free for what nobody has."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.codes: dict[str, int] = {}
        self.columns: dict[tuple[str, str], Codes] = {}
        self._names: dict[str, int] = {}
        self._value_words = _Words(self._code)
        self._name_words = _Words(lambda name: self._names.setdefault(name, len(self._names)))

    def _code(self, text: str) -> int:
        return self.codes.setdefault(text, len(self.codes) + 1)

    def take_laid(self, part: Laid) -> None:
        """Entries side by side: those of one indicator and period go into its column in one step."""
        told = part.entries
        codes, names = self._value_words(told.value), self._name_words(told.key)
        for number, text in told.long.items():
            codes[number] = self._code(text)
        periods = {text: number for number, text in enumerate(dict.fromkeys(part.periods))}
        period = np.array([periods[text] for text in part.periods], dtype=np.int32)
        place = self.places(part.organizations)[told.row]
        pair = names * len(periods) + period[told.row]
        if len(self._names) * len(periods) < 1 << 15:
            pair = pair.astype(np.int16)  # sorted several times faster
        order = np.argsort(pair, kind="stable")
        pair, codes, place = pair[order], codes[order], place[order]
        starts = np.flatnonzero(np.diff(pair, prepend=-1)).tolist()
        known, texts = list(self._names), list(periods)
        for start, end in zip(starts, [*starts[1:], len(pair)], strict=True):
            name, number = divmod(int(pair[start]), len(periods))
            column, here = self._column(known[name], texts[number]), place[start:end]
            there = here >= 0
            column[here[there]] = codes[start:end][there]

    def _column(self, name: str, period: str) -> Codes:
        column = self.columns.get((name, period))
        if column is None:
            column = self.columns[name, period] = np.zeros(len(self.places.ids), dtype=np.int32)
        return column

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
            self._code(text)
        flat = np.fromiter(map(self.codes.__getitem__, texts), dtype=np.int32, count=len(texts))
        for (period, names), (ids, starts) in groups.items():
            self._lay(period, names, np.array(ids, dtype=np.int64), np.array(starts, dtype=np.int64), flat)

    def _lay(self, period: str, names: tuple[str, ...], ids: Ints, starts: Ints, flat: Codes) -> None:
        place = self.places(ids)
        starts, place = starts[place >= 0], place[place >= 0]
        for number, name in enumerate(names):
            self._column(name, period)[place] = flat[starts + number]


def _from_log(session: Session, view: View) -> Iterator[list[OfPeriod]]:
    latest: dict[tuple[int, str], dict[str, str]] = {}
    for organization_id, indicator_id, period, value in city_collected.value_lines(session, view):
        latest.setdefault((organization_id, period), {})[indicator_id] = value
    yield [(organization_id, period, entries) for (organization_id, period), entries in latest.items()]
