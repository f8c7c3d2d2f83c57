"""Reading a department's spreadsheet into rows: xlsx or csv, told apart by their bytes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from bot.sheets.refusal import CELL_MAX, COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX, Refusal
from bot.sheets.workbook import OLD_OFFICE, Cell, workbook_rows
from scoring.sheet_rows import Line

COLUMNS = {
    "organization": ("组织编号", "organization"),
    "indicator": ("指标编号", "indicator"),
    "period": ("期间", "period"),
    "value": ("数值", "value"),
    "note": ("备注", "note"),
}
"""Column -> what its header may say."""

NEEDED = ("organization", "indicator", "period", "value")
FOR_PEOPLE = frozenset({"组织名称", "指标名称", "要求", "organization_name", "indicator_name", "wanted"})
"""Columns of the empty form that are there to be read by people."""

ZIP = b"PK"


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of a file. gbk: it was not UTF-8. blank: rows whose value was left empty; they say nothing."""

    lines: list[Line]
    gbk: bool
    blank: int


def read(content: bytes) -> Read:
    """The rows of the file. Raises Refusal, whatever the bytes are."""
    if len(content) > FILE_BYTES_MAX:
        raise Refusal("large", most=FILE_BYTES_MAX // 2**20)
    if not content.strip():
        raise Refusal("empty")
    if content.startswith((ZIP, OLD_OFFICE)):
        return _lines(workbook_rows(content), gbk=False)
    text, gbk = _decoded(content)
    return _lines(_csv_rows(text), gbk=gbk)


def _decoded(content: bytes) -> tuple[str, bool]:
    """The text, and whether it was GBK, in which spreadsheets in China save a csv. Raises Refusal."""
    if b"\0" in content or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refusal("encoding")
    try:
        return content.decode("utf-8-sig"), False
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("gb18030"), True
    except UnicodeDecodeError:
        raise Refusal("encoding") from None


def _csv_rows(text: str) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    try:
        # strict: else a quote that is never closed swallows the rows after it, and nobody hears of them
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if len(row) > COLUMNS_MAX:
                raise Refusal("columns", most=COLUMNS_MAX)
            if len(rows) > ROWS_MAX:
                raise Refusal("rows", most=ROWS_MAX)
            rows.append([Cell(cell.strip()[:CELL_MAX]) for cell in row])
    except csv.Error:
        raise Refusal("broken") from None
    return rows


def _lines(rows: list[list[Cell]], *, gbk: bool) -> Read:
    """The rows under the header. Raises Refusal."""
    places = _places([cell.text.strip().rstrip("*") for cell in rows[0]] if rows else [])
    lines, blank = [], 0
    for number, row in enumerate(rows[1:], start=2):
        cells = {name: row[place] if place < len(row) else Cell("") for name, place in places.items()}
        if not any(cell.text or cell.kind == "formula" for cell in cells.values()):
            continue
        if not cells["value"].text and cells["value"].kind != "formula":
            blank += 1
            continue
        texts = {name: cell.text for name, cell in cells.items()}
        lines.append(Line(number=number, **texts, odd=_odd(cells)))
    if not lines:
        raise Refusal("no_rows" if blank == 0 else "all_blank")
    return Read(lines, gbk, blank)


def _odd(cells: dict[str, Cell]) -> str:
    """A formula anywhere, or a date in the place of the value."""
    if any(cell.kind == "formula" or cell.text.startswith("=") for cell in cells.values()):
        return "formula"
    return "day" if cells["value"].kind == "day" else ""


def _places(header: list[str]) -> dict[str, int]:
    """Where each column stands. Raises Refusal."""
    known = {title: name for name, titles in COLUMNS.items() for title in titles}
    places: dict[str, int] = {}
    for place, title in enumerate(header):
        name = known.get(title.casefold() if title.isascii() else title)
        if name is None and title and title.casefold() not in FOR_PEOPLE:
            raise Refusal("column", title=title[:20])
        if name is not None and name in places:
            raise Refusal("column_twice", title=title[:20])
        if name is not None:
            places[name] = place
    missing = [COLUMNS[name][0] for name in NEEDED if name not in places]
    if missing:
        raise Refusal("header", missing="、".join(missing))
    return places
