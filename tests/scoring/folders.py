"""`score` on a folder, and its results read back."""

from __future__ import annotations

import csv
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from bot.__main__ import app

RESULTS = ("pioneer.csv", "fortress.csv", "org_power.csv", "warnings.csv")
LAST_DAY = "2026-12-31"


def score(data: Path, out: Path, as_of: str = LAST_DAY) -> Result:
    return CliRunner().invoke(app, ["score", "--data", str(data), "--as-of", as_of, "--out", str(out)])


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a result in a fixed order; the proof is there, and its wording is free."""
    with path.open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        assert row.pop("proof", "free")
    return sorted(found, key=lambda row: list(row.values()))


def alter(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, "the test alters what is there"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def row_of(out: Path, name: str, which: str) -> dict[str, str]:
    return next(row for row in table(out / name) if which in row.values())
