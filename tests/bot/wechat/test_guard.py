"""Bad input at the webhook: refused in silence before it is known to be WeChat's, taken quietly afterwards."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import struct
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from fastapi import FastAPI
from wechatpy.crypto import WeChatCrypto
from wechatpy.crypto.cryptography import WeChatCipher

from bot.channels.wechat import WeChat
from bot.channels.wechat.guard import BODY_MAX
from tests.bot.wechat.conftest import ALICE, Accounts, Clock, EchoDispatcher
from tests.bot.wechat.server import AES_KEY, APP_ID, TOKEN, WeChatServer

RAW_KEY = base64.b64decode(AES_KEY + "=")
OTHER_KEY = "0therAesKeyAbcdefghijklmnopqrstuvwxyz012345"
GOOD = "<xml><ToUserName>gh_hongxin</ToUserName><FromUserName>oAlice_0001</FromUserName><CreateTime>1781496000"
GOOD += "</CreateTime><MsgType>text</MsgType><Content>签到</Content><MsgId>7</MsgId></xml>"
NOW_S = 1781496000  # noon of 15 June 2026 in Shanghai


def signed(*parts: str) -> str:
    """The documented signature, computed here and not by the code under test."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def plain_block(document: bytes, app_id: str = APP_ID, *, length: int | None = None) -> bytes:
    """What is encrypted, without its padding."""
    return b"r" * 16 + struct.pack(">I", len(document) if length is None else length) + document + app_id.encode()


def encrypted(plain: bytes, *, padding: bytes | None = None, key: bytes = RAW_KEY) -> str:
    """`plain` with `padding` (PKCS#7 to 32 unless given), encrypted."""
    count = 32 - len(plain) % 32
    whole = plain + (bytes([count]) * count if padding is None else padding)
    return base64.b64encode(WeChatCipher(key).encrypt(whole)).decode()


@dataclass
class Request:
    """One request at the webhook, right in every respect until a case spoils it."""

    sealed: str = field(default_factory=lambda: encrypted(plain_block(GOOD.encode())))
    query: dict[str, str] = field(default_factory=dict)
    envelope: str | bytes = "<xml><ToUserName>gh_hongxin</ToUserName><Encrypt><![CDATA[{}]]></Encrypt></xml>"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    raw_query: str | None = None
    chunks: Iterable[bytes] | None = None

    def parts(self) -> dict[str, str]:
        """The query, signed over what is sealed unless the case says otherwise."""
        stamp, nonce = self.query.get("timestamp", str(NOW_S)), self.query.get("nonce", "99")
        whole = {
            "signature": signed(TOKEN, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": signed(TOKEN, stamp, nonce, self.sealed),
        }
        whole.update(self.query)
        return {name: value for name, value in whole.items() if value != "-"}

    def body(self) -> bytes:
        if isinstance(self.envelope, bytes):
            return self.envelope
        return self.envelope.replace("{}", self.sealed).encode()


@dataclass
class Door:
    """Knocks at the webhook."""

    client: httpx.AsyncClient

    async def knock(self, request: Request) -> httpx.Response:
        query = request.raw_query if request.raw_query is not None else urlencode(request.parts())
        content: Any = request.body()
        if request.chunks is not None:
            content = _stream(request.chunks)
        return await self.client.request(
            request.method, f"/wechat?{query}", content=content, headers=request.headers
        )


async def _stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


@pytest.fixture
async def door(wechat: WeChat) -> AsyncIterator[Door]:
    """The webhook of a running account, spoken to without the stand-in."""
    async with door_of(wechat) as client:
        yield Door(client)


def door_of(wechat: WeChat) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(wechat.router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hongxin.test")


async def test_a_right_request_is_let_in(door: Door, echo: EchoDispatcher, server: WeChatServer) -> None:
    answer = await door.knock(Request())
    assert answer.status_code == 200
    assert server.opened(answer.content)["Content"] == "您说：签到"
    assert [(one.address, one.text, one.key) for one in echo.effects] == [(ALICE, "签到", "7")]


def spoiled(**query: str) -> Request:
    return Request(query=query)


def raw(extra: str, **query: str) -> Request:
    request = Request(query=query)
    request.raw_query = urlencode(request.parts()) + extra
    return request


def enveloped(envelope: str | bytes) -> Request:
    return Request(envelope=envelope)


def sealed_as(sealed: str) -> Request:
    return Request(sealed=sealed)


def _flipped(position: int) -> str:
    ciphertext = bytearray(base64.b64decode(encrypted(plain_block(GOOD.encode()))))
    ciphertext[position] ^= 1
    return base64.b64encode(ciphertext).decode()


def _padding() -> bytes:
    count = 32 - len(PLAIN) % 32
    return bytes([count]) * count


PLAIN = plain_block(GOOD.encode() + b" " * ((12 - len(plain_block(GOOD.encode()))) % 32))
assert len(_padding()) == 20, "a padding of one byte would leave nothing to spoil"
MISSING = "-"
UNAUTHENTIC: dict[str, Request] = {
    # transport
    "put": Request(method="PUT"),
    "delete": Request(method="DELETE"),
    "options": Request(method="OPTIONS"),
    "empty body": enveloped(b""),
    "binary body": enveloped(bytes(range(256))),
    "gzip": Request(envelope=gzip.compress(Request().body()), headers={"content-encoding": "gzip"}),
    "multipart": Request(
        envelope=b"--x\r\n\r\n--x--", headers={"content-type": "multipart/form-data; boundary=x"}
    ),
    "content-length is no number": Request(headers={"content-length": "many"}, chunks=[b"<xml/>"]),
    "content-length of 5000 digits": Request(headers={"content-length": "9" * 5000}, chunks=[b"<xml/>"]),
    # query
    "no query": Request(raw_query=""),
    "query of 3 kB": raw("&x=" + "a" * 3000),
    "query with 20 names": raw("".join(f"&x{number}=1" for number in range(20))),
    "query without =": raw("&openid"),
    "timestamp twice": raw("&timestamp=1"),
    "nonce twice, the same": raw("&nonce=99"),
    "an unknown name twice": raw("&openid=a&openid=b"),
    "no timestamp": spoiled(timestamp=MISSING),
    "empty timestamp": spoiled(timestamp=""),
    "timestamp of 5000 digits": spoiled(timestamp="1" * 1500),
    "non-ASCII digits": spoiled(timestamp="１７８１４９６０００"),
    "negative timestamp": spoiled(timestamp="-5"),
    "no nonce": spoiled(nonce=MISSING),
    "nonce with CRLF": spoiled(nonce="1\r\nSet-Cookie: a=b"),
    "nonce in Chinese": spoiled(nonce="随机"),
    "nonce that is no UTF-8": raw("&nonce=%ff%fe", nonce=MISSING),
    "nonce of 200 characters": spoiled(nonce="9" * 200),
    # authentication
    "no signature": spoiled(msg_signature=MISSING),
    "empty signature": spoiled(msg_signature=""),
    "upper-case signature": spoiled(msg_signature=signed(TOKEN, str(NOW_S), "99", "x").upper().replace("0", "A")),
    "signature that is not hex": spoiled(msg_signature="g" * 40),
    "signature of 39 digits": spoiled(msg_signature="a" * 39),
    "wrong signature": spoiled(msg_signature="a" * 40),
    "plain signature in its place": spoiled(msg_signature=signed(TOKEN, str(NOW_S), "99")),
    "signature with an empty token": spoiled(msg_signature=signed("", str(NOW_S), "99", "x")),
    "encrypt_type raw": spoiled(encrypt_type="raw"),
    "no encrypt_type": spoiled(encrypt_type=MISSING),
    "encrypt_type AES": spoiled(encrypt_type="AES"),
    "plain mode with a plain body": Request(
        query={"encrypt_type": MISSING, "msg_signature": MISSING}, envelope=GOOD
    ),
    "a captured query with another body": spoiled(msg_signature=signed(TOKEN, str(NOW_S), "99", "elsewhere")),
    # envelope
    "not XML": enveloped("hello"),
    "JSON": enveloped('{"Encrypt": "{}"}'),
    "another root": enveloped("<html><Encrypt>{}</Encrypt></html>"),
    "two roots": enveloped("<xml><Encrypt>{}</Encrypt></xml><xml/>"),
    "bare DOCTYPE": enveloped("<!DOCTYPE xml><xml><Encrypt>{}</Encrypt></xml>"),
    "entity": enveloped('<!DOCTYPE xml [<!ENTITY a "b">]><xml><Encrypt>{}</Encrypt></xml>'),
    "external entity": enveloped(
        '<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]><xml><Encrypt>&a;</Encrypt></xml>'
    ),
    "billion laughs": enveloped(
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml>&b;</xml>'
    ),
    "processing instruction": enveloped("<xml><?php 1?><Encrypt>{}</Encrypt></xml>"),
    "no Encrypt": enveloped("<xml><ToUserName>gh_hongxin</ToUserName></xml>"),
    "empty Encrypt": Request(sealed=""),
    "Encrypt twice": enveloped("<xml><Encrypt>{}</Encrypt><Encrypt>{}</Encrypt></xml>"),
    "Encrypt nested": enveloped("<xml><a><Encrypt>{}</Encrypt></a></xml>"),
    "Encrypt with an element": enveloped("<xml><Encrypt>{}<b/></Encrypt></xml>"),
    "Encrypt with an attribute": enveloped('<xml><Encrypt a="b">{}</Encrypt></xml>'),
    "Encrypt in Chinese": Request(sealed="密文"),
    "UTF-16": enveloped(Request().body().decode().encode("utf-16")),
    "GBK by declaration": enveloped(b'<?xml version="1.0" encoding="gbk"?>' + "<xml>签到</xml>".encode("gbk")),
    "60 kB of <a/>": enveloped("<xml>" + "<a/>" * 15_000 + "</xml>"),
    "depth 4000": enveloped("<xml>" + "<a>" * 4000 + "</a>" * 4000 + "</xml>"),
    # signed with our token, but not sealed for us: the AES key or the app id are not ours
    "not base64": sealed_as("*" * 64),
    "base64 with white space inside": sealed_as("QUFB QUFB" * 8),
    "no block multiple": sealed_as(base64.b64encode(b"a" * 33).decode()),
    "one block": sealed_as(base64.b64encode(WeChatCipher(RAW_KEY).encrypt(b"a" * 16)).decode()),
    "no block": sealed_as(base64.b64encode(b"").decode() or "===="),
    "padding 0": sealed_as(encrypted(PLAIN, padding=b"\0" * (32 - len(PLAIN) % 32))),
    "padding 255": sealed_as(encrypted(PLAIN, padding=b"\xff" * (32 - len(PLAIN) % 32))),
    "padding with one wrong byte": sealed_as(encrypted(PLAIN, padding=b"\x01" + _padding()[1:])),
    "padding one byte short": sealed_as(encrypted(PLAIN + b"\x05", padding=_padding()[1:])),
    "length far too great": sealed_as(encrypted(plain_block(GOOD.encode(), length=0xFFFFFFFF))),
    "length one too great": sealed_as(encrypted(plain_block(GOOD.encode(), length=len(GOOD.encode()) + 1))),
    "length one too small": sealed_as(encrypted(plain_block(GOOD.encode(), length=len(GOOD.encode()) - 1))),
    "another account's app id": sealed_as(encrypted(plain_block(GOOD.encode(), "wx9999999999999999"))),
    "an app id with ours in front": sealed_as(encrypted(plain_block(GOOD.encode(), APP_ID + "x"))),
    "no app id": sealed_as(encrypted(plain_block(GOOD.encode(), ""))),
    "another AES key": sealed_as(encrypted(PLAIN, key=base64.b64decode(OTHER_KEY + "="))),
    "a flipped bit in the first block": sealed_as(_flipped(17)),
    "a flipped bit in the last block": sealed_as(_flipped(-1)),
}


@pytest.mark.parametrize("name", UNAUTHENTIC)
async def test_what_is_not_from_wechat_is_refused_in_silence(name: str, door: Door, echo: EchoDispatcher) -> None:
    answer = await door.knock(UNAUTHENTIC[name])
    assert 400 <= answer.status_code < 500
    assert answer.content == b""
    assert echo.effects == []


def inner(**fields: Any) -> str:
    """An otherwise right document with these fields replaced; None leaves one out, a list doubles it."""
    whole: dict[str, Any] = {
        "ToUserName": "gh_hongxin",
        "FromUserName": ALICE,
        "CreateTime": NOW_S,
        "MsgType": "text",
        "Content": "签到",
        "MsgId": 7,
        **fields,
    }
    lines = ""
    for name, value in whole.items():
        for one in value if isinstance(value, list) else [value]:
            lines += "" if one is None else f"<{name}>{one}</{name}>"
    return f"<xml>{lines}</xml>"


QUIET: dict[str, str | bytes] = {
    "empty": "",
    "not XML": "hello",
    "JSON": '{"MsgType": "text"}',
    "deep JSON": "[" * 4000,
    "empty root": "<xml/>",
    "another root": "<message><MsgType>text</MsgType></message>",
    "DOCTYPE": "<!DOCTYPE xml>" + GOOD,
    "billion laughs": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml>&b;</xml>',
    "no MsgType": inner(MsgType=None),
    "MsgType twice": inner(MsgType=["text", "image"]),
    "MsgType nested": inner(MsgType="<a>text</a>"),
    "empty MsgType": inner(MsgType=""),
    "event without Event": inner(MsgType="event"),
    "Event twice": inner(MsgType="event", Event=["CLICK", "SCAN"], EventKey="a"),
    "Event nested": inner(MsgType="event", Event="<b/>", EventKey="a"),
    "unknown Event": inner(MsgType="event", Event="some_day", EventKey="a"),
    "a link of the menu": inner(MsgType="event", Event="VIEW", EventKey="https://example.org"),
    "CLICK without a key": inner(MsgType="event", Event="CLICK"),
    "EventKey nested": inner(MsgType="event", Event="CLICK", EventKey="<a>menu</a>"),
    "end of a mass sending": inner(MsgType="event", Event="MASSSENDJOBFINISH", Status="send success"),
    "no FromUserName": inner(FromUserName=None),
    "FromUserName twice": inner(FromUserName=[ALICE, "oBob"]),
    "FromUserName nested": inner(FromUserName="<a/>"),
    "FromUserName with a quote": inner(FromUserName="o'; DROP"),
    "FromUserName in Chinese": inner(FromUserName="爱丽丝"),
    "FromUserName of 5000 characters": inner(FromUserName="o" * 5000),
    "no ToUserName": inner(ToUserName=None),
    "neither MsgId nor CreateTime": inner(MsgId=None, CreateTime=None),
    "MsgId in words, CreateTime too": inner(MsgId="seven", CreateTime="noon"),
    "GBK": inner().encode("gbk"),
    "UTF-16": inner().encode("utf-16"),
    "invalid UTF-8": inner(Content="CUT").encode().replace(b"CUT", b"\xff\xfe\xe7"),
    "NUL": inner(Content="a\0b"),
    "control character": inner(Content="a\x0bb"),
    "depth 4000": "<xml>" + "<a>" * 4000 + "</a>" * 4000 + "</xml>",
    "depth 4000 in MsgType": inner(MsgType="<a>" * 2000 + "</a>" * 2000),
    "10,000 elements": "<xml>" + "<a/>" * 10_000 + "</xml>",
}


@pytest.mark.parametrize("name", QUIET)
async def test_what_wechat_sends_without_sense_is_taken_quietly(
    name: str, door: Door, echo: EchoDispatcher
) -> None:
    document = QUIET[name]
    content = document if isinstance(document, bytes) else document.encode()
    answer = await door.knock(sealed_as(encrypted(plain_block(content))))
    assert (answer.status_code, answer.content) == (200, b"success")
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
@pytest.mark.parametrize(("size", "let_in"), [(BODY_MAX, True), (BODY_MAX + 1, False)])
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


async def test_ten_thousand_spoiled_requests_leave_no_trace(door: Door, echo: EchoDispatcher) -> None:
    good = Request()
    query, body = urlencode(good.parts()), good.body()
    for place in range(0, len(body), 3):  # every third byte, one at a time
        spoilt = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        answer = await door.client.post(f"/wechat?{query}", content=spoilt)
        inside = b"<ToUserName>" in spoilt[: place + 1] and place < body.index(b"<Encrypt>")
        assert answer.status_code in (400, 403) or inside, place
    for name, value in parse_qsl(query):
        if name == "signature":
            continue  # of the plain mode: not looked at
        for place in range(len(value)):
            spoilt_value = value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
            answer = await door.client.post(
                f"/wechat?{urlencode({**good.parts(), name: spoilt_value})}", content=body
            )
            assert answer.status_code in (400, 403), (name, place)
    assert {one.key for one in echo.effects} <= {"7"}


async def test_wechatpys_own_sealing_is_let_in(door: Door, echo: EchoDispatcher, clock: Clock) -> None:
    body = WeChatCrypto(TOKEN, AES_KEY, APP_ID).encrypt_message(GOOD, "99", str(NOW_S))
    signature = body.split("<MsgSignature><![CDATA[")[1][:40]
    request = Request(envelope=body.encode(), query={"msg_signature": signature})
    assert (await door.knock(request)).status_code == 200
    assert len(echo.effects) == 1
    await asyncio.sleep(0)
