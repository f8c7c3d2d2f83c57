"""A group from the day on which the bot is added: with the real dispatcher, engine and database, over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.channels.telegram import Telegram
from bot.channels.telegram.counts import GAP_S, CallCounts
from bot.dispatch import Dispatcher
from bot.writer import Writer
from db import groups
from db.accounts import Chat
from db.inbound import Inbound
from db.members import Member, Membership
from notices import group_posts
from notices.channel import Channels
from notices.delivery import Engine
from tests.bot.telegram.conftest import FakeTime, opened
from tests.bot.telegram.server import TelegramServer
from tests.cast import ALICE, BOB, CHARLIE, LIANGFENG, NAMES, SUN
from tests.conftest import ZONE, Clock

GROUP = -100500
Look = Callable[[Callable[[Any], Any]], Awaitable[Any]]
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def dispatcher(writer: Writer, clock: Clock) -> Dispatcher:
    """The real one."""
    return Dispatcher(writer, zone=ZONE, clock=clock, abroad=("telegram",))


def chats(session: Any) -> None:
    """The cast has Telegram, too: everybody's user is their own number."""
    for one in (ALICE, BOB, CHARLIE, SUN):
        session.add(Chat(channel="telegram", address=str(one), member_id=one, choices={}))


def toasts(server: TelegramServer) -> list[str]:
    return [call.arguments.get("text", "") for call in server.called("answerCallbackQuery")]


class Place:
    """A group that is connected, and what keeps it going."""

    def __init__(self, telegram: Telegram, server: TelegramServer, writer: Writer, clock: Clock, time: FakeTime):
        self.counts = CallCounts(telegram._api, writer.write, clock=time, sleep=time.sleep)
        channels = Channels({"telegram": telegram.channel})
        self.engine = Engine(write=writer.write, channels=channels, clock=clock, sleep=time.sleep, seconds=time)
        self.server = server

    async def connect(self, **content: Any) -> None:
        """Add the bot, take a code in private, reply with it in the group. content: more of that message."""
        await self.server.say(SUN, "微社群")
        await self.server.wait_shown(SUN, 1)
        await self.server.press(SUN, self.server.sent(SUN)[-1].message_id, "1 ")
        await self.server.wait_shown(SUN, 2)
        code = next(word for word in self.server.sent(SUN)[-1].text.split() if "-" in word)[-9:]
        await self.server.add_to_group(GROUP)
        await self.server.wait_shown(GROUP, 1)
        hello = {"message_id": self.server.sent(GROUP)[0].message_id, "from": {"id": 4242}}
        await self.server.say_in_group(GROUP, SUN, code, reply_to_message=hello, **content)
        await self.server.wait_shown(GROUP, 2)


async def test_a_group_is_connected_called_and_counted_and_the_count_keeps_to_the_pace(
    server: TelegramServer,
    dispatcher: Dispatcher,
    fake_time: FakeTime,
    look: Look,
    writer: Writer,
    clock: Clock,
) -> None:
    await look(chats)
    async with opened(server, dispatcher, fake_time) as telegram:
        place = Place(telegram, server, writer, clock, fake_time)
        await place.connect()
        assert server.sent(GROUP)[-1].text.startswith("已连接：梁丰社区党支部")
        await server.say_in_group(GROUP, SUN, "/call@HongxinTestBot 明早八点清理河道")
        await server.say_in_group(GROUP, BOB, "谁看见我的伞了？")  # not for us
        await server.say(BOB, "/menu")
        await server.wait_shown(BOB, 1)
        await place.engine.drain_once()
        call = server.sent(GROUP)[-1]
        assert "明早八点清理河道" in call.text
        for person in (ALICE, BOB, CHARLIE, ALICE, 7001):
            await server.press_in_group(GROUP, person, call.message_id)
        await server.until(lambda: len(toasts(server)) == 6)
        said = [words[:4] for words in toasts(server)[1:]]  # each person's in order, of several in any
        assert sorted(said) == sorted(["已记下您", "已记下您", "这是另一", "您已经应", "请先到和"])
        fake_time.now_s += 2
        assert await place.counts.show_once() == 1
        assert "已有 2 人应答" in server.sent(GROUP)[-1].text
        assert server.sent(GROUP)[-1].labels == ["1 我来"]
        assert await place.counts.show_once() == 0, "nothing new"
        await many(look, LIANGFENG)
        changed = 0
        for second in range(60):  # somebody answers every second
            await server.press_in_group(GROUP, 9000 + second, call.message_id)
            await server.until(lambda at=second: len(toasts(server)) == 7 + at)
            fake_time.now_s += 1
            changed += await place.counts.show_once()
        assert 14 <= changed <= 60 / GAP_S
        fake_time.now_s += GAP_S
        await place.counts.show_once()
        assert "已有 62 人应答" in server.sent(GROUP)[-1].text
    assert all(name not in message.text for message in server.shown(GROUP) for name in NAMES.values())
    stored = await look(lambda session: str([row.model_dump() for row in session.exec(select(Inbound))]))
    assert "伞" not in stored
    assert await look(lambda session: session.exec(select(Chat).where(Chat.address == "7001")).first()) is None


async def many(look: Look, branch: int) -> None:
    """Sixty more members of the branch, each with a Telegram user."""

    def add(session: Any) -> None:
        people = range(9000, 9060)
        session.add_all([Member(id=one, code=f"C{one}", name=f"众{one}") for one in people])
        session.flush()
        began = date(2020, 1, 1)
        session.add_all([Membership(member_id=one, organization_id=branch, from_day=began) for one in people])
        session.add_all([Chat(channel="telegram", address=str(one), member_id=one, choices={}) for one in people])

    await look(add)


async def test_a_count_that_cannot_be_shown_is_tried_again_or_given_up(
    server: TelegramServer,
    dispatcher: Dispatcher,
    fake_time: FakeTime,
    look: Look,
    writer: Writer,
    clock: Clock,
) -> None:
    await look(chats)
    async with opened(server, dispatcher, fake_time) as telegram:
        place = Place(telegram, server, writer, clock, fake_time)
        await place.connect()
        await server.say_in_group(GROUP, SUN, "/call@HongxinTestBot 来")
        await server.say(BOB, "/menu")
        await server.wait_shown(BOB, 1)
        await place.engine.drain_once()
        call = server.sent(GROUP)[-1]

        async def next_look() -> int:
            fake_time.now_s += GAP_S
            return await place.counts.show_once()

        await server.press_in_group(GROUP, ALICE, call.message_id)
        await server.until(lambda: len(toasts(server)) == 2)
        server.flood("editMessageText", 10)
        assert await next_look() == 0
        assert await next_look() == 0, "nothing inside the pause"
        assert len(server.called("editMessageText")) == 2  # one of them in private
        fake_time.now_s += 10
        assert await next_look() == 1
        await server.press_in_group(GROUP, BOB, call.message_id)
        await server.until(lambda: len(toasts(server)) == 3)
        server.refuse("editMessageText", 400, "Bad Request: message to edit not found")
        await next_look()
        assert await next_look() == 0
        clock.now += timedelta(minutes=1)
        await server.say_in_group(GROUP, SUN, "/call@HongxinTestBot 再来")
        await server.say(BOB, "/menu")
        await server.wait_shown(BOB, 2)
        server.refuse("sendMessage", 403, "Forbidden: bot was kicked from the supergroup chat")
        await place.engine.drain_once()
        await place.engine.drain_once()
    assert server.hasty == []
    assert any("连接断开了" in sent.text for sent in server.sent(SUN))


async def test_in_a_forum_posts_and_answers_stay_in_their_topic(
    server: TelegramServer,
    dispatcher: Dispatcher,
    fake_time: FakeTime,
    look: Look,
    writer: Writer,
    clock: Clock,
) -> None:
    def topic(number: int) -> dict[str, Any]:
        return {"message_thread_id": number, "is_topic_message": True}

    def threads() -> list[Any]:
        sent = [call.arguments for call in server.called("sendMessage")]
        return [one.get("message_thread_id") for one in sent if one["chat_id"] == str(GROUP)]

    async def call(text: str, **content: Any) -> None:
        await server.say_in_group(GROUP, SUN, f"/call@HongxinTestBot {text}", **content)
        await server.say(BOB, "/menu")
        await server.wait_shown(BOB, len(server.shown(BOB)) + 1)
        await place.engine.drain_once()

    await look(chats)
    async with opened(server, dispatcher, fake_time) as telegram:
        place = Place(telegram, server, writer, clock, fake_time)
        await place.connect(**topic(7))
        await call("在另一个话题里", **topic(9))
        await call("在总话题里", message_thread_id=31)  # a reply in a group that is no forum has one, too
        await server.say_in_group(GROUP, ALICE, "/points@HongxinTestBot", **topic(9))
        await server.until(lambda: len(threads()) == 5)
        assert threads() == [None, 7, 9, None, 9]
        day = clock.now.astimezone(ZONE).date()
        await look(lambda session: [groups.set_topic(session, 1, 720, daily=True), mark(session, day)])
        await look(lambda session: group_posts.post_topics(session, clock.now, ZONE))
        server.refuse("sendMessage", 400, "Bad Request: message thread not found")
        await place.engine.drain_once()
        clock.now += timedelta(seconds=10)
        fake_time.now_s += 10
        await place.engine.drain_once()
        assert threads()[5:] == [7, None]
        assert (await look(lambda session: groups.at(session, "telegram", str(GROUP)))).thread is None


def mark(session: Any, day: date) -> int:
    return groups.mark_topics(session, 720, day, working_day=True)
