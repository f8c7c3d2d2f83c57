"""What a department's spreadsheet is held against, and the recording of what it says: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlmodel import Session

from db import handed_in, negatives, periods_locked, sheets, values
from db.organizations import Organization
from scoring.catalogue import shipped
from scoring.handed_in import judged, spellings
from scoring.items import Period
from scoring.observed_scheme import shipped_observed
from scoring.periods import CalendarPeriod
from scoring.periods import periods_of as calendar_periods
from scoring.sheet_rows import Branch, Known, Line, Verdict

COLLECT = "dept"
KEYS_MAX = 5_000  # organisations in one condition


def plan(
    session: Session, lines: Sequence[Line], *, member_id: int, node: Organization, today: date
) -> list[Verdict]:
    """A verdict for every row, for a department of this member at this node. Reads only."""
    branches = {row[0]: Branch(*row[1:]) for row in handed_in.branches(session)}
    ids = sorted({branches[line.organization].id for line in lines if line.organization in branches})
    periods = {one for text in {line.period for line in lines} for one in spellings(text)}
    named = {line.indicator.upper() for line in lines}
    known = Known(
        branches=branches,
        path=node.path,
        remit=sheets.remit_of(session, member_id),
        values={
            key: stands
            for start in range(0, len(ids), KEYS_MAX)
            for key, stands in values.last_lines(session, ids[start : start + KEYS_MAX], periods, named).items()
        },
        cases=handed_in.cases(session, named),
        locked=periods_locked.locked(session, periods),
        today=today,
    )
    return judged(shipped(), shipped_observed(), known, lines)


def periods_of(verdicts: Sequence[Verdict]) -> list[str]:
    """The periods into which accepted rows write, a case with its month, in a fixed order."""
    found = {f"{one.day:%Y-%m}" if one.day else one.period for one in verdicts if one.kind in ("new", "changed")}
    return sorted(found)


def record(session: Session, verdicts: Sequence[Verdict], *, sheet_id: int, member_id: int, now: datetime) -> int:
    """Record every new and changed row; how many. None may be refused."""
    assert all(one.kind != "refused" for one in verdicts), "a sheet with refused rows is not recorded"
    todo = [one for one in verdicts if one.kind in ("new", "changed")]
    said = {"recorded_by": member_id, "recorded_at": now}
    cases = [
        {
            "organization_id": one.organization_id,
            "item_id": one.line.indicator.upper(),
            "day": one.day,
            "count": int(one.value) - int(one.before or 0),
            "cause": f"sheet:{sheet_id}:{one.line.number}",
            "note": one.line.note,
            **said,
        }
        for one in todo
        if one.day is not None
    ]
    negatives.post_many(session, cases)
    rows = [
        {
            "organization_id": one.organization_id,
            "indicator_id": one.line.indicator.upper(),
            "period": one.period,
            "value": one.value,
            "collect": COLLECT,
            "cause": f"sheet:{sheet_id}",
            "reason": one.line.note,
            **said,
        }
        for one in todo
        if one.day is None
    ]
    values.record_many(session, rows)
    return len(todo)


def closed_before(kind: Period, today: date) -> CalendarPeriod:
    """The last period of this kind that is over on `today`."""
    spans = [one for year in (today.year - 1, today.year) for one in calendar_periods(kind, year)]
    return next(one for one in reversed(spans) if one.last < today)
