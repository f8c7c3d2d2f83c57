"""Many JSON objects of short texts at once, as arrays: what the refresh reads of `PeriodValues`.

A dictionary per row and a Python text per value cost ten times more than finding them. So the objects of many rows
stand as one text, and arithmetic over its bytes finds the quotation marks. A text of up to eight bytes becomes a
number, its `word`. What is written in any other way (spaces, escapes, numbers) is refused: then JSON is parsed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from db.columns import Ints

Words = NDArray[np.uint64]

BYTES = 8  # of a word
_MASKS = np.array([(1 << 8 * size) - 1 for size in range(BYTES + 1)], dtype=np.uint64)
_QUOTE, _COLON, _COMMA, _OPENS, _CLOSES = b'":,{}'


@dataclass(frozen=True)
class Entries:
    """One entry each in every array: the place of its object, and the words of its key and of its value.

    long: per entry whose value is longer than a word the value; its word says nothing.
    """

    row: Ints
    key: Words
    value: Words
    long: dict[int, str]


def entries(text: str, count: int) -> Entries | None:
    """The entries of `count` objects that stand side by side in `text`; None when they must be parsed as JSON."""
    if not text.isascii() or "\\" in text or "\0" in text:
        return None
    content = np.frombuffer(text.encode() + bytes(BYTES), dtype=np.uint8)
    marks = np.flatnonzero(content == _QUOTE)
    if not len(marks) or len(marks) % 4:
        return None
    begin, end, value, after = marks.reshape(-1, 4).T
    opens = content[begin - 1] == _OPENS
    if not _well_formed(content, len(text), (begin, end, value, after), opens, count):
        return None
    key_size, size = end - begin - 1, after - value - 1
    if key_size.max() > BYTES:
        return None
    words = np.ndarray((len(content) - BYTES + 1,), dtype="<u8", buffer=content, strides=(1,))
    long = {n: text[value[n] + 1 : after[n]] for n in np.flatnonzero(size > BYTES).tolist()}
    return Entries(
        np.cumsum(opens) - 1,
        words[begin + 1] & _MASKS[key_size],
        words[value + 1] & _MASKS[np.where(size > BYTES, 0, size)],
        long,
    )


def text_of(word: int) -> str:
    """The text of a word."""
    return word.to_bytes(BYTES, "little").rstrip(b"\0").decode()


def _well_formed(
    content: NDArray[np.uint8], size: int, marks: tuple[Ints, ...], opens: NDArray[np.bool_], count: int
) -> bool:
    """Whether there are only objects of texts: a colon in each entry, a comma or two brackets between two."""
    begin, end, value, after = marks
    next_one = begin[1:]
    gap = np.where(opens[1:], 3, 2)
    return bool(
        begin[0] == 1
        and opens[0]
        and after[-1] == size - 2
        and content[size - 1] == _CLOSES
        and np.count_nonzero(opens) == count
        and (value == end + 2).all()
        and (content[end + 1] == _COLON).all()
        and (next_one == after[:-1] + gap).all()
        and (content[after[:-1] + 1] == np.where(opens[1:], _CLOSES, _COMMA)).all()
    )
