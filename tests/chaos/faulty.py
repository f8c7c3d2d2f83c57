"""A stand-in of both platforms over HTTP that gets everything wrong that a platform, or what lies before it, can.

What it has really taken stands in `accepted` and `taken`, whatever it answered. Faults are dealt from a shuffled
deck, so that every one comes, in an order that the seed decides. Its time is the caller's.
"""

from __future__ import annotations

import asyncio
import collections
import json
import random
import socket
import struct
from collections.abc import Callable
from typing import Any

PLAIN = 26  # cards of the deck that are none of the faults
OF_EACH = 2
FAULTS = (
    "hangs",  # takes it, and never answers
    "deaf",  # does not take it, and never answers
    "flood",  # 429, or what WeChat says instead
    "gateway",  # 5xx with a page in HTML, taken or not
    "half",  # takes it, and the answer breaks off
    "nonsense",  # takes it, and answers what nobody can read
    "resets",  # the connection is reset after the request was read, taken or not
    "refuses",  # takes and answers it; the next ones find nobody who listens
    "drops",  # takes and answers it, and closes the connection that was to be kept
    "unknown",  # a refusal that is in no document
    "blocked",  # the person wants nothing from us
    "strange",  # the token is refused (WeChat), or the page of some proxy (Telegram)
)
AWAY_S = 0.05  # how long nobody listens
NONSENSE = (b"<html>welcome</html>", b'{"ok":true,"resu', '{"ok":"是"}'.encode("gbk"), b"", b"[]", b'"\xff\xfe"')
LINGER_NOT = struct.pack("ii", 1, 0)  # a close with it is a reset


class FaultyPlatform:
    """Serves Telegram's sendMessage and WeChat's token, customer and mass messages at `url`, inside this loop.

    hasty: paths of requests that began inside a pause of which the client had read. `clock`: seconds.
    """

    def __init__(self, dice: random.Random, clock: Callable[[], float]) -> None:
        self.dice = dice
        self.clock = clock
        self.accepted: list[str] = []  # addresses, append-only
        self.taken: dict[str, list[str]] = {}  # batches by their key
        self.met: collections.Counter[str] = collections.Counter()
        self.hasty: list[str] = []
        self.quiet_until = 0.0
        self.open: set[_Connection] = set()
        self.tokens = 0
        self._deck: list[str] = []
        self._server: asyncio.Server | None = None
        self._port = 0

    async def __aenter__(self) -> FaultyPlatform:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop_listening()
        for one in tuple(self.open):
            one.end()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def busy(self) -> bool:
        """Whether somebody waits for an answer that will not come, or for somebody who listens."""
        return self._server is None or any(one.waits for one in self.open)

    def fault(self) -> str:
        """The next card; empty: none."""
        if not self._deck:
            self._deck = [""] * PLAIN + list(FAULTS) * OF_EACH
            self.dice.shuffle(self._deck)
        return self._deck.pop()

    async def go_away(self) -> None:
        """Listen to nobody for a moment."""
        if self._server is not None:
            await self._stop_listening()
            await asyncio.sleep(AWAY_S)
            await self._listen()

    async def _stop_listening(self) -> None:
        """Whoever was accepted a moment ago is let in first: a server that closes meanwhile loses their socket."""
        server, self._server = self._server, None
        if server is not None:
            for listening in server.sockets:
                asyncio.get_running_loop().remove_reader(listening)
            await asyncio.sleep(0)
            server.close()

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", self._port, backlog=512)
        self._port = self._server.sockets[0].getsockname()[1]


class _Connection(asyncio.Protocol):
    """One connection, which can be used again and again."""

    def __init__(self, platform: FaultyPlatform) -> None:
        self._platform = platform
        self._unread = b""
        self._early = False  # the request that is being read began inside a pause
        self._pause_s = 0.0  # that the client learns of when it has read the answer
        self.waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._platform.open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._platform.open.discard(self)
        if self._pause_s:  # the client closes what said that it closes: so it has read of the pause
            until = self._pause_s
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self._silence, until)  # what was under way by then is no haste

    def _silence(self, until: float) -> None:
        self._platform.quiet_until = max(self._platform.quiet_until, until)

    def data_received(self, data: bytes) -> None:
        if not self._unread:
            self._early = self._platform.clock() < self._platform.quiet_until
        self._unread += data
        head, found, body = self._unread.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        sizes = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
        if found and len(body) >= (sizes or [0])[0]:
            self._unread = b""
            self._answer(lines[0].split(" ")[1].partition("?")[0], json.loads(body))

    def end(self) -> None:
        """Close it."""
        self._transport.close()

    def _answer(self, path: str, asked: dict[str, Any]) -> None:
        platform = self._platform
        if path.endswith("stable_token"):
            platform.tokens += 1
            self._say(200, {"access_token": f"token-{platform.tokens}", "expires_in": 7200})
            return
        talk = _telegram if path.endswith("sendMessage") else _wechat
        if self._early and talk is _telegram:
            platform.hasty.append(path)
        fault = platform.fault()
        platform.met[fault or "plain"] += 1
        coin = platform.dice.random() < 0.5
        refusal = talk(fault, platform)
        if refusal is not None:
            status, answer, pause_s = refusal
            self._pause_s = platform.clock() + pause_s if pause_s else 0.0
            self._say(status, answer, closes=bool(pause_s))
            return
        if fault not in ("deaf", "gateway", "resets") or (coin and fault != "deaf"):
            answer = _take(platform, path, asked)
        else:
            answer = {}
        self._end_as(fault, answer)

    def _end_as(self, fault: str, answer: dict[str, Any]) -> None:
        """What the client sees of it."""
        dice = self._platform.dice
        if fault in ("hangs", "deaf"):
            self.waits = True
        elif fault == "gateway":
            self._say(dice.choice((500, 502, 504)), b"<html>Bad Gateway</html>")
        elif fault == "half":
            self._say(200, answer, part=0.5)
        elif fault == "nonsense":
            self._say(200, dice.choice(NONSENSE))
        elif fault == "resets":
            one: socket.socket = self._transport.get_extra_info("socket")
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self._transport.abort()
        else:
            self._say(200, answer)
        if fault == "drops":
            self._transport.close()
        if fault == "refuses":
            self._transport.close()
            self._away = asyncio.ensure_future(self._platform.go_away())

    def _say(
        self, status: int, answer: dict[str, Any] | bytes, *, closes: bool = False, part: float = 1.0
    ) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kept = "close" if closes else "keep-alive"
        head = f"HTTP/1.1 {status} As It Is\r\nContent-Length: {len(body)}\r\nConnection: {kept}\r\n\r\n"
        self._transport.write(head.encode() + body[: int(part * len(body))])
        if part < 1:
            self._transport.close()


Refusal = tuple[int, "dict[str, Any] | bytes", float]
"""Status, body, and the seconds for which nothing more is to come (0: none are named)."""


def _telegram(fault: str, platform: FaultyPlatform) -> Refusal | None:
    """How the Bot API says no; None: it does not."""
    if fault == "flood":
        pause_s = platform.dice.randint(1, 30)
        words = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {pause_s}"}
        return 429, words | {"parameters": {"retry_after": pause_s}}, pause_s
    if fault == "unknown":
        return 400, {"ok": False, "error_code": 400, "description": "Bad Request: MOON_IN_WRONG_PHASE"}, 0
    if fault == "blocked":
        return 403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, 0
    if fault == "strange":
        return 407, b"<html>Who are you?</html>", 0
    return None


def _wechat(fault: str, platform: FaultyPlatform) -> Refusal | None:
    """How WeChat says no."""
    code = {
        "flood": platform.dice.choice((-1, 45011)),
        "unknown": 87_654,
        "blocked": 43004,
        "strange": 40001,
    }.get(fault)
    return None if code is None else (200, {"errcode": code, "errmsg": fault}, 0)


def _take(platform: FaultyPlatform, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Take a message, or a batch whose key is new; the answer."""
    if path.endswith("sendMessage"):
        platform.accepted.append(str(asked["chat_id"]))
        number = len(platform.accepted)
        return {"ok": True, "result": {"message_id": number, "date": 1, "chat": {"id": 1}, "text": asked["text"]}}
    if path.endswith("custom/send"):
        platform.accepted.append(asked["touser"])
        return {"errcode": 0, "errmsg": "ok"}
    key = asked["clientmsgid"]
    known = key in platform.taken
    platform.taken.setdefault(key, asked["touser"])
    code = 45065 if known else 0
    return {"errcode": code, "errmsg": "?", "msg_id": list(platform.taken).index(key)}
