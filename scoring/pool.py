"""The three-colour pool: the colours of an organisation in a month, their causes and proof. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from scoring.org_power_scheme import Colour, Owner, PoolTerms
from scoring.ranks import Place, at_bottom


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What the pool needs to know of one organisation in one month.

    unmet: indicators that stand unmet, in the order of the catalogue. hits: items of the negative list with
    cases in the month, in the order of the list.
    """

    month: str  # 2026-03
    place: Place  # in the field and month, by printed scores
    unmet: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warned:
    """One colour with its owner, its causes in their order, and the months that prove it, the earliest first."""

    colour: Colour
    owner: Owner
    causes: tuple[str, ...]  # indicators, then negative items, then bottom_10 or bottom_5
    months: tuple[MonthRow, ...]

    @property
    def reason(self) -> str:
        """The causes as they are stored and printed: `C02;SE03`."""
        return ";".join(self.causes)

    def proof(self) -> dict[str, Any]:
        """The months with rank, field size, unmet indicators and negative items, ready for JSON."""
        return {
            "months": [
                {
                    "month": row.month,
                    "rank": row.place.rank,
                    "n": row.place.n,
                    "unmet": list(row.unmet),
                    "negatives": list(row.hits),
                }
                for row in self.months
            ]
        }


def bottom_word(share: Fraction) -> str:
    """The cause of standing in the bottom share: `bottom_10` for a tenth."""
    return f"bottom_{100 * share}"


def colours(terms: PoolTerms, rows: Sequence[MonthRow | None]) -> list[Warned]:
    """Every colour of the month of the last row, from the mildest to the most severe.

    rows: the organisation's months one after the other up to the month that is asked for, at least
    `terms.months` of them where the record reaches so far; None for a month without a row, which breaks a
    streak. None at the end: there is no row, and so no colour.
    """
    return [Warned(colour, terms.owners[colour], causes, months) for colour, causes, months in _found(terms, rows)]


def _found(
    terms: PoolTerms, rows: Sequence[MonthRow | None]
) -> Iterator[tuple[Colour, tuple[str, ...], tuple[MonthRow, ...]]]:
    now = rows[-1] if rows else None
    if now is None:
        return
    if now.unmet or now.hits:
        yield "blue", (*now.unmet, *now.hits), (now,)
    if at_bottom(now.place, terms.yellow_share):
        yield "yellow", (bottom_word(terms.yellow_share),), (now,)
    streak = tuple(row for row in rows[-terms.months :] if row is not None)
    if len(streak) < terms.months:
        return
    lasting = tuple(one for one in now.unmet if all(one in row.unmet for row in streak))
    low = all(at_bottom(row.place, terms.red_share) for row in streak)
    causes = (*lasting, bottom_word(terms.red_share)) if low else lasting
    if causes:
        yield "red", causes, streak
