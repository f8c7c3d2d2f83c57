"""From ids to places in an array, for many ids at once."""

from __future__ import annotations

import numpy as np

from scoring.ratios import Ints

SPARSE = 8  # ids may lie this far apart before a table from id to place costs more than a search


class Places:
    """From ids to their places in a sorted array; -1 for those that are not in it."""

    def __init__(self, ids: Ints) -> None:
        self.ids = ids
        self._table: Ints | None = None
        last = int(ids[-1]) if len(ids) else 0
        if last < SPARSE * len(ids) + 100_000:
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
