"""A stand-in for the WeChat platform: its API on 127.0.0.1, and the phones of people who write to our account.

It keeps WeChat's rules as the documents tell them: safe mode, three tries, an error on the phone for any answer
but a well-formed one, tokens that can be revoked, sending windows. Encrypts and decrypts with wechatpy's own
classes, so that our code is never checked against itself. Nothing in it waits for time to pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import xmltodict
from wechatpy.crypto import WeChatCrypto

from tests.bot.wechat.platform_api import (
    ACCEPT_AND_DROP,
    ACCEPT_AND_HANG,
    APP_ID,
    APP_SECRET,
    NONSENSE,
    Call,
    Outcome,
    PlatformApi,
    Seen,
    Window,
    errcode,
    status,
)

__all__ = [
    "ACCEPT_AND_DROP",
    "ACCEPT_AND_HANG",
    "APP_ID",
    "APP_SECRET",
    "NONSENSE",
    "Call",
    "Letter",
    "Outcome",
    "Seen",
    "WeChatServer",
    "errcode",
    "over_asgi",
    "over_http",
    "status",
]
TOKEN = "canaryWebhookToken77"
AES_KEY = "canaryAesKeyAbcdefghijklmnopqrstuvwxyz01234"  # 43 characters
ACCOUNT = "gh_hongxin"
OUT_OF_ORDER = "该公众号暂时无法提供服务"  # what a phone shows when the account does not answer properly
TRIES = 3

Webhook = Callable[[str, bytes], Awaitable[tuple[int, bytes]]]
"""Posts (query, body) to our webhook; gives status and body. Raises OSError when there is no answer."""


def over_asgi(app: Any) -> Webhook:
    """Our webhook as an ASGI application, without a socket."""

    async def post(query: str, body: bytes) -> tuple[int, bytes]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hongxin.test") as client:
            answer = await client.post(f"/wechat?{query}", content=body)
            return answer.status_code, answer.content

    return post


def over_http(url: str) -> Webhook:
    """Our webhook at `url` (scheme, host, port) in another process or thread."""

    async def post(query: str, body: bytes) -> tuple[int, bytes]:
        try:
            async with (
                aiohttp.ClientSession() as client,
                client.post(f"{url}/wechat?{query}", data=body) as answer,
            ):
                return answer.status, await answer.read()
        except aiohttp.ClientError as error:
            raise ConnectionError(type(error).__name__) from None

    return post


@dataclass(frozen=True)
class Letter:
    """A message or event as WeChat holds it before sealing: who, and the inner XML. Every try has the same."""

    openid: str
    document: str


@dataclass
class WeChatServer(PlatformApi):
    """The platform. `async with WeChatServer(clock=clock) as server:`, then set `server.webhook`."""

    token: str = TOKEN
    aes_key: str = AES_KEY
    webhook: Webhook | None = None
    lost_answers: int = 0  # so many of our next answers never arrive at WeChat
    attempts: int = 0  # tries made at the webhook
    between_tries: Callable[[], Awaitable[None]] | None = None  # in place of the seconds that WeChat lets pass

    async def say(self, openid: str, text: str) -> str | None:
        """A person types `text`; the passive reply, None for `success`."""
        return await self.deliver(self.typed(openid, text))

    async def click(self, openid: str, key: str) -> str | None:
        """A person taps a line of the menu."""
        return await self.deliver(self.event(openid, "CLICK", EventKey=key))

    async def scan(self, openid: str, scene: str) -> str | None:
        """A follower scans a code of ours."""
        return await self.deliver(self.event(openid, "SCAN", EventKey=scene, Ticket="TICKET"))

    async def follow(self, openid: str, scene: str = "") -> str | None:
        """A person follows the account, by a code of ours when there is a scene."""
        return await self.deliver(self.event(openid, "subscribe", EventKey=f"qrscene_{scene}" if scene else ""))

    async def unfollow(self, openid: str) -> str | None:
        """A person leaves."""
        return await self.deliver(self.event(openid, "unsubscribe", EventKey=""))

    async def image(self, openid: str, content: bytes) -> str | None:
        """A person sends a picture; its bytes can be fetched by its media id."""
        media_id = f"inbound-{next(self._numbers)}"
        self.media[media_id] = content
        return await self.deliver(self.message(openid, "image", PicUrl="http://evil.test/p", MediaId=media_id))

    async def speak(self, openid: str, recognised: str = "") -> str | None:
        """A person speaks; WeChat may have recognised what was said."""
        return await self.deliver(
            self.message(openid, "voice", MediaId="v1", Format="amr", Recognition=recognised)
        )

    async def locate(self, openid: str, latitude: float, longitude: float) -> str | None:
        """A person sends a place on the map."""
        place = {"Location_X": latitude, "Location_Y": longitude, "Scale": 16, "Label": "社区党员活动室"}
        return await self.deliver(self.message(openid, "location", **place))

    def typed(self, openid: str, text: str) -> Letter:
        """The letter behind `say`, to be delivered as often as a test likes."""
        return self.message(openid, "text", Content=text)

    def message(self, openid: str, kind: str, **fields: Any) -> Letter:
        """Any message, with a message id of its own."""
        return self._letter(openid, "message", {"MsgType": kind, **fields, "MsgId": next(self._numbers)})

    def event(self, openid: str, event: str, **fields: Any) -> Letter:
        """Any event; events have no message id."""
        kind = {"CLICK": "click", "SCAN": "scan", "subscribe": "follow"}.get(event, "")
        return self._letter(openid, kind, {"MsgType": "event", "Event": event, **fields})

    async def deliver(self, letter: Letter) -> str | None:
        """Up to three tries until an answer arrives; the passive reply, None for `success` or no answer at all."""
        for number in range(TRIES):
            if number and self.between_tries is not None:
                await self.between_tries()
            try:
                code, body = await self.attempt(letter)
            except OSError:
                continue
            if self.lost_answers > 0:
                self.lost_answers -= 1
                continue
            if code == 200:
                return self._hear(letter.openid, body)
        self._seen[letter.openid].append(Seen("error", OUT_OF_ORDER))
        return None

    async def deliver_at_once(self, letter: Letter, tries: int = TRIES) -> str | None:
        """All tries under way together, as with a slow network: WeChat listens to the last one only."""
        answers = await asyncio.gather(*(self.attempt(letter) for _ in range(tries)))
        assert all(code == 200 for code, _ in answers)
        return self._hear(letter.openid, answers[-1][1])

    async def attempt(self, letter: Letter) -> tuple[int, bytes]:
        """One try: sealed and signed anew, as WeChat does."""
        assert self.webhook is not None, "set server.webhook first"
        self.attempts += 1
        return await self.webhook(*self.sealed(letter.document))

    def sealed(self, document: str) -> tuple[str, bytes]:
        """(query, body) of a request that carries `document`."""
        stamp, nonce = str(int(self.clock().timestamp())), str(next(self._numbers))
        crypto = WeChatCrypto(self.token, self.aes_key, self.app_id)
        envelope = xmltodict.parse(crypto.encrypt_message(document, nonce, stamp))["xml"]
        body = f"<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{envelope['Encrypt']}]]>"
        query = {
            "signature": "0" * 40,  # of the plain mode; nobody may look at it
            "timestamp": stamp,
            "nonce": nonce,
            "openid": "not-signed",
            "encrypt_type": "aes",
            "msg_signature": envelope["MsgSignature"],
        }
        return urlencode(query), f"{body}</Encrypt></xml>".encode()

    def opened(self, body: bytes) -> dict[str, Any]:
        """The fields of a passive reply, after checking its signature. Raises whatever is wrong with it."""
        envelope = xmltodict.parse(body)["xml"]
        crypto = WeChatCrypto(self.token, self.aes_key, self.app_id)
        signed = envelope["MsgSignature"], envelope["TimeStamp"], envelope["Nonce"]
        found: dict[str, Any] = xmltodict.parse(crypto.decrypt_message(body, *signed))["xml"]
        return found

    def _letter(self, openid: str, opens: str, fields: Mapping[str, Any]) -> Letter:
        now = self.clock()
        if opens:
            seconds, count = (172_800, 5) if opens == "message" else (60, 3)
            self._windows[openid].append(Window(now + timedelta(seconds=seconds), count))
        head = {"ToUserName": ACCOUNT, "FromUserName": openid, "CreateTime": int(now.timestamp())}
        lines = "".join(f"<{name}>{_escaped(value)}</{name}>" for name, value in {**head, **fields}.items())
        return Letter(openid, f"<xml>{lines}</xml>")

    def _hear(self, openid: str, body: bytes) -> str | None:
        """What the phone makes of our answer with status 200."""
        if body in (b"success", b""):
            return None
        try:
            reply = self.opened(body)
            assert (reply["ToUserName"], reply["FromUserName"]) == (openid, ACCOUNT)
            assert reply["MsgType"] == "text"
            assert 0 < len(reply["Content"].encode()) <= 2048
        except Exception:  # noqa: BLE001 - whatever is wrong, the phone shows the same
            self._seen[openid].append(Seen("error", OUT_OF_ORDER))
            return None
        self._seen[openid].append(Seen("passive", reply["Content"]))
        text: str = reply["Content"]
        return text


def _escaped(value: object) -> str:
    """A field as WeChat writes it: texts as character data, numbers bare."""
    if isinstance(value, int | float):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"
