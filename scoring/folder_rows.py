"""Reading one CSV file strictly: exact header, known words, plain numbers; every mistake with file and line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

MISTAKES_MAX = 50  # told at once; nobody mends more before trying again
CELL_MAX = 1000  # characters of an id
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_FORMULA = ("=", "+", "-", "@")  # a spreadsheet would compute such a cell, and ids stand in the results again


class Refusal(Exception):
    """The folder cannot be scored. The text names file, line and reason of each mistake, one per line."""


def read_rows(directory: Path, name: str, header: Sequence[str], take: Callable[[list[str]], None]) -> None:
    """Hand every row of the file to `take`, which raises ValueError for what it cannot use.

    Empty lines are passed over. Raises Refusal with all mistakes of the file (the first ones, if there are many).
    """
    mistakes: list[str] = []
    for line, cells in _lines(directory, name, header):
        try:
            if len(cells) != len(header):
                raise ValueError(f"{len(header)} cells are needed, not {len(cells)}")
            take(cells)
        except ValueError as error:
            mistakes.append(f"{name}, line {line}: {error}")
            if len(mistakes) == MISTAKES_MAX:
                mistakes.append(f"{name}: and perhaps more, not read any further")
                break
    if mistakes:
        raise Refusal("\n".join(mistakes))


def _lines(directory: Path, name: str, header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """(number of its first line, cells) of every row below the header."""
    reached = 0
    try:
        with (directory / name).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            found = next(reader, [])
            if found != list(header):
                raise Refusal(f"{name}, line 1: the header must be {','.join(header)}")
            reached = reader.line_num
            for cells in reader:
                if cells:
                    yield reached + 1, cells
                reached = reader.line_num
    except FileNotFoundError:
        raise Refusal(f"{name}: is missing") from None
    except UnicodeDecodeError:
        raise Refusal(f"{name}, line {_undecodable(directory / name)}: is not UTF-8") from None
    except csv.Error as error:
        raise Refusal(f"{name}, line {reached + 1}: {error}") from None
    except OSError as error:
        raise Refusal(f"{name}: {error.strerror}") from None


def _undecodable(path: Path) -> int:
    """The first line that is not UTF-8; the decoder only knows a place in its own buffer."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def told(text: str) -> str:
    """The text of a cell as a message repeats it: quoted, and cut."""
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def new_id(text: str, known: Mapping[str, object]) -> str:
    """An id that stands for the first time. Raises ValueError for one that stands already, or that is none."""
    checked_id(text)
    if text in known:
        raise ValueError(f"the id {told(text)} stands twice")
    return text


def checked_id(text: str) -> str:
    """An id. Raises ValueError for an empty one, one with control characters, or one like a formula."""
    if not text or len(text) > CELL_MAX or not text.isprintable():
        raise ValueError(f"{told(text)} is no id")
    if text.startswith(_FORMULA):
        raise ValueError(f"the id {told(text)} would be a formula in a spreadsheet")
    return text


def known_id(text: str, known: Mapping[str, object] | frozenset[str], what: str) -> str:
    """An id that must stand elsewhere. Raises ValueError for an unknown one."""
    if text not in known:
        raise ValueError(f"unknown {what} {told(text)}")
    return text


@lru_cache(maxsize=100_000)
def day(text: str) -> date:
    """The day that `text` writes, YYYY-MM-DD. Raises ValueError."""
    if _DAY.fullmatch(text) is None:
        raise ValueError(f"{told(text)} is not a day of the form YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{told(text)} is no day of the calendar") from None


@lru_cache(maxsize=100_000)
def number(text: str) -> Fraction | int:
    """The exact number that `text` writes: -2, 12, 0.85. Raises ValueError, for exponents, too."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{told(text)} is not a plain number")
    exact = Fraction(text)
    return exact.numerator if exact.denominator == 1 else exact  # integers add up faster, and most are


@lru_cache(maxsize=100_000)
def figure(text: str) -> Fraction:
    """The exact number that `text` writes, as a fraction. Raises ValueError."""
    return Fraction(number(text))


def whole(text: str) -> int:
    """An integer. Raises ValueError."""
    found = number(text)
    if isinstance(found, Fraction):
        raise ValueError(f"{told(text)} is not a whole number")
    return found


def people(text: str) -> int:
    """A number of people. Raises ValueError below 0, too."""
    found = whole(text)
    if found < 0:
        raise ValueError(f"{told(text)} is not a number of people")
    return found


def boolean(text: str) -> bool:
    """true, false (any case), 1 or 0. Raises ValueError."""
    found = _BOOLEANS.get(text.lower())
    if found is None:
        raise ValueError(f"{told(text)} is none of true, false, 1 and 0")
    return found
