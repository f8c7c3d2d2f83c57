"""Stars from bands, and the five-star quota of a field."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.stars import Rated, next_band, stars, stars_in_field

BANDS = ((90, 5), (80, 4), (70, 3), (60, 2), (0, 1))
SHARE = Fraction(3, 10)


def field(*scores: int, vetoed: int = 0) -> list[Rated]:
    return [Rated(score, vetoed=False) for score in scores] + [Rated(10000, vetoed=True)] * vetoed


@pytest.mark.parametrize(
    ("score", "given_stars"),
    [(10000, 5), (9000, 5), (8999, 4), (8000, 4), (7999, 3), (7000, 3), (6999, 2), (6000, 2), (5999, 1), (0, 1)],
)
def test_lower_bounds_are_included(score: int, given_stars: int) -> None:
    assert stars(BANDS, score) == given_stars


def test_the_next_band_is_the_nearest_above() -> None:
    assert next_band(BANDS, 7150) == (8000, 4)
    assert next_band(BANDS, 8000) == (9000, 5)
    assert next_band(BANDS, 9000) is None


def test_ten_branches_have_three_places() -> None:
    scores = [9900, 9800, 9700, 9600, *[5000] * 6]
    assert stars_in_field(BANDS, SHARE, field(*scores))[:4] == [5, 5, 5, 4]


def test_thirteen_branches_have_three_and_fourteen_four_places() -> None:
    assert stars_in_field(BANDS, SHARE, field(*[9900, 9800, 9700, 9600], *[5000] * 9))[3] == 4
    assert stars_in_field(BANDS, SHARE, field(*[9900, 9800, 9700, 9600], *[5000] * 10))[3] == 5


def test_ties_at_the_cut_all_keep_five() -> None:
    assert stars_in_field(BANDS, SHARE, field(9900, 9800, 9700, 9700, 9700, 9600, *[0] * 4))[:6] == [
        5, 5, 5, 5, 5, 4,
    ]  # fmt: skip


def test_in_a_field_of_three_only_the_best_can_have_five() -> None:
    assert stars_in_field(BANDS, SHARE, field(9500, 9400, 9300)) == [5, 4, 4]
    assert stars_in_field(BANDS, SHARE, field(9500, 9500, 9300)) == [5, 5, 4]


def test_a_vetoed_branch_has_no_star_takes_no_place_and_counts_in_the_size() -> None:
    with_vetoed = stars_in_field(BANDS, SHARE, field(9900, 9800, 9700, vetoed=4))
    assert with_vetoed == [5, 5, 4, 0, 0, 0, 0]
    assert stars_in_field(BANDS, SHARE, field(9900, 9800, 9700)) == [5, 4, 4]


def test_the_quota_gives_nobody_more_than_the_band() -> None:
    assert stars_in_field(BANDS, SHARE, field(8999, 5000)) == [4, 1]
    assert stars_in_field(BANDS, SHARE, []) == []


@given(st.lists(st.builds(Rated, st.integers(8800, 10000), st.booleans()), max_size=40))
def test_the_quota_is_what_its_definition_says(branches: list[Rated]) -> None:
    places = max(1, len(branches) * 3 // 10)
    for one, given_stars in zip(branches, stars_in_field(BANDS, SHARE, branches), strict=True):
        higher = sum(other.score > one.score for other in branches if not other.vetoed)
        expected = 0 if one.vetoed else stars(BANDS, one.score)
        if expected == 5 and higher >= places:
            expected = 4
        assert given_stars == expected
