"""Why a published month has changed: the kind of correction behind it, as a word that wording files know."""

from __future__ import annotations

import json
from datetime import datetime

from sqlmodel import Session

from db import negatives, values
from db.organizations import Organization
from db.warnings import BranchWarning
from notices.said_pool import causes_of, month_end, months_of, rule_of
from scoring.items import Indicator, Period
from scoring.periods import CalendarPeriod, periods_of

KINDS = ("clawback", "appeal", "undo", "sheet", "inspection", "declaration")
"""How the causes of recorded values and negative cases begin."""
RANK, OTHER = "rank", "other"


def reason(session: Session, warning: BranchWarning, branch: Organization) -> str:
    """One of KINDS: what was recorded last about a cause of this colour; `rank` where only ranks have moved."""
    assert branch.id is not None
    latest: tuple[datetime, str] | None = None
    field = json.loads(warning.proof)["field"]
    causes = [rule_of(cause, field, warning.period) for cause in causes_of(warning)]
    for rule in causes:
        for recorded_at, cause in _lines(session, branch.id, rule, warning) if rule else ():
            if latest is None or recorded_at > latest[0]:
                latest = recorded_at, cause
    if latest is None:
        return OTHER if any(causes) else RANK
    return next((kind for kind in KINDS if latest[1].startswith(kind)), OTHER)


def standing_period(kind: Period, month: str) -> CalendarPeriod | None:
    """The last period of this kind that ends by the end of the month; None when there is none in two years."""
    end = month_end(month)
    ended = [one for year in (end.year - 1, end.year) for one in periods_of(kind, year) if one.last <= end]
    return ended[-1] if ended else None


def _lines(
    session: Session, organization_id: int, rule: object, warning: BranchWarning
) -> list[tuple[datetime, str]]:
    """(recorded at, cause) of everything recorded about a rule that the colour stands on."""
    months = months_of(warning)
    if isinstance(rule, Indicator):
        stands = {found.text for one in months if (found := standing_period(rule.period, one))}
        return [
            (line.recorded_at, line.cause)
            for text in sorted(stands)
            for line in values.history(session, organization_id, rule.id, text)
        ]
    first, last = month_end(warning.period).replace(day=1), month_end(warning.period)
    return [
        (line.recorded_at, line.cause or "")
        for line in negatives.lines(session, organization_id, first, last)
        if line.item_id == getattr(rule, "id", "")
    ]
