"""The database of a branch whose year is empty: no activity is planned, the committee has three."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from db.activities import Activity
from db.organizations import Organization
from tests.cast import LIANGFENG


@pytest.fixture
def session(engine):
    with Session(engine) as made:
        for activity in made.execute(select(Activity)).scalars():
            activity.state = "cancelled"
        made.get(Organization, LIANGFENG).committee_members = 3
        made.flush()
        yield made
