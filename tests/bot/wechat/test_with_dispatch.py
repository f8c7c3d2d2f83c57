"""The account with the real dispatcher and database: what the parts promise each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from bot.channels.wechat import WeChat
from bot.dispatch import Dispatcher
from bot.writer import Writer
from db.accounts import Chat
from db.attendance import Attendance
from db.inbound import Inbound
from handlers.conversation import Command, Picture, Reply
from notices.quotas import left_for
from tests import cast
from tests.bot.wechat.conftest import ALICE, BOB, Accounts, Clock
from tests.bot.wechat.server import ACCEPT_AND_DROP, WeChatServer
from tests.conftest import ZONE

Look = Callable[[Callable[[Session], Any]], Awaitable[Any]]


@pytest.fixture
async def wechat(account: Accounts, dispatcher: Dispatcher, look: Look) -> WeChat:
    """An account where Alice is bound already."""
    await look(
        lambda session: session.add(
            Chat(channel="wechat", address=ALICE, member_id=cast.ALICE, language="zh", choices={})
        )
    )
    return await account(dispatcher=dispatcher)


def chat(openid: str) -> Callable[[Session], Chat]:
    return lambda session: session.exec(select(Chat).where(col(Chat.address) == openid)).one()


async def test_a_stranger_is_helped_and_told_nothing(wechat: WeChat, server: WeChatServer) -> None:
    reply = await server.follow(BOB)
    assert reply is not None
    assert "绑定码" in reply
    assert cast.NAMES[cast.ALICE] not in reply


async def test_a_scan_checks_in_once_however_often_it_is_delivered(
    wechat: WeChat, server: WeChatServer, look: Look
) -> None:
    letter = server.event(ALICE, "SCAN", EventKey=f"c-{cast.OWN_CODE}", Ticket="t")
    first = await server.deliver(letter)
    assert first is not None
    assert "签到成功" in first
    assert await server.deliver(letter) == first
    rows = await look(lambda session: session.exec(select(Attendance)).all())
    assert [row.member_id for row in rows] == [cast.ALICE]


async def test_a_number_picks_what_the_last_message_offered(wechat: WeChat, server: WeChatServer) -> None:
    menu = await server.click(ALICE, "menu")
    assert menu is not None
    assert "1 签到" in menu
    picked = await server.say(ALICE, "1")
    assert picked == await server.click(ALICE, "check_in")


async def test_a_reply_that_was_heard_is_closed(wechat: WeChat, server: WeChatServer, look: Look) -> None:
    await server.say(ALICE, "菜单")
    await wechat.idle()
    (row,) = await look(lambda session: session.exec(select(Inbound)).all())
    assert row.taken_at is not None


async def test_each_act_opens_its_window(wechat: WeChat, server: WeChatServer, look: Look, clock: Clock) -> None:
    await server.click(ALICE, "menu")
    assert left_for(await look(chat(ALICE)), clock()) == 3
    await server.say(ALICE, "积分")
    assert left_for(await look(chat(ALICE)), clock()) == 5
    assert await server.unfollow(ALICE) is None
    assert (await look(chat(ALICE))).disabled is not None
    await server.follow(ALICE)
    assert (await look(chat(ALICE))).disabled is None


@pytest.mark.parametrize(
    "text", ["长" * 5000, "\u202e\u200b", "😀" * 50, "]]></Content>", "绑定 ' OR 1=1", "{0}{points}"]
)
async def test_whatever_is_typed_gets_an_answer(text: str, wechat: WeChat, server: WeChatServer) -> None:
    for openid in (ALICE, BOB):
        assert await server.say(openid, text)
    await wechat.idle()
    assert {seen.way for openid in (ALICE, BOB) for seen in server.sent(openid)} == {"passive"}


@pytest.mark.parametrize(("budget_s", "remaining"), [(4.0, 3), (0.0, 2)])
async def test_what_a_reply_takes_from_the_window_is_counted(
    budget_s: float,
    remaining: int,
    account: Accounts,
    writer: Writer,
    server: WeChatServer,
    look: Look,
    clock: Clock,
) -> None:
    reply = Reply(
        "长句子。" * 300, picture=Picture("qr", {"text": "x"}, "码"), at_home=True
    )  # two texts and a picture
    command = Command("menu", ("菜单",), lambda _: reply, strangers=True)
    slow = await account(
        dispatcher=Dispatcher(writer, zone=ZONE, clock=clock, commands=(command,)), budget_s=budget_s
    )
    await server.say(BOB, "菜单")
    await slow.idle()
    assert len(server.sent(BOB)) == 3
    assert left_for(await look(chat(BOB)), clock()) == remaining


async def test_a_late_reply_that_may_have_arrived_is_counted_too(
    account: Accounts, dispatcher: Dispatcher, server: WeChatServer, look: Look, clock: Clock
) -> None:
    slow = await account(dispatcher=dispatcher, budget_s=0.0)
    server.script("message/custom/send", ACCEPT_AND_DROP)
    await server.say(BOB, "菜单")
    await slow.idle()
    assert left_for(await look(chat(BOB)), clock()) == 4


async def test_a_picture_a_voice_and_a_place_get_an_answer(wechat: WeChat, server: WeChatServer) -> None:
    assert await server.image(ALICE, b"\xff\xd8\xffjpeg")
    assert await server.speak(ALICE)
    spoken = await server.speak(ALICE, "积分")
    assert spoken is not None
    assert "积分" in spoken
    assert await server.locate(ALICE, 31.875, 120.555)
    assert await server.deliver(server.message(ALICE, "video", MediaId="v", ThumbMediaId="t"))
