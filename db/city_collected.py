"""What is collected about all branches at once: values, cases of the negative list, appraisals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import orjson
from sqlalchemy import select
from sqlmodel import Session, col

from db import appraisals
from db.city_columns import View
from db.columns import Ints, rows
from db.entry_texts import Entries, entries
from db.indices import Appraisal

PERIODS = 3_000  # of one part
LAID = 6_000  # of one part in columns

OfPeriod = tuple[int, str, dict[str, str]]
"""Organisation, period, and its values by indicator."""


class Laid(NamedTuple):
    """Rows of `PeriodValues` in columns. entries: their rows are places in `organizations` and `periods`."""

    organizations: Ints
    periods: list[str]
    entries: Entries


def period_values(session: Session) -> Iterator[list[OfPeriod] | Laid]:
    """All values of every organisation and period of the record, many at once; in columns where they can be."""
    if session.connection().dialect.name != "sqlite":
        query = "SELECT organization_id, period, CAST(entries AS TEXT) FROM period_values"
        found = rows(session, query)
        while part := [(row[0], row[1], orjson.loads(row[2])) for row in islice(found, PERIODS)]:
            yield part
        return
    # Many rows as one text: reading it is cheaper than asking for rows.
    last = next(iter(rows(session, "SELECT coalesce(max(rowid), 0) FROM period_values")))[0]
    names = "group_concat(organization_id), group_concat(period), group_concat(entries, '')"
    one = "'[' || organization_id || ',\"' || period || '\",' || entries || ']'"
    for low in range(0, last, LAID):
        here = f"FROM period_values WHERE rowid > {low} AND rowid <= {low + LAID}"
        count, ids, periods, text = next(iter(rows(session, f"SELECT count(*), {names} {here}")))
        told = entries(text, count) if count else None
        if told is not None and len(texts := periods.split(",")) == count:
            yield Laid(np.fromstring(ids, dtype=np.int64, sep=","), texts, told)
        elif count:
            yield orjson.loads(f"[{next(iter(rows(session, f'SELECT group_concat({one}) {here}')))[0]}]")


def value_lines(session: Session, view: View) -> Iterator[Sequence[Any]]:
    """(organisation, indicator, period, value) from the log, the oldest first: the last of each is the one."""
    query = "SELECT organization_id, indicator_id, period, value FROM value_record"
    yield from rows(session, f"{query} WHERE {view.known('recorded_at')} ORDER BY id")


def negatives(session: Session, view: View) -> list[tuple[int, str, int, int, int]]:
    """(organisation, item, year, month, net cases) of every month of the record up to the day."""
    cut = "CAST(substr(day, {0}) AS INTEGER)"
    if session.connection().dialect.name == "sqlite":
        year, month = cut.format("1, 4"), cut.format("6, 2")
    else:
        year, month = "CAST(extract(year FROM day) AS INTEGER)", "CAST(extract(month FROM day) AS INTEGER)"
    query = (
        f"SELECT organization_id, item_id, {year}, {month}, CAST(sum(count) AS BIGINT) FROM negative"
        f" WHERE day <= '{view.as_of}' AND {view.known('recorded_at')} GROUP BY 1, 2, 3, 4"
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows(session, query)]


def voices(session: Session, view: View) -> dict[int, tuple[int, int, int]]:
    """The three voices of the year in hundredths, of the branches that have all of them."""
    names = ("self_score", "members_masses", "superior")
    stored = select(*(col(getattr(Appraisal, name)) for name in ("organization_id", *names))).where(
        col(Appraisal.year) == view.as_of.year
    )
    found: dict[int, Mapping[str, Any]] = {
        row[0]: dict(zip(names, row[1:], strict=True)) for row in session.execute(stored)
    }
    if view.known_at is not None:
        logged = appraisals.as_known(session, view.as_of.year, datetime.max.replace(tzinfo=UTC))
        known = appraisals.as_known(session, view.as_of.year, view.known_at)
        for organization_id in logged:  # a row without a log was there before the log was
            found[organization_id] = known.get(organization_id, {})
    return {
        one: (heard[names[0]], heard[names[1]], heard[names[2]])
        for one, heard in found.items()
        if all(heard.get(name) is not None for name in names)
    }
