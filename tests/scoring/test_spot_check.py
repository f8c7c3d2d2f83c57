"""The draw for the second look: anybody can draw again with a pocket computer."""

from __future__ import annotations

import hashlib
from fractions import Fraction

import pytest

from scoring.spot_check import commitment, draw, place, size


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def test_what_is_told_before_and_where_a_candidate_stands_are_plain_hashes() -> None:
    assert commitment("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert place("红信", 12) == digest("红信:12")


@pytest.mark.parametrize(("candidates", "drawn"), [(0, 0), (1, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
def test_a_tenth_is_drawn_and_at_least_one_of_any(candidates: int, drawn: int) -> None:
    assert size(candidates, Fraction(1, 10)) == drawn
    assert len(draw("seed", range(candidates), Fraction(1, 10))) == drawn


def test_the_lowest_hashes_are_drawn_in_their_order_whatever_the_order_of_the_candidates() -> None:
    expected = sorted(range(1, 41), key=lambda one: digest(f"seed:{one}"))[:4]
    assert expected != sorted(expected)
    for candidates in (range(1, 41), range(40, 0, -1), [*range(1, 41), 7, 7]):
        assert list(draw("seed", candidates, Fraction(1, 10))) == expected
    assert list(draw("another", range(1, 41), Fraction(1, 10))) != expected
