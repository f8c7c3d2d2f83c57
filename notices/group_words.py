"""What may be posted in a group: one short message without anybody's telephone number."""

from __future__ import annotations

import re
import unicodedata

from notices.group_way import TEXT_MAX
from notices.letter_words import TURNING

TOPIC_MAX = 120  # characters of one line of a list of topics
_PERSONAL = re.compile(r"(?<!\d)(1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")  # a mobile number, an identity number


def unfit(text: str, *, typed: str, most: int = TEXT_MAX) -> str | None:
    """Why this cannot be posted: `too_long`, `turning`, `only_signs` or `personal`; None when it can.

    typed: the text as it came, not cleaned.
    """
    if max(len(text), len(typed.strip())) > most:
        return "too_long"
    if TURNING.search(typed):
        return "turning"
    if not any(unicodedata.category(one)[0] in "LN" for one in text):
        return "only_signs"
    return "personal" if _PERSONAL.search(re.sub(r"[\s-]", "", text)) else None
