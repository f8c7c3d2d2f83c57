"""Requests at the webhook, right until a test spoils one. Signed and sealed here, not by the code under test."""

from __future__ import annotations

import base64
import gzip
import hashlib
import struct
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import FastAPI
from wechatpy.crypto.cryptography import WeChatCipher

from bot.channels.wechat import WeChat
from tests.bot.wechat.server import AES_KEY, APP_ID, TOKEN

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


def door_of(wechat: WeChat) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(wechat.router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://hongxin.test")


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
    "base64 with a space inside": sealed_as(encrypted(PLAIN)[:40] + " " + encrypted(PLAIN)[40:]),
    "base64 with a line end inside": sealed_as(encrypted(PLAIN)[:40] + "\n" + encrypted(PLAIN)[40:]),
    "no block multiple": sealed_as(base64.b64encode(b"a" * 33).decode()),
    "one block": sealed_as(base64.b64encode(WeChatCipher(RAW_KEY).encrypt(b"a" * 16)).decode()),
    "no block": sealed_as(base64.b64encode(b"").decode() or "===="),
    "padding 0": sealed_as(encrypted(PLAIN, padding=b"\0" * (32 - len(PLAIN) % 32))),
    "padding 255": sealed_as(encrypted(PLAIN, padding=b"\xff" * (32 - len(PLAIN) % 32))),
    "padding of 52": sealed_as(encrypted(PLAIN, padding=bytes([52]) * 52)),
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
