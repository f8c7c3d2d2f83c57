"""Exact figures: fractions in, hundredths out. Binary floats never enter a score."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainValidator, WithJsonSchema

_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")  # bounded, so that no figure of a file can stall us
_RATIO = re.compile(r"-?[0-9]{1,9}/[1-9][0-9]{0,8}")


def fraction(value: object) -> Fraction:
    """The figure that `value` writes: an integer, a Decimal, `0.85` or `2/9`. Raises ValueError otherwise."""
    if isinstance(value, (int, Fraction)) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite() and _DECIMAL.fullmatch(format(value, "f")):
        return Fraction(value)
    if isinstance(value, str) and (_DECIMAL.fullmatch(value) or _RATIO.fullmatch(value)):
        return Fraction(value)
    raise ValueError("a plain number is needed, such as 12 or 0.85")


def half_up(value: Fraction | int) -> int:
    """`value` in hundredths, rounded half up: 53.465 gives 5347."""
    exact = Fraction(value)
    return (200 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def printed(hundredths: int) -> str:
    """Hundredths as a column shows them: 5347 gives `53.47`."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def ceiling(value: Fraction) -> int:
    """The smallest integer that is not below `value`."""
    return -(-value.numerator // value.denominator)


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Exact = Annotated[Fraction, PlainValidator(fraction), WithJsonSchema({"type": "number"})]
"""A field of a rule file that holds an exact number."""

FromList = BeforeValidator(_as_tuple)
"""Rule files hold lists; the models keep them as tuples, so that nobody alters a rule at run time."""
