"""What was booked under one rule in a year, by price: for trying other prices on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from db.ledger import Entry


def by_price(
    session: Session, rule_id: str, first: date, last: date
) -> Sequence[tuple[int, date | None, int, int]]:
    """(member, terms that paid it, points of a line, lines) of index lines dated within first..last."""
    key = (col(Entry.member_id), col(Entry.terms_from), col(Entry.points))
    statement = (
        select(*key, func.count())
        .where(
            col(Entry.rule_id) == rule_id,
            col(Entry.in_index).is_(True),
            col(Entry.day) >= first,
            col(Entry.day) <= last,
        )
        .group_by(*key)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(statement)]
