"""The colours of all organisations in one month: the same causes as `pool.colours`, over columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from scoring.org_power_batch import PowerMonth
from scoring.org_power_scheme import Colour, PoolTerms
from scoring.ratios import Ints

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ColourColumn:
    """One colour in one month. Who has it and why: bits of indicators and items, and whether the bottom is one."""

    given: Bools
    indicators: Ints
    items: Ints
    bottom: Bools


def bottom(month: PowerMonth, share: Fraction) -> Bools:
    """Who is in the bottom `share` of the field: fewer than floor(n x share) stand lower, and not the best."""
    places = month.size * share.numerator // share.denominator
    return month.row & (month.rank > 1) & (month.lower < places)


def pool_batch(terms: PoolTerms, months: Sequence[PowerMonth]) -> Mapping[Colour, ColourColumn]:
    """The colours of the last of `months`, which follow each other; terms are those of its last day.

    At least `terms.months` of them are needed where the record reaches so far.
    """
    now = months[-1]
    none = np.zeros(len(now.row), dtype=np.int64)
    nowhere = none.astype(bool)
    blue = now.row & ((now.unmet != 0) | (now.hits != 0))
    yellow = bottom(now, terms.yellow_share)
    streak = months[-terms.months :]
    whole = now.row if len(streak) == terms.months else nowhere
    lasting, low = now.unmet.copy(), np.ones(len(now.row), dtype=bool)
    for month in streak:
        whole = whole & month.row
        lasting &= month.unmet
        low &= bottom(month, terms.red_share)
    lasting, low = np.where(whole, lasting, 0), low & whole
    return {
        "blue": ColourColumn(blue, np.where(blue, now.unmet, 0), np.where(blue, now.hits, 0), nowhere),
        "yellow": ColourColumn(yellow, none, none, yellow),
        "red": ColourColumn(low | (lasting != 0), lasting, none, low),
    }
