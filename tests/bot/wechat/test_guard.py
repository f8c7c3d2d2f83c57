"""The door of the webhook: what is not from WeChat is refused in silence, whatever is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from wechatpy.crypto import WeChatCrypto

from tests.bot.wechat.conftest import ALICE, Accounts, EchoDispatcher
from tests.bot.wechat.forged import (
    GOOD,
    MISSING,
    NOW_S,
    OTHER_KEY,
    UNAUTHENTIC,
    Door,
    Request,
    door_of,
    enveloped,
    signed,
    spoiled,
)
from tests.bot.wechat.server import AES_KEY, APP_ID, TOKEN, WeChatServer


async def test_a_right_request_is_let_in(door: Door, echo: EchoDispatcher, server: WeChatServer) -> None:
    answer = await door.knock(Request())
    assert answer.status_code == 200
    assert server.opened(answer.content)["Content"] == "您说：签到"
    assert [(one.address, one.text, one.key) for one in echo.effects] == [(ALICE, "签到", "7")]


@pytest.mark.parametrize("name", UNAUTHENTIC)
async def test_what_is_not_from_wechat_is_refused_in_silence(name: str, door: Door, echo: EchoDispatcher) -> None:
    answer = await door.knock(UNAUTHENTIC[name])
    assert 400 <= answer.status_code < 500
    assert answer.content == b""
    assert echo.effects == []


async def test_the_plain_half_of_the_compatible_mode_is_not_believed(door: Door, echo: EchoDispatcher) -> None:
    envelope = "<xml><FromUserName>oMallory</FromUserName><MsgType>text</MsgType><Content>解绑</Content>"
    await door.knock(enveloped(envelope + "<Encrypt>{}</Encrypt></xml>"))
    assert [(one.address, one.text) for one in echo.effects] == [(ALICE, "签到")]


@pytest.mark.parametrize(
    ("offset_s", "let_in"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)]
)
async def test_a_request_is_fresh_for_300_seconds_either_way(offset_s: int, let_in: bool, door: Door) -> None:
    answer = await door.knock(spoiled(timestamp=str(NOW_S + offset_s)))
    assert answer.status_code == (200 if let_in else 403)


def _sized(size: int) -> bytes:
    whole = Request().body()
    return whole.replace(b"</xml>", b"<!--" + b"x" * (size - len(whole) - 7) + b"--></xml>")


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("size", "let_in"), [(65_536, True), (65_537, False)])
async def test_a_body_has_at_most_64_kb(size: int, let_in: bool, streamed: bool, door: Door) -> None:
    body = _sized(size)
    assert len(body) == size
    pieces = [body[start : start + 1000] for start in range(0, size, 1000)]
    request = Request(envelope=body, chunks=pieces if streamed else None)
    assert (await door.knock(request)).status_code == (200 if let_in else 413)


async def test_a_lying_content_length_does_not_open_the_door_wider(door: Door) -> None:
    request = Request(headers={"content-length": "10"}, chunks=[b"x" * 1000] * 1000)
    assert (await door.knock(request)).status_code == 413


async def test_an_endless_body_is_cut_off(account: Accounts, leap: Callable[[float], None]) -> None:
    async def drip() -> AsyncIterator[bytes]:
        while True:
            leap(1.0)
            await asyncio.sleep(0)
            yield b"<xml>"

    async with door_of(await account()) as client:
        answer = await client.post(f"/wechat?{urlencode(Request().parts())}", content=drip())
    assert answer.status_code == 408


async def test_a_caller_who_hangs_up_in_the_middle_leaves_nothing(account: Accounts, echo: EchoDispatcher) -> None:
    app = FastAPI()
    app.include_router((await account()).router)
    said: list[Any] = []
    incoming: list[Any] = [
        {"type": "http.request", "body": b"<xml>", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return incoming.pop(0)

    async def send(event: Any) -> None:
        said.append(event)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/wechat",
        "raw_path": b"/wechat",
        "query_string": urlencode(Request().parts()).encode(),
        "headers": [],
    }
    await app(scope, receive, send)
    assert said[0]["status"] == 400
    assert echo.effects == []


async def test_the_previous_key_opens_and_seals_during_a_change_of_keys(
    account: Accounts, server: WeChatServer
) -> None:
    await account(aes_key=OTHER_KEY, previous_aes_key=AES_KEY)
    assert await server.say(ALICE, "签到") == "您说：签到"  # the stand-in still knows only the previous key
    server.aes_key = OTHER_KEY
    assert await server.say(ALICE, "积分") == "您说：积分"
    await account(aes_key=OTHER_KEY)
    server.aes_key = AES_KEY
    assert (await server.attempt(server.typed(ALICE, "菜单")))[0] == 403


def _check(query: dict[str, str]) -> str:
    stamp, nonce = query.get("timestamp", str(NOW_S)), query.get("nonce", "99")
    whole = {"signature": signed(TOKEN, stamp, nonce), "timestamp": stamp, "nonce": nonce, "echostr": "5837201"}
    return urlencode({name: value for name, value in {**whole, **query}.items() if value != MISSING})


async def test_the_console_gets_its_echo(door: Door) -> None:
    answer = await door.client.get(f"/wechat?{_check({})}")
    assert (answer.status_code, answer.text) == (200, "5837201")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "query",
    [
        {"signature": "a" * 40},
        {"signature": MISSING},
        {"signature": signed("", str(NOW_S), "99")},
        {"echostr": MISSING},
        {"echostr": "<script>alert(1)</script>"},
        {"echostr": "1" * 257},
        {"timestamp": str(NOW_S - 301)},
        {"timestamp": str(NOW_S + 301)},
        {"timestamp": "noon"},
        {"nonce": "1\r\n"},
    ],
)
async def test_anybody_else_gets_no_echo(query: dict[str, str], door: Door) -> None:
    answer = await door.client.get(f"/wechat?{_check(query)}")
    assert 400 <= answer.status_code < 500
    assert answer.content == b""


@pytest.mark.parametrize("token", ["", "密"])
async def test_no_account_without_a_token(token: str, account: Accounts) -> None:
    with pytest.raises(ValueError, match="HONGXIN_WECHAT_TOKEN"):
        await account(token=token)


@pytest.mark.parametrize("name", ["aes_key", "previous_aes_key"])
@pytest.mark.parametrize("length", [42, 44])
async def test_no_account_with_an_aes_key_of_another_length(length: int, name: str, account: Accounts) -> None:
    with pytest.raises(ValueError, match=f"HONGXIN_WECHAT_{name.upper()}") as caught:
        await account(**{name: "s" * length})
    assert "sss" not in str(caught.value)


@pytest.mark.parametrize(
    "api_url",
    [
        "https://api.weixin.qq.com/cgi-bin",
        "ftp://api.weixin.qq.com",
        "https://u:p@host",
        "https://host?a=b",
        "host",
    ],
)
async def test_the_api_address_is_scheme_host_and_port_only(api_url: str, account: Accounts) -> None:
    with pytest.raises(ValueError, match="HONGXIN_WECHAT_API_URL"):
        await account(api_url=api_url)


async def test_one_changed_byte_anywhere_in_what_is_signed_is_enough(door: Door, echo: EchoDispatcher) -> None:
    good = Request()
    query, body = good.parts(), good.body()
    sealed_from = body.index(b"<Encrypt>")
    for place in range(sealed_from, len(body)):
        spoilt = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        answer = await door.client.post(f"/wechat?{urlencode(query)}", content=spoilt)
        assert answer.status_code in (400, 403), place
    del query["signature"]  # of the plain mode: not looked at
    for name, value in query.items():
        for place in range(len(value)):
            spoilt_value = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
            spoilt_query = urlencode({**query, name: spoilt_value})
            answer = await door.client.post(f"/wechat?{spoilt_query}", content=body)
            assert answer.status_code in (400, 403), (name, place)
    assert echo.effects == []


async def test_wechatpys_own_sealing_is_let_in(door: Door, echo: EchoDispatcher) -> None:
    body = WeChatCrypto(TOKEN, AES_KEY, APP_ID).encrypt_message(GOOD, "99", str(NOW_S))
    signature = body.split("<MsgSignature><![CDATA[")[1][:40]
    request = Request(envelope=body.encode(), query={"msg_signature": signature})
    assert (await door.knock(request)).status_code == 200
    assert len(echo.effects) == 1
