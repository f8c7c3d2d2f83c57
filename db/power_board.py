"""The organisational power index among others: the best of a field, its median, and one's own place.

Every question is answered from an index in the order in which it is asked, so none of them grows with the city.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import and_, exists, func, select
from sqlmodel import Session, col

from db.indices import FortressIndex, OrgPowerIndex, PoolColour
from db.organizations import Organization
from db.pool import PoolMonth

DIMENSIONS = ("political_leadership", "org_coverage", "mass_cohesion", "development_service", "basic_support")


class Placed(NamedTuple):
    """One line of a board. score in hundredths."""

    rank: int
    name: str
    score: int
    organization_id: int


def of(session: Session, organization_id: int, month: str) -> OrgPowerIndex | None:
    """The organisation's result of this month (2026-03); None when it has none."""
    return session.get(OrgPowerIndex, (organization_id, month))


def top(
    session: Session, month: str, field: str, most: int, *, left_out: Collection[str] = (), vetoed: bool = False
) -> Sequence[Placed]:
    """The best of the field in the month, without those who have one of the colours `left_out` in it.

    vetoed: whether those with a veto in the year are shown. Equal scores share a rank; the older id comes first.
    """
    row = OrgPowerIndex
    statement = (
        select(col(row.rank), col(Organization.name), col(row.score), col(row.organization_id))
        .join(Organization, col(Organization.id) == col(row.organization_id))
        .where(col(row.month) == month, col(row.field) == field)
        .order_by(col(row.rank), col(row.organization_id))
        .limit(most)
    )
    if left_out:
        coloured = and_(
            col(PoolColour.organization_id) == col(row.organization_id),
            col(PoolColour.month) == month,
            col(PoolColour.colour).in_(left_out),
        )
        statement = statement.where(~exists().where(coloured))
    if not vetoed:
        barred = and_(
            col(FortressIndex.organization_id) == col(row.organization_id),
            col(FortressIndex.year) == int(month[:4]),
            col(FortressIndex.veto).is_(True),
        )
        statement = statement.where(~exists().where(barred))
    return [Placed(*found) for found in session.execute(statement)]


def field_size(session: Session, month: str, field: str) -> int:
    """How many organisations of the field have a result of the month."""
    row = OrgPowerIndex
    statement = select(col(row.field_size)).where(col(row.month) == month, col(row.field) == field)
    return int(session.execute(statement.order_by(col(row.rank)).limit(1)).scalar() or 0)


def field_dimensions(session: Session, month: str, field: str) -> list[tuple[int, ...]]:
    """The five dimensions of every organisation of the field in the month, in hundredths."""
    columns = [col(getattr(OrgPowerIndex, name)) for name in DIMENSIONS]
    statement = select(*columns).where(col(OrgPowerIndex.month) == month, col(OrgPowerIndex.field) == field)
    return [tuple(row) for row in session.execute(statement)]


def published(session: Session, until: str, most: int) -> list[str]:
    """The last `most` published months up to `until`, the latest first."""
    month = col(PoolMonth.month)
    statement = select(month).where(month <= until, col(PoolMonth.published_at).is_not(None))
    return list(session.execute(statement.order_by(month.desc()).limit(most)).scalars())


def last_month(session: Session, organization_id: int) -> str | None:
    """The latest month for which the organisation has a result, published or not; None without any."""
    statement = select(func.max(OrgPowerIndex.month)).where(col(OrgPowerIndex.organization_id) == organization_id)
    return session.execute(statement).scalar()


def colours_of(session: Session, organization_id: int, month: str) -> list[str]:
    """The colours that the organisation has in the month: blue, yellow, red."""
    statement = select(col(PoolColour.colour)).where(
        col(PoolColour.organization_id) == organization_id, col(PoolColour.month) == month
    )
    found = set(session.execute(statement).scalars())
    return [one for one in ("red", "yellow", "blue") if one in found]
