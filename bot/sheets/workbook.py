"""The cells of an xlsx, with every limit checked before a byte too many is unpacked.

The file is unpacked once, counting real bytes and not what its list of contents claims; the sheets are scanned for
formulas and for cells far away, and only then the reader sees it: a copy that holds nothing but what was checked.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.parsers import expat

from python_calamine import CalamineError, CalamineWorkbook

from bot.sheets.refusal import CELL_MAX, COLUMNS_MAX, ROWS_MAX, UNPACKED_BYTES_MAX, Refusal

PARTS_MAX = 500
CHUNK = 2**16
OLD_OFFICE = b"\xd0\xcf\x11\xe0"  # an old .xls, or a workbook with a password
DATA_TITLES = ("数据", "data")
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as text. kind: text, formula, or day (the spreadsheet made a date of it)."""

    text: str
    kind: str = "text"


@dataclass(slots=True)
class _Scan:
    """What one sheet holds: its last row and column with anything in it, and where formulas stand."""

    rows: int = 0
    columns: int = 0
    formulas: set[tuple[int, int]] = field(default_factory=set)


def workbook_rows(content: bytes) -> list[list[Cell]]:
    """The rows of the one sheet with data, the header first. Raises Refusal."""
    if content.startswith(OLD_OFFICE):
        raise Refusal("locked")
    parts = _unpacked(content)
    scans = {name: _scan(part) for name, part in parts.items() if name.endswith(".xml")}  # wherever a sheet may be
    titles = _titles(parts)
    part = titles[_chosen(titles, scans)] if titles else ""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(_packed(parts)))
        sheet = book.get_sheet_by_index(list(titles.values()).index(part))
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ValueError, OSError, LookupError, OverflowError):
        raise Refusal("broken") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # the reader's own way to give up; it has no name to import
            raise
        raise Refusal("broken") from None
    formulas = scans[part].formulas
    return [
        [Cell(_text(cell), "formula") if (number, at) in formulas else _cell(cell) for at, cell in enumerate(row)]
        for number, row in enumerate(rows)
    ]


def _chosen(titles: dict[str, str], scans: dict[str, _Scan]) -> str:
    """The title of the sheet with the data. Raises Refusal."""
    named = [title for title in titles if title.strip().casefold() in DATA_TITLES]
    if named:
        return named[0]
    filled = [title for title, part in titles.items() if scans[part].rows]
    if not filled:
        raise Refusal("empty")
    if len(filled) > 1:
        raise Refusal("sheets", count=len(filled))
    return filled[0]


def _titles(parts: dict[str, bytes]) -> dict[str, str]:
    """The title of every sheet and the part where it stands, in their order. Raises Refusal."""
    places: dict[str, str] = {}
    titles: dict[str, str] = {}

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            target = attributes.get("Target", "")
            place = target[1:] if target.startswith("/") else f"xl/{target}"
            places[attributes.get("Id", "")] = place

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet":
            key = next((attributes[one] for one in attributes if one.rpartition(":")[2] == "id"), "")
            titles[attributes.get("name", "")] = places.get(key, "")

    for name, handler in (("xl/_rels/workbook.xml.rels", relation), ("xl/workbook.xml", sheet)):
        _parse(parts.get(name, b""), handler)
    if not titles or any(part not in parts for part in titles.values()):
        raise Refusal("broken")
    return titles


def _unpacked(content: bytes) -> dict[str, bytes]:
    """Every part, unpacked with the limit on what really comes out. Raises Refusal."""
    parts: dict[str, bytes] = {}
    left = UNPACKED_BYTES_MAX
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            listed = packed.infolist()
            if len(listed) > PARTS_MAX or sum(part.file_size for part in listed) > UNPACKED_BYTES_MAX:
                raise Refusal("bomb")
            for part in listed:
                if part.flag_bits & 1:
                    raise Refusal("locked")
                pieces = []
                with packed.open(part) as opened:
                    while piece := opened.read(CHUNK):
                        left -= len(piece)
                        if left < 0:
                            raise Refusal("bomb")
                        pieces.append(piece)
                parts[part.filename] = b"".join(pieces)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        raise Refusal("broken") from None
    return parts


def _packed(parts: dict[str, bytes]) -> bytes:
    """The checked parts as a file again: no reader can be led to anything else in the original."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as packed:
        for name, part in parts.items():
            packed.writestr(zipfile.ZipInfo(name), part)
    return made.getvalue()


def _scan(part: bytes) -> _Scan:
    """Look through a sheet before anything is laid out in memory. Raises Refusal."""
    found, at = _Scan(), [0, 0]

    def begin(name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            at[0] = _number(attributes.get("r"), at[0] + 1)
            at[1] = 0
        elif name == "c":
            place = _CELL.fullmatch(attributes.get("r", ""))
            at[0], at[1] = (int(place[2]), _column(place[1])) if place else (at[0], at[1] + 1)
        elif name == "f":
            found.formulas.add((at[0] - 1, at[1] - 1))
        if name in ("f", "v", "is"):
            found.rows, found.columns = max(found.rows, at[0]), max(found.columns, at[1])
            if found.columns > COLUMNS_MAX:
                raise Refusal("columns", most=COLUMNS_MAX)
            if found.rows > ROWS_MAX + 1:
                raise Refusal("rows", most=ROWS_MAX)

    _parse(part, begin)
    return found


def _parse(part: bytes, begin: Callable[[str, dict[str, str]], None]) -> None:
    """Call `begin` for every element. Raises Refusal; a document type is refused, for no workbook has one."""

    def refuse(*_: Any) -> None:
        raise Refusal("broken")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begin
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, ValueError):
        raise Refusal("broken") from None


def _number(text: str | None, other: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else other


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def _cell(cell: Any) -> Cell:
    return Cell(_text(cell), "day" if isinstance(cell, date | time | timedelta) else "text")


def _text(cell: Any) -> str:
    """The cell as a person sees it: a spreadsheet stores every number as a float."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return format(Decimal(format(cell, ".15g")), "f") if math.isfinite(cell) else str(cell)
    return str(cell).strip()[:CELL_MAX]
