"""A month of values, published."""

from __future__ import annotations

from datetime import date

import pytest

from db import negatives, pool, values
from db.declarations import Declaration
from db.organizations import Organization
from db.pictures import Picture
from scoring.catalogue import shipped
from scoring.update import refresh_city
from tests.cast import LIANGFENG, NOON, RUI, SHAZHOU, SUN

MONTH = "2026-04"


def record_all(session, branch, months):
    """Every indicator of the branch met in each month, but C02 of April."""
    for month in months:
        for one in shipped().indicators_on(branch.field, NOON.date()):
            if one.period != "monthly":
                continue
            bad = branch.id == LIANGFENG and one.id in ("C02", "C04") and month == MONTH
            values.record(
                session, organization_id=branch.id, indicator_id=one.id, period=month, collect=one.collect,
                value=one.unmet if bad else one.met, cause=f"auto:{month}", recorded_at=NOON,
            )  # fmt: skip


@pytest.fixture
async def april(look, clock):
    """15 June: March and April are published, May is provisional. Liangfeng missed C02 and C04 in April; N01 once."""

    def write(session):
        for branch_id in (LIANGFENG, SHAZHOU):
            record_all(session, session.get(Organization, branch_id), ("2026-03", MONTH, "2026-05"))
        picture = Picture(channel="web", reference="p1", content=b"x", media_type="image/jpeg", created_at=NOON)
        session.add(picture)
        session.flush()
        declared = Declaration(
            organization_id=LIANGFENG, indicator_id="C02", period=MONTH, closing=MONTH, value="0", state="approved",
            picture_id=picture.id, declared_by=SUN, declared_at=NOON, decided_by=RUI, decided_at=NOON,
        )  # fmt: skip
        session.add(declared)
        session.flush()
        values.record(
            session, organization_id=LIANGFENG, indicator_id="C02", period=MONTH, value="0", collect="declare",
            cause=f"declaration:{declared.id}", recorded_at=NOON, recorded_by=RUI,
        )  # fmt: skip
        negatives.post(
            session, organization_id=LIANGFENG, item_id="N01", day=date(2026, 4, 9), count=1,
            cause="inspection:7", note="门口有旧牌子", recorded_at=NOON,
        )  # fmt: skip
        refresh_city(session, NOON.date(), NOON)
        for month in ("2026-03", MONTH):
            pool.begin_month(session, month, NOON)
            pool.finish_month(session, month, NOON)

    await look(write)
