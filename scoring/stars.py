"""Stars from a score, and the five-star quota of a field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from scoring.blocks import Bands


def stars(bands: Bands, score: int) -> int:
    """Stars of `score` (hundredths): those of the first band whose lower bound it reaches."""
    return next(given for bound, given in bands if score >= 100 * bound)


def next_band(bands: Bands, score: int) -> tuple[int, int] | None:
    """The lower bound (hundredths) and the stars of the band above `score`; None at the top."""
    above = [(100 * bound, given) for bound, given in bands if score < 100 * bound]
    return above[-1] if above else None


@dataclass(frozen=True, slots=True)
class Rated:
    """What the quota needs to know of one branch: its printed score (hundredths) and whether it is vetoed."""

    score: int
    vetoed: bool


def stars_in_field(bands: Bands, five_star_share: Fraction, field: Sequence[Rated]) -> list[int]:
    """Stars of every branch of one field, in the order given.

    A vetoed branch has none. The top band is kept only where fewer than max(1, floor(share x n)) branches
    that are not vetoed have a strictly higher score; others fall to the band below. n counts the vetoed
    ones too.
    """
    top = bands[0][1]
    below = bands[1][1] if len(bands) > 1 else top
    places = max(1, int(five_star_share * len(field)))
    ranked = sorted((one.score for one in field if not one.vetoed), reverse=True)
    # Fewer than `places` scores are higher exactly when this one reaches the score at the last place.
    cut = ranked[places - 1] if len(ranked) >= places else 0
    given = []
    for one in field:
        earned = 0 if one.vetoed else stars(bands, one.score)
        given.append(below if earned == top and one.score < cut else earned)
    return given
