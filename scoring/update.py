"""The city refresh: all indices of everybody from totals, with ranks, stars and colours, compared and stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import city_results
from db.city_columns import View
from db.city_results import Difference
from db.duties import CITY
from scoring import beside as second
from scoring import differences
from scoring.branch_index import BranchIndex, compute, parts_of
from scoring.catalogue import shipped
from scoring.city import compute_city
from scoring.month_differences import month_differences

__all__ = ["BranchIndex", "Refresh", "compute", "parts_of", "prepare", "refresh_city", "store"]


@dataclass(frozen=True)
class Refresh:
    """What one refresh has to write: per table the rows that are new, changed or gone."""

    year: int
    branches: int
    changes: list[Difference] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows it writes or takes away."""
        return sum(one.count + len(one.gone) for one in self.changes)


def refresh_city(session: Session, as_of: date, now: datetime, *, zone: ZoneInfo = CITY) -> int:
    """Compute and store all indices of the year of `as_of` in one go; how many branches. For a city at rest.

    A running service reads with `prepare` on a connection of its own and keeps the writer only for `store`.
    """
    del now  # the day alone decides; the instant is part of every job's call
    session.flush()
    refresh = prepare(session, as_of, zone=zone)
    store(session, refresh)
    return refresh.branches


def prepare(
    session: Session,
    as_of: date,
    *,
    zone: ZoneInfo = CITY,
    lines: bool = False,
    beside: bool = False,
) -> Refresh:
    """Everything that the refresh has to write; reads only, and takes the time that arithmetic takes.

    lines: from the raw lines instead of the totals, with every stored proof compared. beside: on two connections
    at once; only for a session that has written nothing.
    """
    rules = shipped()
    with second.beside(session, on=beside) as other:
        standing = other.begin(lambda own: city_results.pioneer(own, as_of.year))
        found = compute_city(session, View(as_of, zone, lines=lines), rules, other=other)
    changes = [
        differences.pioneer(rules, found, standing()),
        *differences.fortress(session, rules, found, whole=lines),
        *month_differences(session, rules, found, whole=lines),
    ]
    return Refresh(as_of.year, len(found.branches), changes)


def store(session: Session, refresh: Refresh) -> None:
    """Put the new figures in the place of the old ones. Doing it twice changes nothing."""
    city_results.take_turn(session)
    for change in refresh.changes:
        change.write(session)
    session.expire_all()  # what the session holds of these rows may be no longer so
