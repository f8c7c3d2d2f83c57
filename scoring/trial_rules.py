"""A changed rule file in the place of the shipped one, as if its new terms had held in a year that is stored."""

from __future__ import annotations

import csv
import io
import re
import shutil
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from scoring.catalogue import RULES, Catalogue, load
from scoring.rule_files import RulesError

_FROM = re.compile(r"^(\s*from\s*=\s*)(\d{4}-\d{2}-\d{2})", re.MULTILINE)


def tried_rules(file: Path, year: int, shipped_rules: Path = RULES) -> Catalogue:
    """All rules with `file` instead of the shipped file of the same name.

    Terms that begin after the first day of `year` count as if they had begun on it; where several would, the last
    one does. Raises RulesError for a name that no rule file has, and for every mistake in the file; OSError when
    it cannot be read.
    """
    if file.name not in {path.name for path in shipped_rules.iterdir()}:
        raise RulesError([f"{file.name}: no rule file has this name: keep the name of the file that you changed"])
    with TemporaryDirectory() as folder:
        trial = Path(folder)
        for path in shipped_rules.iterdir():
            shutil.copy(path, trial)
        # As bytes first: what is no text is told by the reader, with all other mistakes.
        (trial / file.name).write_bytes(file.read_bytes())
        load(trial)
        text = (trial / file.name).read_text(encoding="utf-8-sig")
        early = _early_rows(text, year) if file.suffix == ".csv" else _early_terms(text, year)
        (trial / file.name).write_text(early, encoding="utf-8")
        return load(trial)


def _early_terms(text: str, year: int) -> str:
    """Every block of terms that begins later begins on 1 January; blocks that it overtakes begin before."""
    days = sorted({found[2] for found in _FROM.finditer(text)})
    moved = _moved(days, year)
    return _FROM.sub(lambda found: found[1] + moved[found[2]], text)


def _early_rows(text: str, year: int) -> str:
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    moved = _moved(sorted({row["from"] for row in rows if row.get("from")}), year)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({**row, "from": moved[row["from"]]} if row.get("from") else row for row in rows)
    return out.getvalue()


def _moved(days: list[str], year: int) -> dict[str, str]:
    """Where each beginning goes: the order stays, and the last one of them is no later than 1 January."""
    first = date(year, 1, 1)
    later = [day for day in days if date.fromisoformat(day) > first]
    start = {day: date.fromordinal(first.toordinal() - number) for number, day in enumerate(reversed(later))}
    return {day: start.get(day, date.fromisoformat(day)).isoformat() for day in days}
