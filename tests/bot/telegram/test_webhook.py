"""POST /telegram: who may call it, what it answers, and when."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.channels.telegram import Telegram, open_telegram
from bot.channels.telegram.webhook import BODY_MAX
from tests.bot.telegram.conftest import ALICE, COMMANDS, SECRET, FakeDispatcher, asgi, draw
from tests.bot.telegram.server import SECRET_HEADER, TelegramServer

UPDATE = json.dumps(
    {"update_id": 1, "message": {"chat": {"id": ALICE, "type": "private"}, "from": {"id": ALICE}, "text": "hi"}}
).encode()


async def test_a_conversation_runs_through_the_webhook(server: TelegramServer, webhook: Telegram) -> None:
    await server.say(ALICE, "菜单")
    (menu,) = await server.wait_shown(ALICE, 1)
    await server.press(ALICE, menu.message_id, "points")
    seen = await server.wait_shown(ALICE, 2)
    assert [message.text for message in seen] == ["echo 菜单", "echo points"]
    assert server.statuses == [200, 200]


async def test_the_webhook_is_set_with_everything_that_protects_it(
    server: TelegramServer, webhook: Telegram
) -> None:
    assert server.webhook == {
        "url": "https://chat.example.org/telegram",
        "secret_token": SECRET,
        "allowed_updates": ["message", "callback_query", "my_chat_member"],
        "max_connections": 40,
        "drop_pending_updates": False,
    }
    assert server.called("getUpdates") == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SECRET_HEADER: ""},
        {SECRET_HEADER: SECRET[:-1]},
        {SECRET_HEADER: SECRET + "x"},
        {SECRET_HEADER: SECRET.lower()},
        {SECRET_HEADER: f"{SECRET}, {SECRET}"},
    ],
)
async def test_without_the_secret_nothing_is_parsed_and_nothing_is_said(
    webhook: Telegram, dispatcher: FakeDispatcher, headers: dict[str, str]
) -> None:
    assert await asgi(webhook)(UPDATE, headers) == 403
    assert await asgi(webhook)(b"not json", headers) == 403
    assert dispatcher.heard == []


async def test_a_secret_given_twice_is_refused(webhook: Telegram, dispatcher: FakeDispatcher) -> None:
    import httpx
    from fastapi import FastAPI

    app = FastAPI()
    assert webhook.router
    app.include_router(webhook.router)
    half = len(SECRET) // 2
    for values in ([SECRET, SECRET], [SECRET[:half], SECRET[half:]]):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
            answer = await client.post("/telegram", content=UPDATE, headers=[(SECRET_HEADER, v) for v in values])
        assert (answer.status_code, answer.content) == (403, b"")
    assert dispatcher.heard == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"5",
        b'{"update_id": "x"}',
        b"\xff\xfe",
        b'{"update_id": 1, "message": {}}',
        b"[" * 9999,
    ],
)
async def test_authentic_nonsense_is_acknowledged(
    webhook: Telegram, dispatcher: FakeDispatcher, body: bytes
) -> None:
    assert await asgi(webhook)(body, {SECRET_HEADER: SECRET}) == 200
    assert dispatcher.heard == []


async def test_a_body_of_the_limit_is_read_and_a_larger_one_is_not(
    webhook: Telegram, dispatcher: FakeDispatcher
) -> None:
    padded: dict[str, Any] = json.loads(UPDATE) | {"padding": ""}
    padded["padding"] = "x" * (BODY_MAX - len(json.dumps(padded)))
    body = json.dumps(padded).encode()
    assert len(body) == BODY_MAX
    assert await asgi(webhook)(body, {SECRET_HEADER: SECRET}) == 200
    assert len(dispatcher.heard) == 1
    assert await asgi(webhook)(body + b" ", {SECRET_HEADER: SECRET}) == 413


async def test_what_could_not_be_committed_is_not_acknowledged_and_comes_again(
    server: TelegramServer, webhook: Telegram, dispatcher: FakeDispatcher
) -> None:
    dispatcher.broken.add("签到")
    number = await server.say(ALICE, "签到")
    assert server.statuses == [500]
    assert server.unconfirmed() == [number]
    dispatcher.broken.clear()
    await server.bring()
    assert server.statuses == [500, 200]
    await server.wait_shown(ALICE, 1)


async def test_a_redelivered_update_is_said_once(
    server: TelegramServer, webhook: Telegram, dispatcher: FakeDispatcher
) -> None:
    number = await server.say(ALICE, "签到")
    await server.redeliver(number)
    await server.redeliver(number)
    await server.say(ALICE, "积分")
    await server.wait_shown(ALICE, 2)
    assert [seen.text for seen in server.shown(ALICE)] == ["echo 签到", "echo 积分"]
    assert len(dispatcher.heard) == 2


@pytest.mark.parametrize(
    ("secret", "public_url", "variable"),
    [
        (None, "https://x", "HONGXIN_TELEGRAM_SECRET"),
        ("", "https://x", "HONGXIN_TELEGRAM_SECRET"),
        ("with space", "https://x", "HONGXIN_TELEGRAM_SECRET"),
        ("s" * 257, "https://x", "HONGXIN_TELEGRAM_SECRET"),
        ("good", "", "HONGXIN_PUBLIC_URL"),
    ],
)
async def test_a_webhook_without_secret_or_address_does_not_open(
    secret: str | None, public_url: str, variable: str, dispatcher: FakeDispatcher
) -> None:
    with pytest.raises(ValueError, match=variable):
        await open_telegram(
            token="7:t", api_url="http://127.0.0.1:9", mode="webhook", secret=secret, public_url=public_url,
            dispatcher=dispatcher, draw=draw, commands=COMMANDS,
        )  # fmt: skip
