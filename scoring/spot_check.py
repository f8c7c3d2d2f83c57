"""The draw for the second look: from a seed that was fixed, and its hash told, before the lot was known.

Anybody can draw again: the seed's SHA-256 is the hash that was told; the candidates stand in the order of
SHA-256("SEED:ID"), and the first tenth of them is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from fractions import Fraction

from scoring.exact import ceiling


def commitment(seed: str) -> str:
    """What is told of the seed before the draw: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(seed.encode()).hexdigest()


def place(seed: str, declaration_id: int) -> str:
    """Where a candidate stands: SHA-256 of `SEED:ID` in hexadecimal digits; the lowest come first."""
    return hashlib.sha256(f"{seed}:{declaration_id}".encode()).hexdigest()


def size(candidates: int, share: Fraction) -> int:
    """How many are drawn: the share, rounded up, so at least one of any."""
    return ceiling(candidates * share)


def draw(seed: str, candidates: Iterable[int], share: Fraction) -> tuple[int, ...]:
    """The ids that are drawn, in the order of their places. The order of `candidates` does not matter."""
    ids = set(candidates)
    return tuple(sorted(ids, key=lambda one: place(seed, one))[: size(len(ids), share)])
