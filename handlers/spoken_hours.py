"""Hours as people type and read them; a half hour is the smallest part."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

HALF_HOUR = 50  # hundredths of an hour
_HOURS = re.compile(r"(\d{1,2})(?:\.([05]))?\s*个?(?:小时|学时|hours?)?(半)?")


def half_hours(starts_at: datetime, ends_at: datetime) -> int:
    """Whole half hours of a length; at least one."""
    return max(1, int((ends_at - starts_at) / timedelta(minutes=30)))


def spoken_half_hours(word: str) -> int | None:
    """`2` and `2小时` are four half hours, `1.5` and `1小时半` are three; `3h` of a button is three half hours."""
    said = unicodedata.normalize("NFKC", word).strip().lower()
    if re.fullmatch(r"\d{1,3}h", said):
        return int(said[:-1])
    found = _HOURS.fullmatch(said)
    if not found:
        return 1 if said in ("半小时", "半个小时", "half an hour") else None
    return 2 * int(found[1]) + (found[2] == "5" or found[3] is not None)


def said_hours(hundredths: int) -> str:
    """Hours without a tail of zeros: 200 -> 2, 150 -> 1.5."""
    return f"{hundredths // 100}" if hundredths % 100 == 0 else f"{hundredths / 100:.1f}"
