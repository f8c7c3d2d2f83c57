"""A field of organisations with results of two published months, for the tests of boards and of the page."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session

from db import pool, values
from db.indices import FortressIndex, OrgPowerIndex
from db.organizations import Organization
from scoring.branch_power import power_of
from scoring.catalogue import shipped
from tests.cast import COMMITTEE, LIANGFENG, NOON

NAMES = (
    *("梁丰社区第一网格党支部", "东莱社区党支部", "塘市街道南苑社区第二网格党支部委员会", "暨阳社区党支部"),
    *("花园浜社区党支部", "城北社区退休干部党支部", "西门社区党支部", "云盘社区党支部", "小河坝社区党支部"),
    *("范庄社区党支部", "河东社区党支部", "新丰社区党支部", "老宅社区党支部"),
)
MONTHS = ("2026-03", "2026-04")
UNMET = ("C02", "C04", "C07", "C08")


def own_result(session: Session) -> None:
    """The cast's own branch in the same months, from values: some indicators of two dimensions stand unmet."""
    branch = session.get_one(Organization, LIANGFENG)
    for month in MONTHS:
        for one in shipped().indicators_on(branch.field, NOON.date()):
            if one.period == "monthly":
                value = one.unmet if one.id in UNMET else one.met
                values.record(
                    session, organization_id=LIANGFENG, indicator_id=one.id, period=month, collect=one.collect,
                    value=value, cause=f"auto:{month}", recorded_at=NOON,
                )  # fmt: skip
    for month in MONTHS:
        found = power_of(session, branch, month)
        assert found is not None
        session.add(
            OrgPowerIndex(
                **{one.id: one.score for one in found.dimensions},
                organization_id=LIANGFENG, field=branch.field, month=month, rank=14, field_size=14, score=found.score,
                deduction=0, as_of=NOON.date(), rules="org_power_v1",
            )
        )  # fmt: skip
    session.flush()


def fill(session: Session, field: str = "urban_community") -> None:
    """Thirteen organisations from 99.50 downwards, the first two equal; both indices, two months."""
    for number, name in enumerate(NAMES, 1):
        key = 500 + number
        session.add(
            Organization(
                id=key,
                code=f"T{key}",
                name=name,
                level="branch",
                field=field,
                parent_id=COMMITTEE,
                path=f"/1/2/{key}/",
            )
        )
    session.flush()
    for number in range(1, len(NAMES) + 1):
        rank = max(1, number - 1) if number < 3 else number
        score = 9950 - 137 * (rank - 1)
        common: dict[str, Any] = {
            "organization_id": 500 + number,
            "field": field,
            "rank": rank,
            "as_of": NOON.date(),
        }
        for month in MONTHS:
            sides: dict[str, Any] = {
                "political_leadership": 2000,
                "org_coverage": 1950,
                "mass_cohesion": 2000,
                "development_service": 2000,
                "basic_support": 2000 - 137 * (rank - 1),
            }
            session.add(
                OrgPowerIndex(
                    **common,
                    **sides,
                    month=month,
                    deduction=0,
                    score=score,
                    field_size=len(NAMES),
                    rules="org_power_v1",
                )
            )
        session.add(
            FortressIndex(
                **common, year=2026, common=5000, specific=3000, deductions=0, base=8000, score=score - 900,
                activities=7, stars=3, parts={"specific": 3000}, rules="fortress_v1",
            )
        )  # fmt: skip
    for month in MONTHS:
        pool.begin_month(session, month, NOON)
        pool.finish_month(session, month, NOON)
    session.flush()
