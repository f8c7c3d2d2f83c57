"""Every opinion about the figures of one day, each in the form of the four files that `score` writes."""

from __future__ import annotations

import csv
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import select
from sqlmodel import Session, SQLModel, col
from typer.testing import CliRunner

from bot.__main__ import app
from bot.replaying import Chosen, files
from bot.scoring_export import export
from db.indices import FortressIndex, OrgPowerIndex, PioneerIndex, PoolColour
from scoring.exact import printed
from scoring.folder_writing import HEADERS
from scoring.org_power_scheme import DIMENSIONS
from scoring.replay import replay
from scoring.standing import standing
from scoring.update import compute
from tests.conftest import ZONE
from tests.scoring import independent

Told = dict[str, list[tuple[str, ...]]]
"""Per file its rows, sorted, as text; without the sentence that proves a colour."""

TABLES: tuple[type[SQLModel], ...] = (PioneerIndex, FortressIndex, OrgPowerIndex, PoolColour)
COLUMNS = {name: tuple(one for one in header if one != "proof") for name, header in HEADERS.items()}


def _told(rows: dict[str, list[dict[str, Any]]]) -> Told:
    return {
        name: sorted(tuple(str(row[column]) for column in columns) for row in rows[name])
        for name, columns in COLUMNS.items()
    }


def _row(one: Any, **more: Any) -> dict[str, Any]:
    """A stored row as its file writes it: hundredths as decimals, truth in lower case."""
    parts = ("base", "positive", "conduct", "common", "specific", "deductions", "appraisal", "deduction", "score")
    row: dict[str, Any] = {name: getattr(one, name) for name in type(one).model_fields}
    if "organization_id" in row:
        row["org_id"] = row["organization_id"]
    for name in (*parts, *DIMENSIONS):
        if name in row:
            row[name] = "" if row[name] is None else printed(row[name])
    return row | {"veto": str(row.get("veto", "")).lower()} | more


def stored(session: Session, year: int) -> Told:
    """What the service has stored and shows."""
    session.expire_all()
    found = {}
    for name, table in zip(COLUMNS, TABLES, strict=True):
        statement: Any = select(table)
        if "year" in table.model_fields:
            statement = statement.where(col(table.year) == year)  # type: ignore[attr-defined]
        found[name] = [_row(one) for one in session.execute(statement).scalars()]
    return _told(found)


def every_column(session: Session) -> dict[str, list[tuple[str, ...]]]:
    """All stored rows with all their columns, but for the day since which they stand and what stood before."""
    session.expire_all()
    found = {}
    for table in TABLES:
        names = [name for name in table.model_fields if name not in ("as_of", "rank_before")]
        rows = session.execute(select(*(col(getattr(table, name)) for name in names)))
        found[table.__name__] = sorted(tuple(str(cell) for cell in row) for row in rows)
    return found


def exported(url: str, folder: Path, day: date, caps: dict[str, int]) -> tuple[Told, Told]:
    """(what `score` makes of the database's own export, what a second arithmetic makes of it)."""
    export(url, folder / "data", as_of=day, zone=ZONE)
    words = ["score", "--data", str(folder / "data"), "--as-of", day.isoformat(), "--out", str(folder / "out")]
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 0, run.output
    found = {}
    for name in COLUMNS:
        with (folder / "out" / name).open(encoding="utf-8", newline="") as file:
            found[name] = list(csv.DictReader(file))
    with ExitStack() as stack:
        stack.enter_context(patch.dict(independent.CAPS, caps))
        return _told(found), _told(independent.score(folder / "data", day))


def replayed(session: Session, day: date) -> Told:
    """What was known at the end of a past day."""
    found = replay(session, day, zone=ZONE)
    rows = {
        name: [dict(zip(HEADERS[name], cells, strict=True)) for cells in table]
        for name, table in files(found, Chosen()).items()
    }
    return _told(rows)


def one_by_one(session: Session, day: date) -> Told:
    """Every member by the scalar function that chat uses, and every branch after the other; no months."""
    single = compute(session, day, zone=ZONE)
    people = []
    for member_id in single.members.ids:
        one = standing(session, member_id, day)
        if one is not None:
            people.append({"member_id": member_id, **_parts(one)})
    branches = {str(one.organization_id): one.result for one in single.branches}
    names = ("common", "specific", "deductions", "base", "score")
    return {
        "pioneer.csv": sorted(tuple(str(row[name]) for name in COLUMNS["pioneer.csv"]) for row in people),
        "fortress.csv": sorted(
            (
                org_id,
                *(printed(getattr(one, name)) for name in names[:4]),
                "" if one.appraisal is None else printed(one.appraisal),
                *(printed(one.score), str(one.activities), str(one.veto).lower()),
            )
            for org_id, one in branches.items()
        ),
    }


def _parts(one: Any) -> dict[str, str]:
    return {name: printed(getattr(one, name)) for name in ("base", "positive", "conduct", "score")} | {
        "stars": str(one.stars)
    }


def difference(left: Told, right: Told, most: int = 3) -> dict[str, Any]:
    """Rows that only one of two opinions has, the first few of each file; empty when they agree."""
    found = {}
    for name in left:
        only = sorted(set(left[name]) ^ set(right[name]))
        if only or len(left[name]) != len(right[name]):
            found[name] = (len(only), only[: 2 * most])
    return found
