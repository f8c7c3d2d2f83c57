"""A wide audience is counted beside the writer: nobody else waits, and the figures are those of the roll."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from bot.dispatch import Dispatcher
from db import audiences
from db.addressing import Addressing
from db.letters import Letter
from notices.outbox import queue_letter
from tests.cast import COMMITTEE, OLGA, RUI
from tests.conftest import ZONE, Voice

BODY = "关于做好防汛值守的通知\n今晚有大雨，请各网格留人值守。"


@pytest.fixture
def asked(monkeypatch):
    """What was read beside the writer, in its order."""
    monkeypatch.setattr(audiences, "UNITS_AT_ONCE", 1)
    return []


async def test_a_letter_to_many_branches_is_counted_on_a_connection_that_only_reads(
    engine, writer, clock, look, asked
):
    async def read(work):
        with Session(engine) as session:  # of its own: the writer is free
            found = work(session)
            session.rollback()
        asked.append(found)
        return found

    say = Voice(Dispatcher(writer, zone=ZONE, clock=clock, read=read), clock)
    to_whom = await say(OLGA, f"broadcast:whom:{COMMITTEE}", kind="button")
    assert "9" in to_whom.buttons[0].label
    assert asked.pop()["all"] == 9
    shown = await say.all(OLGA, f"broadcast:topic:{COMMITTEE}:all:superior_spirit", BODY)
    (reached,) = asked
    assert reached.count == 9
    assert "9" in shown.text
    await say(OLGA, "9")
    made = await look(lambda s: s.exec(select(Letter)).one())
    assert made.state == "submitted"
    mark = made.content_hash[:12]
    await say(RUI, f"approvals:yes:{made.id}:8:{mark}", kind="button")
    assert (await look(lambda s: s.get(Letter, made.id))).state == "submitted", (
        "it was another number that the second person had seen"
    )
    assert asked[1:] == [9, 9], "once for each confirmation, and for what it showed then"


async def test_few_people_in_many_branches_get_their_rows_in_parts(say, look, asked):
    await say.all(OLGA, f"broadcast:topic:{COMMITTEE}:mobile:superior_spirit", BODY)
    made = await look(lambda s: s.exec(select(Letter)).one())
    assert await look(lambda s: queue_letter(s, s.get(Letter, made.id), made.created_at)) == 0
    assert await look(lambda s: [one.what for one in s.exec(select(Addressing)).all()]) == ["letter"]
