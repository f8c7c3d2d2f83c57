"""What stands in the way of closing a year: things of that year that somebody still has to decide."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlmodel import Session, col

from db import periods_locked, year_close, year_results
from db.appeals import Appeal
from db.inspections import Inspection
from db.ledger import Entry
from db.polls import Poll
from db.vetoes import VetoEvent
from db.year_close import YearCommittee

UNDECIDED = ("noticed", "appealed", "upheld")  # inspections whose finding is not posted or dropped


def obstacles(session: Session, year: int, today: date) -> dict[str, int]:
    """What is open, by kind, with how many there are; empty when the year can be confirmed."""
    first, last = date(year, 1, 1), date(year, 12, 31)

    def count(model: type, *conditions: object) -> int:
        statement = select(func.count()).select_from(model).where(*conditions)  # type: ignore[arg-type]
        return int(session.execute(statement).scalar_one())

    appeals = select(func.count()).select_from(Appeal).join(Entry, col(Entry.id) == col(Appeal.entry_id))
    in_year = (col(Appeal.state) == "open", col(Entry.day) >= first, col(Entry.day) <= last)
    found = {
        "december": int(not periods_locked.is_locked(session, f"{year}-12")),
        "figures": int(year_results.figures_on(session, year) != last),
        "polls": count(Poll, col(Poll.year) == year, col(Poll.state) == "open"),
        "appeals": int(session.execute(appeals.where(*in_year)).scalar_one()),
        "inspections": count(
            Inspection,
            col(Inspection.state).in_(UNDECIDED),
            col(Inspection.day) >= first,
            col(Inspection.day) <= last,
        ),
        "vetoes": count(VetoEvent, col(VetoEvent.year) == year, col(VetoEvent.state) == "reported"),
        "committees": count(YearCommittee, col(YearCommittee.year) == year, col(YearCommittee.state) == "open"),
        "window": count(
            YearCommittee, col(YearCommittee.year) == year, col(YearCommittee.objections_until) >= today
        ),
        "objections": year_close.count_objections(session, year),
    }
    return {kind: number for kind, number in found.items() if number}
