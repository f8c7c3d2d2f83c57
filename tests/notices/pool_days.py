"""Months, colours and days of the three-colour pool, for the tests that need them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import select
from sqlmodel import Session, col

from db import occurrences
from db.deliveries import Delivery
from db.indices import OrgPowerIndex, PoolColour
from db.organizations import Organization
from db.warnings import BranchWarning
from notices import pool
from tests.cast import LIANGFENG
from tests.conftest import ZONE

OWNERS = {"blue": "party_work_committee", "yellow": "lead_department", "red": "district_org_department"}


def nine(month: int, day: int) -> datetime:
    """09:10 in Shanghai, in 2026."""
    return datetime(2026, month, day, 1, 10, tzinfo=UTC)


def evaluate(
    session: Session, month: str, organization_id: int = LIANGFENG, rank: int = 9, size: int = 10, **colours
):
    """What the refresh would have stored: `red="C02"` gives a colour with its causes; a colour that is not named goes."""
    key = (organization_id, month)
    if session.get(OrgPowerIndex, key) is None:
        branch = session.get(Organization, organization_id)
        dimensions = dict.fromkeys(
            ("political_leadership", "org_coverage", "mass_cohesion", "development_service", "basic_support"), 1800
        )
        row = OrgPowerIndex(
            organization_id=organization_id,
            month=month,
            field=branch.field,
            **dimensions,
            deduction=0,
            score=9000,
            rank=rank,
            field_size=size,
            as_of=date(2026, 4, 1),
            rules="org_power_v1",
        )
        session.add(row)
    for colour, owner in OWNERS.items():
        known = session.get(PoolColour, (*key, colour))
        if known is not None and colour not in colours:
            session.delete(known)
        elif known is None and colour in colours:
            session.add(
                PoolColour(
                    organization_id=organization_id,
                    month=month,
                    colour=colour,
                    owner=owner,
                    reason=colours[colour],
                )
            )
        elif known is not None:
            known.reason = colours[colour]
    session.flush()


def walk(session: Session, now: datetime, *, refreshed: bool = True) -> int:
    """One day's walk to its end; how many parts."""
    if refreshed:
        occurrences.record(session, pool.REFRESH, now, ran_at=now)
    occurrences.record(session, pool.TASK, now, ran_at=now)
    parts = 0
    while pool.check_next(session, now, ZONE):
        parts += 1
        session.expire_all()
    return parts


def told(session: Session, member_id: int) -> list[str]:
    """What the member was told, the oldest first."""
    rows = select(Delivery).where(col(Delivery.member_id) == member_id).order_by(col(Delivery.id))
    return [row.content["text"] for row in session.execute(rows).scalars()]


def rows(session: Session) -> list[tuple[str, str, str]]:
    """(kind, month, state) of every colour that was told."""
    found = (
        select(BranchWarning).where(col(BranchWarning.kind).startswith("pool_")).order_by(col(BranchWarning.id))
    )
    return [(row.kind, row.period, row.state) for row in session.execute(found).scalars()]
