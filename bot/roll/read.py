"""Reading a workbook, a CSV file or a folder of CSV files into rows of text, with every limit checked first."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from bot.roll.columns import SHEETS

FILE_BYTES_MAX = 100 * 2**20
UNPACKED_BYTES_MAX = 1000 * 2**20  # a zip that grows beyond this is no roll
ROWS_MAX = 1_000_000
CELL_MAX = 500  # characters


class Refusal(Exception):
    """The file cannot be read as a roll; the text says what is wrong with it."""


@dataclass(slots=True)
class Roll:
    """Rows by sheet: (row number as the spreadsheet shows it, {column name: text})."""

    rows: dict[str, list[tuple[int, dict[str, str]]]] = field(
        default_factory=lambda: {name: [] for name in SHEETS}
    )


def read(path: Path) -> Roll:
    """The rows of the file. Raises Refusal."""
    roll = Roll()
    if path.is_dir():
        files = sorted(path.glob("*.csv"))
        if not files:
            raise Refusal(f"{path}: no csv files in this folder")
        for one in files:
            _add(roll, one.name, _csv_rows(one))
        return roll
    if not path.is_file():
        raise Refusal(f"{path}: no such file")
    if path.stat().st_size > FILE_BYTES_MAX:
        raise Refusal(f"{path}: larger than {FILE_BYTES_MAX // 2**20} MB")
    if path.suffix.lower() == ".csv":
        _add(roll, path.name, _csv_rows(path))
    elif path.suffix.lower() == ".xlsx":
        _read_workbook(roll, path)
    else:
        raise Refusal(f"{path}: give an xlsx, a csv, or a folder of csv files")
    return roll


def _read_workbook(roll: Roll, path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(part.file_size for part in packed.infolist()) > UNPACKED_BYTES_MAX:
                raise Refusal(f"{path}: unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MB")
        book = CalamineWorkbook.from_path(str(path))
        titles = {title: name for name, (title, _) in SHEETS.items()} | {name: name for name in SHEETS}
        known = [title for title in book.sheet_names if title in titles]
        if not known:
            raise Refusal(f"{path}: none of the sheets is called {', '.join(t for t, _ in SHEETS.values())}")
        for title in known:
            sheet = book.get_sheet_by_name(title)
            if sheet.total_height > ROWS_MAX or sheet.total_width > 100:
                raise Refusal(f"{path}, {title}: too many rows or columns")
            rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
            _add(roll, f"{path.name}, {title}", rows, titles[title])
    except (zipfile.BadZipFile, CalamineError) as error:
        raise Refusal(f"{path}: not a workbook that can be read ({type(error).__name__})") from None


def _csv_rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [row for _, row in zip(range(ROWS_MAX), csv.reader(file), strict=False)]
    except UnicodeDecodeError:
        raise Refusal(f'{path}: not UTF-8; save it as "CSV UTF-8"') from None
    except csv.Error as error:
        raise Refusal(f"{path}: {error}") from None


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet stores every number as a float
    return str(cell).strip()


def _add(roll: Roll, where: str, rows: list[list[str]], sheet: str | None = None) -> None:
    """Add rows under the header in the first row; a CSV file says by its header what it is."""
    header = [cell.strip().rstrip("*") for cell in rows[0]] if rows else []
    candidates = [sheet] if sheet else list(SHEETS)
    for name in candidates:
        places = _places(name, header)
        if places is None:
            continue
        for number, cells in enumerate(rows[1:], start=2):
            row = {
                column: cells[place].strip()[:CELL_MAX] for column, place in places.items() if place < len(cells)
            }
            if any(row.values()):
                roll.rows[name].append((number, row))
        return
    wanted = " / ".join(
        ",".join(column.chinese for column in SHEETS[name][1] if column.needed) for name in candidates
    )
    raise Refusal(f"{where}: the header must have at least: {wanted}")


def _places(sheet: str, header: list[str]) -> dict[str, int] | None:
    """Where each column stands; None when a needed one is missing or one stands twice."""
    places: dict[str, int] = {}
    for column in SHEETS[sheet][1]:
        found = [place for place, title in enumerate(header) if title in (column.chinese, column.name)]
        if len(found) > 1 or (column.needed and not found):
            return None
        if found:
            places[column.name] = found[0]
    return places
