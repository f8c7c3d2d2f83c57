"""Nothing links a person to an answer: no table, no row, no apology, no log."""

from __future__ import annotations

import json
from datetime import timedelta

from sqlalchemy import text as sql
from sqlalchemy.engine import Engine
from sqlmodel import Session, SQLModel

from bot.channels.web.chat import WebChat
from bot.channels.web.lines import Said
from db import polls
from db.polls import Ballot, Tally
from tests.cast import ALICE, BOB


def everything(session: Session) -> dict[str, list[tuple]]:
    return {
        table.name: [tuple(row) for row in session.execute(table.select())]
        for table in SQLModel.metadata.sorted_tables
    }


async def test_no_table_tells_who_gave_which_answer(say, look, clock, poll_id, dispatcher):
    """Two voters of opposite opinion, a minute apart: exchange their opinions, and only the words' keys differ."""
    poll = await poll_id()
    chat = WebChat(dispatcher, draw=None)

    async def vote(person: int, grade: int, typed: bool) -> None:
        address = f"member:{person}"
        await chat.say(address, Said(key=f"p{person}", kind="button", text=f"appraisal:paper:{poll}"))
        for number in range(3):
            clock.now += timedelta(minutes=1)
            if typed:
                said = Said(key=f"{person}-{number}", text=str(grade))
            else:
                action = f"appraisal:grade:{poll}:{number}:{grade}"
                said = Said(
                    key=f"{person}-{number}", kind="button", text=action, label=await chat.label(address, action)
                )
            await chat.say(address, said)

    before = await look(everything)
    start = clock.now
    seen = []
    for grades in ((1, 4), (4, 1)):
        clock.now = start
        await look(lambda s: _put_back(s, before))
        await vote(ALICE, grades[0], typed=True)
        await vote(BOB, grades[1], typed=False)
        seen.append(await look(everything))
    one, other = seen
    assert one["tally"] == other["tally"]
    for name in one:
        assert _without_tokens(one[name]) == _without_tokens(other[name]), name
    lines = json.dumps(one["web_line"], default=str, ensure_ascii=False)
    assert lines.count("答案不保存") == 6


def _put_back(session: Session, before: dict[str, list[tuple]]) -> None:
    """As if nobody had voted: papers, tallies, and the memory of the chats."""
    session.execute(sql("DELETE FROM ballot"))
    session.execute(sql("UPDATE tally SET votes = 0"))
    session.execute(sql("DELETE FROM web_line"))
    known = [row[0] for row in before["inbound"]]
    session.execute(sql(f"DELETE FROM inbound WHERE id > {max(known, default=0)}"))


def _without_tokens(rows: list[tuple]) -> list[tuple]:
    """Rows without the numbers that the database gives out; what stands in them otherwise is compared."""
    return sorted(json.dumps(row[1:], default=str, ensure_ascii=False) for row in rows)


async def test_no_row_of_a_tally_is_marked_by_the_answer(look, engine: Engine, poll_id, say):
    """PostgreSQL shows to every query which transaction wrote a row: that of a vote wrote all rows of its question."""
    poll = await poll_id()
    assert {column.name for column in Ballot.__table__.columns} == {"poll_id", "member_id", "answered"}
    assert {column.name for column in Tally.__table__.columns} == {"poll_id", "question", "grade", "votes"}
    if engine.dialect.name != "postgresql":
        return
    await say(ALICE, f"appraisal:grade:{poll}:0:3", kind="button")
    marks = await look(
        lambda s: s.execute(sql("SELECT DISTINCT xmin::text FROM tally WHERE question = 'committee'")).all()
    )
    assert len(marks) == 1


async def test_an_answer_that_fails_is_not_repeated_in_the_apology(say, poll_id, look, monkeypatch, caplog):
    poll = await poll_id()
    await say(ALICE, f"appraisal:paper:{poll}", kind="button")

    def fails(*_args, **_more):
        raise RuntimeError("no luck")

    monkeypatch.setattr(polls, "vote", fails)
    sorry = await say(ALICE, "较差")
    assert "R-" in sorry.text
    assert sorry.hides
    stored = await look(
        lambda s: json.dumps([list(r) for r in s.execute(sql("SELECT reply FROM inbound"))], default=str)
    )
    assert "appraisal:grade" in stored, "the paper that was shown names all grades"
    assert "较差" not in json.dumps(sorry.to_json(), ensure_ascii=False)
    assert "grade" not in json.dumps(sorry.to_json())
    assert "较差" not in caplog.text


async def test_words_in_place_of_a_number_are_not_repeated(say, poll_id):
    poll = await poll_id()
    await say(ALICE, f"appraisal:paper:{poll}", kind="button")
    reply = await say(ALICE, "班子实在太差了")
    assert "没有保存" in reply.text
    assert "太差" not in reply.text
    assert reply.hides
    assert "第 1 题" in reply.text
