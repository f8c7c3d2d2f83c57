"""One message, one transaction, one reply: when handlers fail, messages repeat, processes race."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import timedelta

import pytest

from bot.dispatch import CLOCK_SLACK, Dispatcher
from bot.writer import Writer
from db import inbound, ledger
from db.engine import write_engine
from handlers import COMMANDS
from handlers.conversation import Command, Incoming, Reply
from tests.cast import ALICE, BOB, DAY, NOON, OWN_CODE
from tests.conftest import ZONE, Voice


def _book_and_fail(ctx):
    ledger.book(ctx.session, member_id=ctx.me, rule_id="PB1", cause="lost", points=50, day=DAY, booked_at=ctx.now)
    raise ValueError("a mistake of ours")


def _broken_statement(ctx):
    ctx.session.add(ledger.Total(member_id=999_999, year=2026, rule_id="PB1"))  # nobody has this id
    return Reply("never said")


@pytest.fixture
def failing(writer, clock):
    """A voice to a service with two conversations that fail: one in our code, one in the database."""
    more = (
        Command("crash", ("出错",), _book_and_fail),
        Command("broken", ("坏账",), _broken_statement),
    )
    return Voice(Dispatcher(writer, zone=ZONE, clock=clock, commands=(*COMMANDS, *more)), clock)


@pytest.mark.parametrize("words", ["出错", "坏账"])
async def test_a_failing_handler_books_nothing_and_apologises_with_an_id(failing, look, caplog, words):
    caplog.set_level(logging.CRITICAL, "bot.dispatch")
    message = await failing(ALICE, words)
    assert message.text.startswith("抱歉，刚才没办成，没有记任何账。编号 R-")
    assert message.labels() == ["1 再试一次", "0 菜单"]
    assert await look(lambda s: ledger.balance(s, ALICE)) == 0


async def test_the_apology_is_one_reply_too_and_its_id_is_in_the_log(failing, caplog):
    first = await failing.answer(ALICE, "出错", key="k")
    again = await failing.answer(ALICE, "出错", key="k")
    assert again.message == first.message
    incident = first.message.text.split("编号 ")[1][:8]
    assert sum(incident in record.getMessage() for record in caplog.records) == 1


async def test_a_failure_takes_none_of_its_neighbours_along(failing, look):
    words = [(ALICE, "出错"), (BOB, f"签到 {OWN_CODE}"), (ALICE, "坏账"), (ALICE, f"签到 {OWN_CODE}")]
    replies = await asyncio.gather(*(failing(person, text) for person, text in words))
    assert [reply.text[:4] for reply in replies] == ["抱歉，刚", "签到成功", "抱歉，刚", "签到成功"]
    assert await look(lambda s: (ledger.balance(s, ALICE), ledger.balance(s, BOB))) == (2, 2)


async def test_messages_of_one_person_are_answered_in_their_order(say):
    replies = await asyncio.gather(*(say(ALICE, text) for text in ("签到", "2", "积分", "0")))
    assert "现在可以签到" in replies[0].text
    assert "区域活动 +3" in replies[1].text
    assert "积分余额：3" in replies[2].text
    assert "请回复数字" in replies[3].text


async def test_a_message_shuffled_and_repeated_over_two_processes_has_one_effect(database_url, clock, look):
    """Two writers on one database stand for two processes; the barrier lets both begin at once."""
    engines = [write_engine(database_url) for _ in range(2)]
    writers = [Writer(engine) for engine in engines]
    voices = [Voice(Dispatcher(writer, zone=ZONE, clock=clock), clock) for writer in writers]
    try:
        for number in range(10):
            clock.now = NOON
            tries = [voices[n % 2].answer(ALICE, f"签到 {OWN_CODE}", key=f"same{number}") for n in range(5)]
            answers = await asyncio.gather(*tries)
            assert len({answer.message.text for answer in answers}) == 1
            assert sum(answer.first for answer in answers) == 1
            assert len({answer.inbound_id for answer in answers}) == 1
        assert await look(lambda s: ledger.balance(s, ALICE)) == 2
    finally:
        for writer in writers:
            writer.close()


async def test_the_same_key_taken_in_by_another_process_meanwhile_gives_its_reply(
    dispatcher, writer, clock, monkeypatch
):
    """The race behind a barrier: the other process commits between our look-up and our insert."""
    real = inbound.known
    looked = threading.Event()

    def known_just_before(session, channel, key):
        if not looked.is_set():
            looked.set()
            return None  # as it was an instant ago
        return real(session, channel, key)

    incoming = Incoming("web", f"member:{ALICE}", "raced", NOON, text="积分")
    first = await dispatcher.answer(incoming)
    monkeypatch.setattr(inbound, "known", known_just_before)
    second = await dispatcher.answer(incoming)
    assert looked.is_set()
    assert (second.first, second.inbound_id, second.message) == (False, first.inbound_id, first.message)


async def test_a_reply_is_open_until_the_platform_has_taken_it(say, dispatcher, look):
    answer = await say.answer(ALICE, "积分", key="k")
    assert not (await say.answer(ALICE, "积分", key="k")).taken
    assert [row.id for row in await look(lambda s: inbound.open_replies(s, "web", NOON))] == [answer.inbound_id]
    await dispatcher.taken(answer)
    assert (await say.answer(ALICE, "积分", key="k")).taken
    assert await look(lambda s: inbound.open_replies(s, "web", NOON)) == []


async def test_a_clock_ahead_of_ours_is_not_believed(dispatcher, clock):
    closes = NOON + timedelta(hours=2, minutes=10)
    clock.now = closes + timedelta(minutes=1)
    late = Incoming("web", f"member:{ALICE}", "1", closes - CLOCK_SLACK, text=f"签到 {OWN_CODE}")
    assert (await dispatcher.answer(late)).message.text.startswith("签到成功")  # sent in time, delivered late
    clock.now = NOON - timedelta(minutes=21)
    ahead = Incoming("web", f"member:{BOB}", "2", NOON, text=f"签到 {OWN_CODE}")
    assert (await dispatcher.answer(ahead)).message.text.startswith("还没到签到时间")


async def test_no_full_name_goes_over_a_channel_abroad(writer, clock):
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad={"web"}), clock)
    for words in ("菜单", "我的", "me:export"):
        text = (await abroad(ALICE, words)).text
        assert "艾丽丝" not in text
    assert "艾同志" in (await abroad(ALICE, "菜单")).text


async def test_what_a_person_wrote_and_codes_never_reach_the_log(failing, caplog):
    caplog.set_level(logging.DEBUG)
    await failing(ALICE, "绑定 48271935")
    await failing(ALICE, "坏账")
    assert "48271935" not in caplog.text


async def test_a_place_that_a_phone_reports_by_itself_is_answered_only_when_it_is_waited_for(say):
    assert await say(ALICE, "", kind="location", point=(31.8, 120.5), unasked=True) is None
    assert "位置" in (await say(ALICE, "", kind="location", point=(31.8, 120.5))).text
