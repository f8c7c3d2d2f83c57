"""No secret reaches a log line or the text of an error, whatever goes wrong."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest

from bot.channels.wechat import WeChat
from notices.channel import Message, Picture, SendError
from tests.bot.wechat.conftest import ALICE, Accounts, EchoDispatcher
from tests.bot.wechat.server import (
    ACCEPT_AND_DROP,
    ACCEPT_AND_HANG,
    AES_KEY,
    APP_SECRET,
    NONSENSE,
    TOKEN,
    WeChatServer,
    errcode,
    status,
)

SEND = "message/custom/send"
CANARIES = [TOKEN, AES_KEY, APP_SECRET, "canary-access-token", "msg_signature=", "4827-1935"]
TROUBLES = [
    errcode(40001),
    errcode(48001),
    errcode(99999),
    status(502),
    NONSENSE,
    ACCEPT_AND_DROP,
    ACCEPT_AND_HANG,
]


@pytest.mark.parametrize(
    "path", ["stable_token", SEND, "media/upload", "media/get", "menu/create", "qrcode/create"]
)
async def test_no_secret_is_logged_whatever_the_api_does(
    path: str, account: Accounts, server: WeChatServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    wechat = await account(total_s=0.1)
    errors: list[BaseException] = []
    for trouble in TROUBLES:
        server.revoke()
        server.script(path, trouble, trouble)
        picture = Picture("qr", {"text": "x"}, f"{trouble}")
        works = [
            wechat.channel.send(ALICE, Message("您好", picture=picture), key="k"),
            wechat.fetch("m1"),
            wechat.create_menu(),
        ]
        results = await asyncio.gather(*works, return_exceptions=True)
        errors += [result for result in results if isinstance(result, BaseException)]
        server._script.clear()
    assert errors
    assert all(isinstance(error, SendError) for error in errors), errors
    told = caplog.text + "".join("".join(traceback.format_exception(error)) for error in errors)
    assert "canary: planted" not in told
    for canary in CANARIES:
        assert canary not in told, canary


async def test_no_secret_is_logged_at_the_webhook(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for logger in ("httpx", "httpcore"):  # the caller's own log, which is WeChat's business
        logging.getLogger(logger).disabled = True
    echo.fails = 1
    await server.say(ALICE, "绑定 4827-1935")
    letter = server.typed(ALICE, "绑定 4827-1935")
    query, body = server.sealed(letter.document)
    assert server.webhook is not None
    for spoilt in (query.replace("msg_signature=", "msg_signature=0"), query.replace("aes", "raw"), ""):
        assert (await server.webhook(spoilt, body))[0] >= 400
    await wechat.idle()
    for canary in CANARIES:
        assert canary not in caplog.text, canary
    assert "RuntimeError" in caplog.text  # the failure itself is told


def test_keys_and_tokens_have_no_repr() -> None:
    from bot.channels.wechat.sealing import key_from
    from db.tokens import StoredToken

    assert AES_KEY not in repr(key_from(AES_KEY, app_id="wx1", name="X"))
    stored = StoredToken.__new__(StoredToken)
    assert "token=" not in repr(stored)
