"""Points for goods and projects, as a member sees it."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session

from db import ledger
from db.rewards import Reward
from tests.cast import DAY, NOON

CUP, SCARF, PATROL = 1, 2, 3
NONCE = "0123456789ab"


def earn(session: Session, member_id: int, points: int, cause: str = "test") -> None:
    ledger.book(session, member_id=member_id, rule_id="PB1", cause=cause, points=points, day=DAY, booked_at=NOON)


@pytest.fixture
def give(look):
    """`await give(ALICE, 38)`: that member has earned so many points."""

    async def gives(member_id: int, points: int, cause: str = "test"):
        await look(lambda s: earn(s, member_id, points, cause))

    return gives


@pytest.fixture
def change(look):
    """`await change(CUP, price=25)`: the reward is altered by the office."""

    async def changes(reward_id: int, **values):
        def alter(session: Session) -> None:
            reward = session.get(Reward, reward_id)
            for name, value in values.items():
                setattr(reward, name, value)

        await look(alter)

    return changes


@pytest.fixture
def balance(look):
    async def asks(member_id: int) -> int:
        return await look(lambda s: ledger.balance(s, member_id))

    return asks


@pytest.fixture
def stock(look):
    async def asks(reward_id: int) -> int:
        return await look(lambda s: s.get(Reward, reward_id).stock)

    return asks


def code_in(message) -> str:
    return re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", message.text)[0]
