"""A branch that has held six activities in January, the check of a day, and what somebody was told."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from db.activities import Activity
from db.deliveries import Delivery
from db.organizations import Organization
from notices.warnings import check_warnings
from tests.cast import SHAZHOU
from tests.conftest import ZONE
from tests.notices.warnings.branch import DAY, held, nine


@pytest.fixture
async def quiet_city(look):
    """Branch 10 with six activities in January and nothing else; branch 20 is closed."""

    def change(session):
        for activity in session.execute(select(Activity)).scalars():
            activity.state = "cancelled"
        session.get(Organization, SHAZHOU).closed_on = date(2026, 1, 1)
        for n in range(6):
            session.add(held(100 + n, nine(1, 5) + n * DAY))
        session.flush()

    await look(change)


@pytest.fixture
def check(look):
    return lambda now: look(lambda s: check_warnings(s, now, ZONE))


@pytest.fixture
def told(look):
    async def read(member_id):
        return await look(
            lambda s: [
                row.content["text"]
                for row in s.execute(
                    select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id)
                ).scalars()
            ]
        )

    return read
