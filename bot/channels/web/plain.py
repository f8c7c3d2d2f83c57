"""Which characters a text may hold before it goes into the database."""

from __future__ import annotations

import re

# Control characters but tab and line ends, and halves of characters that no database can store.
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def has_odd_characters(text: str) -> bool:
    """Whether `text` holds control characters or halves of characters."""
    return bool(_ODD.search(text))


def plain(text: str) -> str:
    """`text` without them."""
    return _ODD.sub("", text)
