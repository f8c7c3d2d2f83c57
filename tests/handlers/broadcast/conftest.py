"""A Red Letter from its words to its preview."""

from __future__ import annotations

import pytest
from sqlmodel import select

from db.letters import Letter
from tests.cast import SUN

BODY = "关于做好防汛值守的通知\n今晚有大雨，请各网格留人值守。"


@pytest.fixture
async def previewed(say):
    """A draft of branch 10's secretary to everybody, at its preview."""
    return await say.all(SUN, "发红信", "1", "1", BODY)


async def the_letter(look):
    return await look(lambda s: s.exec(select(Letter)).one())
