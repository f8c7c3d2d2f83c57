"""The facts behind the indices as the seven CSV files that `score` reads, so that anyone can check."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import scoring_export as facts
from notices.cells import safe_cell
from scoring.exact import printed
from scoring.folder_reading import HEADERS


def export(url: str, directory: Path, *, as_of: date, zone: ZoneInfo) -> dict[str, int]:
    """Write the seven files into `directory`, which is made if it is missing; how many rows each has.

    All of them show one moment. Ledger lines and activities are those of the year of `as_of`. Raises Refused
    for a database that cannot be read, and OSError; then no file is left half written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    counts = {}
    try:
        with facts.snapshot(url) as session:
            rows = _rows(session, as_of, zone)
            for name, header in HEADERS.items():
                found, cells = rows[name]
                counts[name] = _write(_unfinished(directory, name), header, (cells(row) for row in found))
        for name in HEADERS:
            os.replace(_unfinished(directory, name), directory / name)
    finally:
        for name in HEADERS:
            _unfinished(directory, name).unlink(missing_ok=True)
    return counts


Cells = Callable[[tuple[Any, ...]], tuple[Any, ...]]


def _rows(session: Session, as_of: date, zone: ZoneInfo) -> dict[str, tuple[facts.Rows, Cells]]:
    """Per file its rows and what makes cells of one; nothing is read before the rows are asked for."""
    year = as_of.year
    return {
        "organizations.csv": (facts.organizations(session, as_of), _named),
        "members.csv": (facts.memberships(session), _named),
        "entries.csv": (facts.entries(session, year), lambda row: (*row[:4], _decimal(row[4]))),
        "activities.csv": (facts.activities(session, year, zone), lambda row: (*row[:7], _boolean(row[7]))),
        "values.csv": (facts.values(session), lambda row: (*row[:3], row[3].strip())),
        "negatives.csv": (facts.negatives(session), lambda row: row),
        "appraisals.csv": (facts.appraisals(session), lambda row: (*row[:2], *map(_voice, row[2:]))),
    }


def _named(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return row[0], safe_cell(row[1]), *("" if cell is None else cell for cell in row[2:])


def _decimal(hundredths: int) -> str:
    """A count as people write it: 1, 10.5."""
    return printed(hundredths) if hundredths % 100 else str(hundredths // 100)


def _voice(hundredths: int | None) -> str:
    return "" if hundredths is None else printed(hundredths)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _write(path: Path, header: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _unfinished(directory: Path, name: str) -> Path:
    return directory / f".{name}.unfinished"
