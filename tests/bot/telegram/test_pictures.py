"""Pictures on their way out and in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.channels.telegram import Telegram
from notices.channel import Button, Message, Picture, SendError
from tests.bot.telegram.conftest import ALICE, PNG, FakeDispatcher
from tests.bot.telegram.server import TelegramServer

pytestmark = pytest.mark.usefixtures("polling")


async def test_a_press_below_a_photo_is_answered_by_a_new_message(
    server: TelegramServer, dispatcher: FakeDispatcher
) -> None:
    picture = Message("取货码", (Button("菜单", "menu", 0),), Picture("qr", {"text": "x"}, "码"))
    dispatcher.reply = lambda incoming: picture if incoming.kind == "text" else Message("菜单")
    await server.say(ALICE, "二维码")
    (photo,) = await server.wait_shown(ALICE, 1)
    await server.press(ALICE, photo.message_id, "0 ")
    await server.wait_shown(ALICE, 2)
    assert [(seen.text, seen.photo) for seen in server.sent(ALICE)] == [("取货码", PNG), ("菜单", None)]
    assert server.called("editMessageText") == []


async def test_a_picture_is_announced_before_it_is_there(
    server: TelegramServer, dispatcher: FakeDispatcher
) -> None:
    dispatcher.reply = lambda _: Message("雷达图", picture=Picture("chart", {"option": {}}, "五项得分"))
    await server.say(ALICE, "指数")
    await server.wait_shown(ALICE, 1)
    calls = [c.method for c in server.calls if c.method.startswith("send")]
    assert calls == ["sendChatAction", "sendPhoto"]
    assert server.called("sendChatAction")[0].arguments["action"] == "upload_photo"


async def test_a_picture_that_breaks_leaves_the_words(server: TelegramServer, dispatcher: FakeDispatcher) -> None:
    dispatcher.reply = lambda _: Message("取货码 7K4M", picture=Picture("qr", {"text": "broken"}, "取货码 7K4M"))
    await server.say(ALICE, "x")
    (seen,) = await server.wait_shown(ALICE, 1)
    assert (seen.photo, seen.text) == (None, "取货码 7K4M\n取货码 7K4M")


async def test_a_picture_that_telegram_refuses_leaves_the_words(
    server: TelegramServer, dispatcher: FakeDispatcher
) -> None:
    dispatcher.reply = lambda _: Message("图", picture=Picture("qr", {"text": "x"}, "说明"))
    server.refuse("sendPhoto", 400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    await server.say(ALICE, "x")
    (seen,) = await server.wait_shown(ALICE, 1)
    assert (seen.photo, seen.text) == (None, "图\n说明")


async def test_a_picture_that_a_person_sent_can_be_fetched(
    server: TelegramServer, dispatcher: FakeDispatcher, polling: Telegram
) -> None:
    await server.send_photo(ALICE, b"jpeg bytes", "完成了")
    await server.wait_shown(ALICE, 1)
    reference = dispatcher.heard[0].picture
    assert reference
    assert await polling.fetch(reference) == b"jpeg bytes"


@pytest.mark.parametrize("path", ["../../etc/passwd", None, 5])
async def test_a_file_with_an_odd_path_is_not_fetched(
    server: TelegramServer, polling: Telegram, path: Any
) -> None:
    answer = {"ok": True, "result": {"file_id": "x", "file_path": path}}
    server.garble("getFile", json.dumps(answer).encode(), accept=False)
    with pytest.raises(SendError, match="no_file"):
        await polling.fetch("x")


async def test_a_file_that_is_gone_is_an_error_with_a_verdict(polling: Telegram) -> None:
    with pytest.raises(SendError):
        await polling.fetch("never-sent")


async def test_a_picture_of_40_mb_is_known_as_too_large(server: TelegramServer, polling: Telegram) -> None:
    """getFile refuses it; the letter that it was for says so to its author, and the audit log keeps it."""
    answer = {"ok": False, "error_code": 400, "description": "Bad Request: file is too big"}
    server.garble("getFile", json.dumps(answer).encode(), status=400, accept=False)
    with pytest.raises(SendError, match="too_large"):
        await polling.fetch("x")
