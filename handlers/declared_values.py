"""Values of declarations as people type them, read into the form in which they are recorded."""

from __future__ import annotations

import re
from fractions import Fraction

from handlers.meaning import folded, typed_number
from scoring.declaring import Form

COUNT_MAX = 9999
PLACES = 10_000  # a share that goes on for ever is cut after four places, never rounded up to a full one
_UNIT = re.compile(r"\s*(次|个|项|人|条|件|轮|名|times?|persons?|people)$")
_NONE = ("没有", "无", "零", "一次也没有", "none", "no")
_PERCENT = re.compile(r"(?:百分之)?([0-9]{1,3}(?:\.[0-9]{1,4})?)\s*(%|percent)?")
_RATIO = re.compile(r"([0-9]{1,6})\s*/\s*([0-9]{1,6})")
_YES = ("true", "yes", "y", "是", "达到", "达到了", "做到了", "有", "对")
_NO = ("false", "no", "n", "否", "没达到", "没有达到", "没做到", "没有", "无")


def read_words(text: str, form: Form) -> str | None:
    """What is recorded for these words: `true`, `2`, `0.95`; None when they cannot be read."""
    word = folded(text)
    if form == "statement":
        return "true" if word in _YES else "false" if word in _NO else None
    return _rate(word) if form == "rate" else _count(word)


def _count(word: str) -> str | None:
    if word in _NONE:
        return "0"
    number = typed_number(_UNIT.sub("", word))
    return number if number is not None and int(number) <= COUNT_MAX else None


def _rate(word: str) -> str | None:
    """A share from `95%`, `0.95`, `95`, `19/20`. A bare 1 is all, a bare number above 1 is percent."""
    ratio = _RATIO.fullmatch(word)
    if ratio:
        part, whole = int(ratio[1]), int(ratio[2])
        return decimal(Fraction(part, whole)) if whole > 0 and part <= whole else None
    found = _PERCENT.fullmatch(word)
    if found is None:
        return None
    figure = Fraction(found[1])
    percent = found[2] is not None or word.startswith("百分之") or figure > 1
    share = figure / 100 if percent else figure
    return decimal(share) if share <= 1 else None


def decimal(share: Fraction) -> str:
    """The figure with at most four places, cut: `0.9523`, `1`."""
    whole, rest = divmod(share.numerator * PLACES // share.denominator, PLACES)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
