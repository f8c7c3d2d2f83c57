"""Collected values of all branches in columns: each distinct text is a number, judged once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scoring.exact import fraction
from scoring.fortress_scheme import Value
from scoring.items import Indicator, read_value

Codes = NDArray[np.int32]
Bools = NDArray[np.bool_]

UNIT = 10**6  # figures with up to six decimals are compared as integers
FIGURE_MAX = 10**12


def stored_value(text: str, *, statement: bool) -> Value:
    """A stored value as scoring reads it; what is empty, or not of the form that is asked for, is none."""
    try:
        return read_value(text.strip(), statement=statement)
    except ValueError:
        return None


@dataclass(frozen=True)
class ValueColumns:
    """texts: per code what was recorded; code 0 stands for no row. columns: per indicator (or item) and written
    period one code per branch; those that nobody has may be missing. known: every pair that any organisation has.
    """

    texts: list[str] = field(default_factory=lambda: [""])
    columns: Mapping[tuple[str, str], Codes] = field(default_factory=dict)
    known: frozenset[tuple[str, str]] = frozenset()

    def met(self, indicator: Indicator, period: str) -> Bools | None:
        """Per branch whether its value of the period meets the threshold; None where nobody has one."""
        codes = self.columns.get((indicator.id, period))
        return None if codes is None else self._judged(indicator)[codes]

    def given(self, *, statement: bool) -> Bools:
        """Per code whether it is a value at all."""
        return self._statements >= 0 if statement else self._given

    def value(self, code: int, *, statement: bool) -> Value:
        """What one code says."""
        return stored_value(self.texts[code], statement=statement)

    def _judged(self, indicator: Indicator) -> Bools:
        key = (indicator.id, indicator.starts.toordinal())
        found = self._verdicts.get(key)
        if found is None:
            found = self._verdicts[key] = self._judge(indicator)
        return found

    def _judge(self, indicator: Indicator) -> Bools:
        if indicator.statement:
            return np.asarray(self._statements == 1)
        limit = (Fraction(1) if indicator.threshold == "plan" else fraction(indicator.threshold)) * UNIT
        figures, bound = self._figures, limit.numerator if limit.denominator == 1 else None
        odd = self._given & ~self._plain
        if bound is None or abs(bound) > FIGURE_MAX * UNIT:
            verdict, odd = np.zeros(len(self.texts), dtype=np.bool_), self._given
        else:
            verdict = (
                self._plain
                & {
                    "==": figures == bound,
                    ">=": figures >= bound,
                    "<=": figures <= bound,
                    "<": figures < bound,
                }[indicator.op]
            )
        for code in np.flatnonzero(odd).tolist():
            verdict[code] = indicator.is_met(self.value(code, statement=False))
        return verdict

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int], Bools]:
        return {}

    @cached_property
    def _statements(self) -> NDArray[np.int8]:
        """1: yes, 0: no, -1: neither."""
        read = (stored_value(text, statement=True) for text in self.texts)
        return np.array([-1 if one is None else int(one) for one in read], dtype=np.int8)

    @cached_property
    def _parsed(self) -> list[Value]:
        return [stored_value(text, statement=False) for text in self.texts]

    @cached_property
    def _given(self) -> Bools:
        return np.array([one is not None for one in self._parsed], dtype=np.bool_)

    @cached_property
    def _plain(self) -> Bools:
        """Figures that are integers in units of 1 / UNIT."""
        return np.array(
            [
                one is not None and UNIT % Fraction(one).denominator == 0 and abs(Fraction(one)) <= FIGURE_MAX
                for one in self._parsed
            ],
            dtype=np.bool_,
        )

    @cached_property
    def _figures(self) -> NDArray[np.int64]:
        pairs = zip(self._parsed, self._plain.tolist(), strict=True)
        return np.array([int(Fraction(one) * UNIT) if plain and one is not None else 0 for one, plain in pairs])
