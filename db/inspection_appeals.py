"""Appeals against findings that wait for a decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from db.inspections import Inspection, InspectionAppeal


def undecided(session: Session, since: datetime, until: datetime) -> Sequence[tuple[Inspection, datetime]]:
    """Appealed inspections with the instant of the appeal, made from `since` to before `until`, by id."""
    statement = (
        select(Inspection, col(InspectionAppeal.made_at))
        .join(InspectionAppeal, col(InspectionAppeal.inspection_id) == col(Inspection.id))
        .where(
            col(Inspection.state) == "appealed",
            col(InspectionAppeal.made_at) >= since,
            col(InspectionAppeal.made_at) < until,
        )
        .order_by(col(Inspection.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
