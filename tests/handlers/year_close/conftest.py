"""A finished year, and the steps to its close."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from db import periods_locked
from db.accounts import Chat
from db.indices import FortressIndex
from db.members import Member, Membership, Role
from notices import year_close as notes
from scoring import update
from tests.cast import CITY, DING, LIANGFENG, RUI, SHAZHOU
from tests.conftest import ZONE

JANUARY = datetime(2027, 1, 18, 4, 0, tzinfo=UTC)  # a Monday; December is locked since the 15th
WEI = 390  # the second person of the district
CHANG = 391  # the district of another city: nothing here is theirs


@pytest.fixture
def city(look, clock):
    """A finished year: two branches, Liangfeng with six activities and 90 points, and two people in the district."""

    def fill(session: Session) -> None:
        for person in (WEI, CHANG):
            session.add(Member(id=person, code=f"M{person}", name="卫组织"))
            session.flush()
            session.add(Membership(member_id=person, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"member:{person}", member_id=person, choices={}))
        role = "district_org_department"
        session.add(Role(member_id=WEI, organization_id=CITY, role=role, from_day=date(2026, 1, 1)))
        session.add(Role(member_id=CHANG, organization_id=SHAZHOU, role=role, from_day=date(2026, 1, 1)))
        session.flush()
        update.refresh_city(session, date(2026, 12, 31), JANUARY, zone=ZONE)
        session.flush()
        stored = session.get(FortressIndex, (LIANGFENG, 2026))
        stored.score, stored.stars, stored.veto = 90_00, 5, False
        periods_locked.lock(session, "2026-12", JANUARY)

    async def fills() -> None:
        clock.now = JANUARY
        await look(fill)

    return fills


async def finish(look, work, now) -> int:
    count = 0
    while done := await look(lambda s: work(s, now, ZONE)):
        count += done
    return count


async def close_it(say, look, clock) -> None:
    """The way to the end without any objection."""
    await say(DING, "year_close:open:yes", kind="button")
    await say(RUI, "year_close:stand:2:yes", kind="button")
    clock.now = JANUARY + timedelta(days=8)
    await say(DING, "year_close:confirm:yes", kind="button")
    await finish(look, notes.freeze_next, clock.now)
