"""Tables that go out of the house: no cell of them can become a formula where they are opened."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a spreadsheet begins a formula; the wide forms, too, in some."""


def safe_cell(text: str) -> str:
    """The text with an apostrophe before it where it would be taken for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS) else text


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """A csv that spreadsheets open as it is: UTF-8 with a mark, every cell safe."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerows([safe_cell(str(cell)) for cell in row] for row in rows)
    return made.getvalue().encode("utf-8-sig")
