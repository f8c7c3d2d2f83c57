"""The four result files of a folder, put in place together or not at all."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from scoring.exact import printed
from scoring.folder import PowerRow, Scores
from scoring.org_power_scheme import DIMENSIONS
from scoring.pool import MonthRow, Warned

HEADERS = {
    "pioneer.csv": ("member_id", "base", "positive", "conduct", "score", "stars"),
    "fortress.csv": (
        *("org_id", "common", "specific", "deductions", "base", "appraisal", "score"),
        *("activities", "veto", "stars"),
    ),
    "org_power.csv": ("org_id", "month", *DIMENSIONS, "deduction", "score", "rank", "field_size"),
    "warnings.csv": ("org_id", "month", "colour", "reason", "owner", "proof"),
}
"""File -> its columns, in their order."""

Cells = tuple[str | int, ...]


def write_scores(scores: Scores, directory: Path) -> dict[str, int]:
    """Write the four files into `directory`, which is made if it is missing; how many rows each has.

    Raises OSError; then no file is left half written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = {
        "pioneer.csv": _pioneer_rows(scores),
        "fortress.csv": _fortress_rows(scores),
        "org_power.csv": (_power_cells(row) for row in scores.org_power),
        "warnings.csv": (_warning_cells(*row) for row in scores.warnings),
    }
    counts = {}
    try:
        for name, header in HEADERS.items():
            counts[name] = _write(_unfinished(directory, name), header, rows[name])
        for name in HEADERS:
            os.replace(_unfinished(directory, name), directory / name)
    finally:
        for name in HEADERS:
            _unfinished(directory, name).unlink(missing_ok=True)
    return counts


def _unfinished(directory: Path, name: str) -> Path:
    return directory / f".{name}.unfinished"


def _write(path: Path, header: tuple[str, ...], rows: Iterator[Cells]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            count += 1
    return count


def _pioneer_rows(scores: Scores) -> Iterator[Cells]:
    for member_id, one in scores.pioneer.items():
        figures = (one.base, one.positive, one.conduct, one.score)
        yield member_id, *map(printed, figures), one.stars


def _fortress_rows(scores: Scores) -> Iterator[Cells]:
    for org_id, one in scores.fortress.items():
        yield (
            org_id,
            *map(printed, (one.common, one.specific, one.deductions, one.base)),
            printed(one.appraisal) if one.appraisal is not None else "",
            printed(one.score),
            one.activities,
            "true" if one.veto else "false",
            scores.stars[org_id],
        )


def _power_cells(row: PowerRow) -> Cells:
    result = row.result
    return (
        row.org_id,
        result.month.text,
        *(printed(one.score) for one in result.dimensions),
        printed(result.deduction),
        printed(result.score),
        row.place.rank,
        row.place.n,
    )


def _warning_cells(org_id: str, month: str, warned: Warned) -> Cells:
    proof = "; ".join(proof_of(row) for row in warned.months)
    return org_id, month, warned.colour, warned.reason, warned.owner, proof


def proof_of(row: MonthRow) -> str:
    """One month of a proof: `2026-03: rank 10 of 10, unmet C02 SE03, negative list N03`."""
    text = f"{row.month}: rank {row.place.rank} of {row.place.n}"
    if row.unmet:
        text += f", unmet {' '.join(row.unmet)}"
    if row.hits:
        text += f", negative list {' '.join(row.hits)}"
    return text
