"""Stars from bands, and the five-star quota of a field."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.blocks import Bands, check_bands, check_dates, in_force
from scoring.catalogue import shipped
from scoring.stars import Rated, next_band, stars, stars_in_field

CATALOGUE = shipped()
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


def test_a_scheme_with_one_or_two_bands_has_a_place_below_or_none() -> None:
    assert stars_in_field(((0, 5),), SHARE, field(9900, 9800)) == [5, 5]
    assert stars_in_field(((90, 5), (0, 2)), SHARE, field(9900, 9800)) == [5, 2]


@pytest.mark.parametrize(
    "bands",
    [
        ((0, 0),),
        ((0, 5),),
        ((100, 5), (0, 0)),
        ((90, 5), (80, 4), (0, 3)),
        ((99, 1), (0, 0)),
    ],
)
def test_bands_reach_from_nothing_to_a_hundred_and_from_no_star_to_five(bands: Bands) -> None:
    check_bands(bands)


@pytest.mark.parametrize(
    ("bands", "why"),
    [
        ((), "the last band must start at 0"),
        (((90, 5), (1, 1)), "the last band must start at 0"),
        (((90, 6), (0, 1)), "bands go from 0 to 100 and stars from 0 to 5"),
        (((90, 5), (50, 4), (0, -1)), "bands go from 0 to 100 and stars from 0 to 5"),
        (((101, 5), (0, 1)), "bands go from 0 to 100 and stars from 0 to 5"),
        (((0, -1),), "bands go from 0 to 100 and stars from 0 to 5"),
        (((0, 6),), "bands go from 0 to 100 and stars from 0 to 5"),
        (((90, 5), (90, 4), (0, 1)), "bands must descend: [90, 4] after [90, 5]"),
        (((90, 5), (80, 5), (0, 1)), "bands must descend: [80, 5] after [90, 5]"),
    ],
)
def test_other_bands_are_refused(bands: Bands, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        check_bands(bands)


def test_terms_need_dates_that_follow_each_other() -> None:
    first, second = (
        CATALOGUE.pioneer.terms[0].model_copy(update={"starts": date(2026, 1, day)}) for day in (1, 2)
    )
    check_dates([first])
    check_dates([first, second])
    with pytest.raises(ValueError, match=r"^at least one block of terms is needed$"):
        check_dates([])
    for terms in ([first, first], [second, first]):
        with pytest.raises(ValueError, match=r"^terms must stand in the order of their dates, each day once$"):
            check_dates(terms)
    found = [in_force([first, second], date(2026, 1, day)) for day in (1, 2, 3)]
    assert found == [first, second, second]
    assert in_force([first, second], date(2025, 12, 31)) is None
