"""`PeriodValues` anew from the latest values: for a rebuild, and after bulk writing."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, func, insert, select
from sqlmodel import Session, col

from db.period_values import PeriodValues
from db.values import IndicatorValue

ORGANIZATIONS_AT_ONCE = 500


def correct(session: Session, progress: Callable[[str, int, int], None] = lambda *_: None) -> tuple[int, int]:
    """Write what differs from the latest values anew; (how many there are, how many were wrong)."""
    last = session.execute(select(func.coalesce(func.max(col(IndicatorValue.organization_id)), 0))).scalar_one()
    last = max(
        last, session.execute(select(func.coalesce(func.max(col(PeriodValues.organization_id)), 0))).scalar_one()
    )
    count = wrong = 0
    for first in range(0, last + 1, ORGANIZATIONS_AT_ONCE):
        found, differed = _correct(session, first, first + ORGANIZATIONS_AT_ONCE)
        count, wrong = count + found, wrong + differed
        progress("values", min(first + ORGANIZATIONS_AT_ONCE, last), last)
    return count, wrong


def _correct(session: Session, first: int, end: int) -> tuple[int, int]:
    right: dict[tuple[int, str], dict[str, str]] = {}
    names = ("organization_id", "period", "indicator_id", "value")
    latest = select(*(col(getattr(IndicatorValue, name)) for name in names)).where(
        col(IndicatorValue.organization_id) >= first, col(IndicatorValue.organization_id) < end
    )
    for organization_id, period, indicator_id, value in session.execute(latest):
        right.setdefault((organization_id, period), {})[indicator_id] = value
    columns = (col(PeriodValues.organization_id), col(PeriodValues.period), col(PeriodValues.entries))
    here = (columns[0] >= first, columns[0] < end)
    stored = {(row[0], row[1]): row[2] for row in session.execute(select(*columns).where(*here))}
    wrong = [key for key in right.keys() | stored.keys() if right.get(key) != stored.get(key)]
    if wrong:
        session.execute(delete(PeriodValues).where(*here))
        made = [
            {"organization_id": key[0], "period": key[1], "entries": one} for key, one in sorted(right.items())
        ]
        if made:
            session.execute(insert(PeriodValues), made)
    return len(right), len(wrong)
