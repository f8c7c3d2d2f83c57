"""Sums of fractions over columns, rounded once: 64-bit integers where they suffice, Python's own where not."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

from scoring.exact import half_up

Ints = NDArray[np.int64]
Ratio = tuple[Ints, Ints]
"""Numerators and denominators, one pair per row; denominators are above 0."""

BOTTOM_MAX = float(1 << 44)  # of a common denominator: 200 x 100 times it stays within 63 bits
WEIGHT_MAX = 1 << 20  # of the common denominator of weights


def half_up_sum(parts: Sequence[Ratio]) -> Ints:
    """The sum of the ratios in hundredths, rounded half up. Each ratio lies within 0..100, and so does the sum."""
    bottom = np.ones(len(parts[0][0]), dtype=np.int64)
    size = np.ones(len(bottom))
    for _, denominator in parts:
        factor = denominator // np.gcd(bottom, denominator)
        size *= factor
        bottom *= np.where(size <= BOTTOM_MAX, factor, 1)
    wide = size > BOTTOM_MAX
    top = np.zeros(len(bottom), dtype=np.int64)
    for numerator, denominator in parts:
        top += np.where(wide, 0, numerator * np.where(wide, 0, bottom // denominator))
    found: Ints = (200 * top + bottom) // (2 * bottom)
    for place in np.flatnonzero(wide).tolist():
        found[place] = half_up(sum((Fraction(int(n[place]), int(d[place])) for n, d in parts), Fraction(0)))
    return found


def weighted(weights: Sequence[Fraction], columns: Sequence[Ints]) -> Ints:
    """The weighted sum of columns in hundredths (0..10000), rounded half up."""
    bottom = lcm(*(weight.denominator for weight in weights))
    if bottom <= WEIGHT_MAX:
        top = np.zeros(len(columns[0]), dtype=np.int64)
        for weight, column in zip(weights, columns, strict=True):
            top += int(weight * bottom) * column
        rounded: Ints = (2 * top + bottom) // (2 * bottom)
        return rounded
    exact = [
        half_up(sum((w * int(v) for w, v in zip(weights, row, strict=True)), Fraction(0)) / 100)
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
    return np.array(exact, dtype=np.int64)
