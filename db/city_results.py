"""The stored results of the whole city: what stands, in bulk, and what takes its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Any

import numpy as np
import orjson
from sqlalchemy import func, select
from sqlmodel import Field, Session, SQLModel

from db import bulk
from db.columns import Ints, ints, rows

LOCK = 0x48585249  # PostgreSQL's advisory lock of whoever stores a refresh, until the transaction ends
PIONEER = ("member_id", "year", "base", "positive", "conduct", "score", "stars", "as_of", "rules")
FORTRESS = (
    *("organization_id", "year", "field", "common", "specific", "deductions", "base", "appraisal", "score"),
    *("activities", "veto", "stars", "rank", "parts", "rank_before", "as_of", "rules"),
)
POWER = (
    *("organization_id", "month", "field", "political_leadership", "org_coverage", "mass_cohesion"),
    *("development_service", "basic_support", "deduction", "score", "rank", "field_size", "unmet", "negatives"),
    *("as_of", "rules"),
)
COLOUR = ("organization_id", "month", "colour", "owner", "reason", "proof")
_KEYS = {
    "pioneer_index": ("member_id", "year"),
    "fortress_index": ("organization_id", "year"),
    "org_power_index": ("organization_id", "month"),
    "pool_colour": ("organization_id", "month", "colour"),
    "month_mark": ("month",),
}
_COLUMNS = {
    "pioneer_index": PIONEER,
    "fortress_index": FORTRESS,
    "org_power_index": POWER,
    "pool_colour": COLOUR,
    "month_mark": ("month", "mark"),
}


class MonthMark(SQLModel, table=True):
    """A mark of the figures from which rows were written: same mark, same rows.

    month: of its organisational power indices and colours; a year alone (`2026`): of its fortress indices.
    """

    __tablename__ = "month_mark"
    month: str = Field(primary_key=True)
    mark: str


@dataclass
class Difference:
    """What one table has to get (rows in the order of its columns, in parts) and to lose (keys)."""

    table: str
    put: list[Iterable[bulk.Row]] = field(default_factory=list)
    gone: list[bulk.Row] = field(default_factory=list)
    count: int = 0  # of rows to put

    def add(self, put: Iterable[bulk.Row], gone: Iterable[bulk.Row], count: int) -> None:
        """Take in what one part of the comparison found: `count` rows to put, and keys to take away."""
        self.put.append(put)
        self.count += count
        self.gone += gone

    def write(self, session: Session) -> None:
        """Write it. Doing it twice changes nothing."""
        keys = _KEYS[self.table]
        bulk.remove(session, self.table, keys, self.gone)
        if self.count:
            bulk.put(session, self.table, _COLUMNS[self.table], keys, chain.from_iterable(self.put))


def take_turn(session: Session) -> None:
    """Two refreshes that store at once store one after the other."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))


@dataclass
class MarkDifference(Difference):
    """The marks that come and go with the rows of their time. seen: the marks when the rows were compared.

    When another refresh has stored its own mark meanwhile, its rows and ours are mixed in that time: then there
    is no mark, and the next refresh compares row by row.
    """

    table: str = "month_mark"
    seen: dict[str, str] = field(default_factory=dict)

    def write(self, session: Session) -> None:
        """Write it, unless it is there already; a mark that another one has changed goes."""
        now, ours = marks(session), {str(row[0]): str(row[1]) for row in chain.from_iterable(self.put)}
        mixed = {one for one in ours if now.get(one) not in (self.seen.get(one), ours[one])}
        kept = [(month, mark) for month, mark in ours.items() if month not in mixed]
        gone = [*self.gone, *((month,) for month in sorted(mixed))]
        Difference(self.table, [kept], gone, len(kept)).write(session)


def pioneer(session: Session, year: int) -> tuple[Ints, Ints]:
    """Members with an index of the year, in order, and their figures as `packed` puts them together."""
    figures = "(((base * 16384 + positive) * 16384 + conduct) * 16384 + score) * 8 + stars"
    if session.connection().dialect.name != "sqlite":
        figures = figures.replace("(base *", "(base::bigint *")
    found = ints(session, "pioneer_index", ["member_id", figures], f"year = {year}")
    if (found[1:, 0] < found[:-1, 0]).any():
        found = found[np.argsort(found[:, 0], kind="stable")]
    return np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1])


def packed(figures: Ints) -> Ints:
    """Base, positive, conduct and score (hundredths, below 16384) and stars (below 8) of each as one number."""
    base, positive, conduct, score, stars = figures
    found: Ints = ((((base << 14 | positive) << 14 | conduct) << 14 | score) << 3) | stars
    return found


def fortress(session: Session, year: int) -> dict[int, dict[str, Any]]:
    """The stored rows of the year by branch."""
    found = rows(session, f"SELECT {', '.join(FORTRESS)} FROM fortress_index WHERE year = {year}")
    made = (dict(zip(FORTRESS, row, strict=True)) for row in found)
    return {
        row["organization_id"]: row | {"parts": _json(row["parts"]), "as_of": _day(row["as_of"])} for row in made
    }


def marks(session: Session) -> dict[str, str]:
    """Per month, and per year, the mark of the figures that are stored."""
    return {row[0]: row[1] for row in rows(session, "SELECT month, mark FROM month_mark")}


def months(session: Session) -> set[str]:
    """Months of which there is an index or a colour."""
    found = "SELECT DISTINCT month FROM org_power_index UNION SELECT DISTINCT month FROM pool_colour"
    return {row[0] for row in rows(session, found)}


def power(session: Session, month: str) -> dict[int, Sequence[Any]]:
    """The stored figures of the month by organisation: the columns of POWER from the field on, without the day."""
    names = ", ".join((POWER[0], *POWER[2:-2]))
    found = rows(session, f"SELECT {names} FROM org_power_index WHERE month = '{_month(month)}'")
    return {row[0]: tuple(row[1:]) for row in found}


def colours(session: Session, month: str, *, proof: bool = False) -> dict[tuple[int, str], Sequence[Any]]:
    """(owner, reason) of each stored colour of the month, by organisation and colour; with the proof if asked."""
    names = "organization_id, colour, owner, reason" + (", proof" if proof else "")
    found = rows(session, f"SELECT {names} FROM pool_colour WHERE month = '{_month(month)}'")
    return {(row[0], row[1]): (row[2], row[3], *map(_json, row[4:])) for row in found}


def month_rows(session: Session, table: str, month: str) -> Iterator[bulk.Row]:
    """The keys of every row of a month."""
    names = ", ".join(_KEYS[table])
    yield from rows(session, f"SELECT {names} FROM {table} WHERE month = '{_month(month)}'")


def _json(value: Any) -> Any:
    """JSON as SQLite gives it (text) or PostgreSQL (read already)."""
    return orjson.loads(value) if isinstance(value, str) else value


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _month(month: str) -> str:
    if not month.replace("-", "").isdigit():
        raise ValueError("not a month")
    return month
