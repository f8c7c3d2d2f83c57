"""How many of a field a board names."""

from __future__ import annotations

import pytest

from scoring.ranks import named_at_most


@pytest.mark.parametrize(
    ("n", "named"), [(0, 0), (1, 1), (2, 1), (3, 2), (12, 6), (18, 9), (19, 10), (20, 10), (21, 10), (2_500, 10)]
)
def test_a_board_names_the_upper_half_and_never_more_than_ten(n: int, named: int) -> None:
    assert named_at_most(n, 10) == named
