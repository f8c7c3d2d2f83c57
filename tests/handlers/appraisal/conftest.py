"""The poll of one branch, and the people who answer it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session

from db import polls
from db.accounts import Chat
from db.members import Member, Membership
from notices import appraisals as notes
from tests.cast import ALICE, BOB, KE, LIANGFENG, MO, OLGA, RUI
from tests.conftest import ZONE

DECEMBER = datetime(2026, 12, 2, 4, 0, tzinfo=UTC)
EVE = 801  # one more member of branch 10
VOTERS = (ALICE, BOB, MO, KE, OLGA, EVE)  # all of branch 10 but its secretary and its reviewer


@pytest.fixture
def poll_id(clock, say, look):
    """The open poll of branch 10, opened by its reviewer on 2 December and told to its members."""

    async def opens() -> int:
        clock.now = DECEMBER
        await look(_settle)
        await say.all(RUI, "appraisal:open", "B10", "1")
        await look(lambda s: notes.tell_next(s, clock.now, ZONE))
        return await look(lambda s: polls.of_branch(s, LIANGFENG, 2026).id)

    return opens


def _settle(session: Session, *people: int) -> None:
    for person in people or (EVE,):
        session.add(Member(id=person, code=f"M{person}", name="同志"))
        session.flush()
        session.add(Membership(member_id=person, organization_id=LIANGFENG, from_day=date(2020, 1, 1)))
        session.add(Chat(channel="web", address=f"member:{person}", member_id=person, choices={}))


async def answer_all(say, poll_id: int, person: int, *grades: int):
    await say(person, f"appraisal:paper:{poll_id}", kind="button")
    return await say.all(person, *(str(grade) for grade in grades))
