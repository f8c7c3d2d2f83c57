"""Activities as a member and a secretary see them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db.activities import Activity
from tests.cast import NOON

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START, END = NOON + 10 * MINUTE, NOON + 130 * MINUTE  # of activity 1
EVENING = NOON + 7 * HOUR  # of activity 4


@pytest.fixture
def press(say):
    return lambda person, action: say(person, action, kind="button")


async def newest(look):
    return await look(lambda s: s.execute(select(Activity).order_by(Activity.id.desc())).scalars().first())
