"""Random plans of inspections: drawn with a seed that is kept, so that anybody can draw them again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlmodel import Field, Session, SQLModel, col

from db.inspections import Inspection
from db.organizations import Organization


class InspectionPlan(SQLModel, table=True):
    """One draw."""

    __tablename__ = "inspection_plan"
    id: int | None = Field(default=None, primary_key=True)
    inspector_id: int = Field(foreign_key="member.id")
    seed: str
    day: date
    branches: str  # ids joined by ";", in the order of the draw
    made_at: datetime


def drawn(last: Sequence[tuple[int, date | None]], seed: str, count: int) -> list[int]:
    """The `count` branches that were not inspected for the longest time; equals in the order of SHA-256(seed:id).

    last: (branch, day of its last inspection or None for never).
    """

    def place(row: tuple[int, date | None]) -> tuple[date, str]:
        return row[1] or date.min, hashlib.sha256(f"{seed}:{row[0]}".encode()).hexdigest()

    return [branch_id for branch_id, _ in sorted(last, key=place)[:count]]


def last_inspected(session: Session, paths: Sequence[str], day: date) -> list[tuple[int, date | None]]:
    """(branch, day of its last inspection) for every branch of these subtrees that is alive on `day`."""
    if not paths:
        return []
    statement = (
        select(col(Organization.id), func.max(col(Inspection.day)))
        .outerjoin(Inspection, col(Inspection.organization_id) == col(Organization.id))
        .where(
            or_(*(col(Organization.path).startswith(path, autoescape=True) for path in paths)),
            col(Organization.field).is_not(None),
            or_(col(Organization.closed_on).is_(None), col(Organization.closed_on) > day),
        )
        .group_by(col(Organization.id))
        .order_by(col(Organization.id))
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def keep(session: Session, plan: InspectionPlan) -> None:
    """Store a draw."""
    session.add(plan)
    session.flush()
