"""From an update to the reply on the person's screen, by polling; the webhook shares all of it."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import pytest

from bot.channels.telegram import Telegram
from notices.channel import Button, Message
from tests.bot.telegram.conftest import ALICE, BOB, FakeDispatcher, FakeTime, said
from tests.bot.telegram.server import TelegramServer

pytestmark = pytest.mark.usefixtures("polling")

MENU = Message("菜单", (Button("签到", "check_in"), Button("积分", "points")))
GROUP = -100500


async def settled(telegram: Telegram) -> None:
    """Every reply under way has ended."""
    await asyncio.wait_for(telegram._conversation.settled(), 5)


async def test_a_text_is_answered_and_the_reply_noted_as_taken(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    number = await server.say(ALICE, "签到")
    (seen,) = await server.wait_shown(ALICE, 1)
    assert seen.text == "echo 签到"
    await settled(polling)
    assert dispatcher.taken_keys == [f"u{number}"]


async def test_a_press_is_answered_first_and_changes_the_message_in_place(
    server: TelegramServer, dispatcher: FakeDispatcher
) -> None:
    dispatcher.reply = lambda incoming: MENU if incoming.kind == "text" else Message("签到成功")
    await server.say(ALICE, "菜单")
    (menu,) = await server.wait_shown(ALICE, 1)
    await server.press(ALICE, menu.message_id, "1 ")
    await server.wait_shown(ALICE, 2)
    (seen,) = server.sent(ALICE)
    assert (seen.message_id, seen.text, seen.labels, seen.edits) == (menu.message_id, "签到成功", [], 1)
    assert dispatcher.heard[-1].text == "check_in"
    methods = [call.method for call in server.calls if call.method in ("answerCallbackQuery", "editMessageText")]
    assert methods == ["answerCallbackQuery", "editMessageText"]


@pytest.mark.parametrize("words", ["message can't be edited", "message to edit not found", "something unknown"])
async def test_when_editing_is_refused_the_reply_comes_as_a_new_message(
    server: TelegramServer, dispatcher: FakeDispatcher, words: str
) -> None:
    dispatcher.reply = lambda incoming: MENU if incoming.kind == "text" else Message("签到成功")
    await server.say(ALICE, "菜单")
    (menu,) = await server.wait_shown(ALICE, 1)
    server.refuse("editMessageText", 400, f"Bad Request: {words}")
    await server.press(ALICE, menu.message_id, "1 ")
    await server.wait_shown(ALICE, 2)
    assert [seen.text for seen in server.sent(ALICE)] == ["菜单", "签到成功"]


async def test_a_double_tap_changes_nothing_the_second_time(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    dispatcher.reply = lambda incoming: MENU
    await server.say(ALICE, "菜单")
    (menu,) = await server.wait_shown(ALICE, 1)
    number = await server.press(ALICE, menu.message_id, "1 ")  # the answer is the same menu again
    await server.until(lambda: bool(server.called("editMessageText")))
    await settled(polling)
    assert len(server.shown(ALICE)) == 1
    assert f"u{number}" in dispatcher.taken_keys


async def test_a_redelivery_while_the_first_is_under_way_says_nothing_twice(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    number = await server.say(ALICE, "签到")
    await server.redeliver(number)
    await server.say(ALICE, "积分")
    await server.wait_shown(ALICE, 2)
    await server.redeliver(number)
    await server.say(ALICE, "菜单")
    await server.wait_shown(ALICE, 3)
    await settled(polling)
    assert [seen.text for seen in server.shown(ALICE)] == ["echo 签到", "echo 积分", "echo 菜单"]
    assert [incoming.text for incoming in dispatcher.heard] == ["签到", "积分", "菜单"]


async def test_what_another_process_took_in_first_is_answered_by_that_one(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    polling.channel.pacer.common = AsyncMock()
    for first, text in ((True, "签到"), (False, "积分"), (True, "菜单")):
        dispatcher.more = {"first": first}
        await server.say(ALICE, text)
        async with asyncio.timeout(150):
            while len(dispatcher.heard) == 0 or dispatcher.heard[-1].text != text:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await settled(polling)
    assert [seen.text for seen in server.shown(ALICE)] == ["echo 签到", "echo 菜单"]


async def test_one_chat_is_answered_in_order_while_another_does_not_wait(
    server: TelegramServer, dispatcher: FakeDispatcher
) -> None:
    gate = dispatcher.gates["first"] = asyncio.Event()
    for text in ("first", "second", "third"):
        await server.say(ALICE, text)
    await server.say(BOB, "hello")
    await server.wait_shown(BOB, 1)
    assert server.shown(ALICE) == []
    gate.set()
    seen = await server.wait_shown(ALICE, 3)
    assert [message.text for message in seen] == ["echo first", "echo second", "echo third"]


async def test_a_reply_waits_out_a_pause_and_nothing_leaves_inside_it(
    server: TelegramServer, fake_time: FakeTime
) -> None:
    server.flood("sendMessage", 3)
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 1)
    assert 3.0 in fake_time.slept
    assert server.hasty == []


async def test_pauses_use_up_no_tries(server: TelegramServer) -> None:
    server.flood("sendMessage", 2, times=3)
    server.garble("sendMessage", b"<html>", status=403, accept=False)
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 1)
    assert len(server.called("sendMessage")) == 5
    assert server.hasty == []


async def test_a_pause_longer_than_a_minute_leaves_the_reply_open(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram, fake_time: FakeTime
) -> None:
    server.flood("sendMessage", 2000)
    number = await server.say(ALICE, "签到")
    await server.until(lambda: len(server.called("sendMessage")) == 1)
    await settled(polling)
    assert dispatcher.taken_keys == []
    fake_time.now_s += 2000
    await server.redeliver(number)  # and a later delivery of the same update may say it
    await server.wait_shown(ALICE, 1)
    await settled(polling)
    assert dispatcher.taken_keys == [f"u{number}"]


async def test_a_reply_that_was_certainly_not_sent_is_tried_again(server: TelegramServer) -> None:
    server.garble("sendMessage", b"<html>", status=403, accept=False)
    await server.say(ALICE, "签到")
    assert len(await server.wait_shown(ALICE, 1)) == 1


async def test_a_reply_in_doubt_is_repeated_once_because_its_person_waits(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    server.garble("sendMessage", b"", status=502, accept=True)
    server.garble("sendMessage", b"", status=502, accept=True)
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 2)
    await settled(polling)
    assert len(server.called("sendMessage")) == 2
    assert dispatcher.taken_keys == []  # still open: nobody knows


async def test_a_reply_that_telegram_refuses_is_closed(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    server.refuse("sendMessage", 403, "Forbidden: bot was blocked by the user")
    number = await server.say(ALICE, "签到")
    await server.until(lambda: bool(server.called("sendMessage")))
    await settled(polling)
    assert dispatcher.taken_keys == [f"u{number}"]
    assert len(server.called("sendMessage")) == 1


async def test_who_blocks_the_bot_hears_nothing_more(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    number = await server.block(ALICE)
    await server.until(lambda: bool(dispatcher.heard))
    await settled(polling)
    assert dispatcher.heard[0].kind == "unfollow"
    assert server.called("sendMessage") == []
    assert dispatcher.taken_keys == [f"u{number}"]


async def test_who_unblocks_the_bot_is_greeted(server: TelegramServer, dispatcher: FakeDispatcher) -> None:
    await server.block(ALICE, blocked=False)
    await server.wait_shown(ALICE, 1)
    assert dispatcher.heard[0].kind == "follow"


async def test_silence_of_the_dispatcher_is_silence(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    dispatcher.reply = lambda _: None
    number = await server.say(ALICE, "…")
    await server.until(lambda: bool(dispatcher.heard))
    await settled(polling)
    assert dispatcher.taken_keys == [f"u{number}"]
    assert server.shown(ALICE) == []


async def test_a_long_reply_comes_in_parts_in_order(server: TelegramServer, dispatcher: FakeDispatcher) -> None:
    dispatcher.reply = said("一二三四。" * 1000)
    await server.say(ALICE, "x")
    first, second = await server.wait_shown(ALICE, 2)
    assert first.text + second.text == "一二三四。" * 1000
    assert (first.labels, second.labels) == ([], ["1 签到"])


async def test_a_group_hears_once_in_a_minute_that_personal_matters_are_private(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> None:
    dispatcher.reply = lambda incoming: None if incoming.group else Message("echo")
    dispatcher.more = {"refers": True}
    await server.say_in_group(GROUP, ALICE, "/points@HongxinTestBot")
    (seen,) = await server.wait_shown(GROUP, 1)
    assert "单独对话" in seen.text
    await server.say_in_group(GROUP, BOB, "@HongxinTestBot 积分")
    await server.say_in_group(GROUP, BOB, "大家好")
    dispatcher.more = {}
    await server.say(BOB, "积分")
    await server.wait_shown(BOB, 1)
    assert len(server.shown(GROUP)) == 1
    assert [incoming.text for incoming in dispatcher.heard] == ["/points", "积分", "积分"]
    dispatcher.more = {"refers": True}
    fake_time.now_s += 60
    await server.say_in_group(GROUP, BOB, "@HongxinTestBot 积分")
    await server.wait_shown(GROUP, 2)


@pytest.mark.parametrize(
    "body",
    [
        {"poll": {"id": "1"}},
        {"message": "nonsense"},
        {"message": {"chat": {"id": [1]}, "text": {}}},
        {"callback_query": {"id": "c", "from": {"id": 1}, "inline_message_id": "x"}},
    ],
)
async def test_odd_updates_pass_and_what_follows_is_answered(server: TelegramServer, body: dict[str, Any]) -> None:
    odd = await server.update(**body)
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 1)
    await server.until(lambda: odd not in server.unconfirmed())


async def test_a_press_that_cannot_be_answered_is_still_carried_out(server: TelegramServer) -> None:
    server.refuse("answerCallbackQuery", 400, "Bad Request: query is too old and response timeout expired")
    await server.say(ALICE, "菜单")
    (menu,) = await server.wait_shown(ALICE, 1)
    await server.press(ALICE, menu.message_id, "points")
    seen = await server.wait_shown(ALICE, 2)
    assert seen[-1].text == "echo points"
