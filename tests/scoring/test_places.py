"""From ids to places: by a table while ids lie close, by a search where they are far apart."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.places import SPARSE, Places, distinct


@pytest.mark.parametrize(
    ("ids", "wanted", "expected"),
    [
        ([0, 1, 5], [5, 1, 0, 2, 6, 7, 10**12], [2, 1, 0, -1, -1, -1, -1]),
        ([7], [7, 6, 8], [0, -1, -1]),
        ([], [0, 1], [-1, -1]),
        ([], [], []),
        ([3, 10**9], [10**9, 3, 4, 10**9 + 1, 0], [1, 0, -1, -1, -1]),
        ([10**9], [10**9, 10**9 - 1, 10**9 + 1], [0, -1, -1]),
        ([5, 100_000 + 2 * SPARSE], [100_000 + 2 * SPARSE, 5, 6], [1, 0, -1]),
        ([5, 100_000 + 2 * SPARSE - 1], [100_000 + 2 * SPARSE - 1, 100_000 + 2 * SPARSE, 5], [1, -1, 0]),
    ],
)
def test_each_id_finds_its_place(ids: list[int], wanted: list[int], expected: list[int]) -> None:
    found = Places(np.array(ids, dtype=np.int64))(np.array(wanted, dtype=np.int64))
    assert found.tolist() == expected
    assert found.dtype == np.int64


def test_only_ids_that_lie_close_get_a_table() -> None:
    def has_table(last: int) -> bool:
        return Places(np.array([0, last], dtype=np.int64))._table is not None

    assert [has_table(100_000 + 2 * SPARSE + more) for more in (-1, 0)] == [True, False]
    assert Places(np.array([], dtype=np.int64))._table is not None


@pytest.mark.parametrize("ids", [[], [7], [3, 1, 3, 2, 1], [10**9, 2, 10**9], [0, 0]])
def test_each_id_is_told_once_in_order(ids: list[int]) -> None:
    assert distinct(np.array(ids, dtype=np.int64)).tolist() == sorted(set(ids))
