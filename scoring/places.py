"""From ids to places in an array, for many ids at once."""

from __future__ import annotations

import numpy as np

from scoring.ratios import Ints

SPARSE = 8  # ids may lie this far apart before a table from id to place costs more than a search


def distinct(ids: Ints) -> Ints:
    """Each id once, in order; where ids lie close, without sorting."""
    last = int(ids.max()) if len(ids) else 0
    if last >= _reach(len(ids)):
        return np.unique(ids)
    there = np.zeros(last + 1, dtype=bool)
    there[ids] = True
    return np.flatnonzero(there)


def _reach(count: int) -> int:
    """The largest id up to which a table is worth it."""
    return SPARSE * count + 100_000


class Places:
    """From ids to their places in a sorted array; -1 for those that are not in it."""

    def __init__(self, ids: Ints) -> None:
        self.ids = ids
        self._table: Ints | None = None
        last = int(ids[-1]) if len(ids) else 0
        if last < _reach(len(ids)):
            self._table = np.full(last + 2, -1, dtype=np.int64)
            self._table[ids] = np.arange(len(ids))

    def __call__(self, wanted: Ints) -> Ints:
        """The place of each."""
        if self._table is not None:
            return self._table[np.where(wanted < len(self._table), wanted, len(self._table) - 1)]
        near = np.minimum(np.searchsorted(self.ids, wanted), max(0, len(self.ids) - 1))
        if not len(self.ids):
            return np.full(len(wanted), -1, dtype=np.int64)
        found: Ints = np.where(self.ids[near] == wanted, near, -1)
        return found
