"""Reading one rule file: strict, and every mistake told with its file and its place."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from scoring.blocks import Block
from scoring.items import Row, date_mistakes


class RulesError(Exception):
    """The rule files cannot be used. The text lists every mistake, one per line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


B = TypeVar("B", bound=Block)
R = TypeVar("R", bound=Row)


def _place(location: tuple[int | str, ...]) -> str:
    """`("rule", 1, "terms", 0, "points")` as `rule 2, terms 1, points`: counted from 1, like people do."""
    words: list[str] = []
    for step in location:
        if isinstance(step, int) and words:
            words[-1] = f"{words[-1]} {step + 1}"
        elif not isinstance(step, int) and "[" not in step:  # pydantic's own marks, such as function-plain[...]
            words.append(step)
    return ", ".join(words)


def _told(where: str, error: ValidationError) -> Iterator[str]:
    for one in error.errors():
        place = _place(one["loc"])
        message = one["msg"].removeprefix("Value error, ")
        yield f"{where}: {place}: {message}" if place else f"{where}: {message}"


def _text(directory: Path, name: str, mistakes: list[str]) -> str | None:
    try:
        return (directory / name).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        mistakes.append(f"{name}: is missing")
    except UnicodeDecodeError:
        mistakes.append(f"{name}: is not UTF-8 text")
    return None


def read_scheme(model: type[B], directory: Path, name: str, mistakes: list[str]) -> B | None:
    """The scheme in `directory`/`name`; None when it cannot be used: why is then added to `mistakes`."""
    text = _text(directory, name, mistakes)
    if text is None:
        return None
    try:
        return model.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        mistakes.append(f"{name}: {error}")
    except ValidationError as error:
        mistakes.extend(_told(name, error))
    return None


def read_rows(model: type[R], directory: Path, name: str, mistakes: list[str]) -> tuple[R, ...] | None:
    """The rows of the list in `directory`/`name`; None when it cannot be used: why is then added to `mistakes`."""
    text = _text(directory, name, mistakes)
    if text is None:
        return None
    before = len(mistakes)
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[R] = []
    for cells in reader:
        where = f"{name}: line {reader.line_num}, {cells.get('id') or 'no id'}"
        if None in cells or None in cells.values():
            mistakes.append(f"{where}: {len(reader.fieldnames or ())} cells are needed")
            continue
        try:
            rows.append(model.model_validate_strings(cells))
        except ValidationError as error:
            mistakes.extend(_told(where, error))
    if not rows and len(mistakes) == before:
        mistakes.append(f"{name}: has no rows")
    mistakes.extend(f"{name}: {mistake}" for mistake in date_mistakes(rows))
    return tuple(rows) if len(mistakes) == before else None
