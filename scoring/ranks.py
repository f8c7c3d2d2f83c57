"""Places among others: ranks, and who is in the bottom share of a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of n stands. rank: 1 + how many are strictly higher. lower: how many are strictly lower."""

    rank: int
    n: int
    lower: int


def ranked(scores: Sequence[int]) -> list[int]:
    """Ranks in the order given: 1 + how many are strictly higher, so 1, 2, 2, 4."""
    return [place.rank for place in places(scores)]


def places(scores: Sequence[int]) -> list[Place]:
    """The place of each score among all of them, in the order given."""
    n = len(scores)
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, score in enumerate(sorted(scores, reverse=True), start=1):
        first.setdefault(score, number)
        last[score] = number
    found = {score: Place(first[score], n, n - last[score]) for score in first}
    return [found[score] for score in scores]


def named_at_most(n: int, most: int) -> int:
    """How many of n a board names: the upper half, rounded up, and never more than `most`.

    A board of all but a few would tell who the few are.
    """
    return min(most, (n + 1) // 2)


def at_bottom(place: Place, share: Fraction) -> bool:
    """Whether the place lies in the bottom `share` of its field: fewer than floor(n x share) stand lower.

    Who has the best score of the field never does, so a field of equals has no bottom.
    """
    return place.rank > 1 and place.lower < int(place.n * share)
