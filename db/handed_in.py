"""What departments' rows are held against: the city's branches, and the cases that departments posted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import func, or_, select
from sqlmodel import Session, col

from db.negatives import Negative
from db.organizations import Organization

SHEET = "sheet:"
"""Begins the cause of everything that came in a department's spreadsheet."""


def branches(session: Session) -> list[tuple[str, int, str, str, date | None]]:
    """(code, id, field, path, founded_on) of every branch that is not closed."""
    statement = select(
        col(Organization.code),
        col(Organization.id),
        col(Organization.field),
        col(Organization.path),
        col(Organization.founded_on),
    ).where(col(Organization.field).is_not(None), col(Organization.closed_on).is_(None))
    return [(row[0], row[1], row[2], row[3], row[4]) for row in session.execute(statement)]


def cases(session: Session, item_ids: Collection[str]) -> dict[tuple[int, str, date], int]:
    """Net cases of these items that departments posted, by organisation, item and day."""
    statement = (
        select(
            col(Negative.organization_id), col(Negative.item_id), col(Negative.day), func.sum(col(Negative.count))
        )
        .where(
            col(Negative.item_id).in_(item_ids),
            or_(
                col(Negative.cause).startswith(SHEET, autoescape=True),
                col(Negative.cause).startswith(f"undo:{SHEET}", autoescape=True),
            ),
        )
        .group_by(col(Negative.organization_id), col(Negative.item_id), col(Negative.day))
    )
    return {(row[0], row[1], row[2]): int(row[3]) for row in session.execute(statement)}
