"""Who may speak at the webhook: nothing passes that WeChat did not sign and encrypt for this account.

Refuses with a bare status and says nothing else. Never logs the query: it is a key for five minutes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from bot.channels.wechat.flat_xml import Malformed, children
from bot.channels.wechat.sealing import Key, Unsealable, same_signature

BODY_MAX = 64 * 1024  # bytes
QUERY_MAX = 2048  # bytes
PARAMETERS_MAX = 12
FRESH_S = 300  # how far the signed timestamp may be from our clock, either way
READ_S = 4.0  # a body that takes longer is not from WeChat, which gives up after 5 s itself

_HEX = re.compile(r"[0-9a-f]{40}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,11}", re.ASCII)
_NONCE = re.compile(r"[!-~]{1,128}", re.ASCII)
_ECHO = re.compile(r"[A-Za-z0-9_=+/-]{1,256}", re.ASCII)


@dataclass
class Refused(Exception):
    """This request is not from WeChat, or not for us. `status` is all that the caller learns."""

    status: int

    def __str__(self) -> str:
        return f"refused: {self.status}"


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """An authentic message: the decrypted document and what a reply must be sealed with."""

    document: bytes
    key: Key
    nonce: str


class Guard:
    """Checks requests against the token and the AES keys of one account.

    keys: the current one first, then the previous one while a change is under way.
    """

    def __init__(self, token: str, keys: Sequence[Key], *, read_s: float = READ_S) -> None:
        if not token or not token.isascii():
            raise ValueError("HONGXIN_WECHAT_TOKEN is missing: without it anybody could sign messages")
        if not keys:
            raise ValueError("HONGXIN_WECHAT_AES_KEY is missing: only the safe mode is accepted")
        self._token = token
        self._keys = tuple(keys)
        self._read_s = read_s

    def echo(self, query: bytes, *, now: datetime) -> str:
        """What a GET has to answer when the console checks the address. Raises Refused."""
        values = _parameters(query)
        given = _value(values, "signature", _HEX)
        timestamp = _value(values, "timestamp", _TIMESTAMP)
        nonce = _value(values, "nonce", _NONCE)
        echo = _value(values, "echostr", _ECHO)
        _check_fresh(timestamp, now)
        if not same_signature(given, self._token, timestamp, nonce):
            raise Refused(403)
        return echo

    async def open(self, request: Request, *, now: datetime) -> Opened:
        """The message in a POST. Raises Refused; the body is not read before the query is plausible."""
        values = _parameters(request.scope["query_string"])
        if values.get("encrypt_type") != "aes":  # plain mode: its signature does not cover the body
            raise Refused(403)
        given = _value(values, "msg_signature", _HEX)
        timestamp = _value(values, "timestamp", _TIMESTAMP)
        nonce = _value(values, "nonce", _NONCE)
        _check_fresh(timestamp, now)
        sealed = _sealed(await self._body(request))
        if not same_signature(given, self._token, timestamp, nonce, sealed):
            raise Refused(403)
        for key in self._keys:
            try:
                return Opened(key.open(sealed), key, nonce)
            except Unsealable:
                continue
        raise Refused(403)

    async def _body(self, request: Request) -> bytes:
        """The body, at most BODY_MAX bytes: counted while it comes, whatever Content-Length says."""
        announced = request.headers.get("content-length", "0")
        if not (announced.isascii() and announced.isdigit()):
            raise Refused(400)
        if len(announced) > 9 or int(announced) > BODY_MAX:
            raise Refused(413)
        body = bytearray()
        try:
            async with asyncio.timeout(self._read_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > BODY_MAX:
                        raise Refused(413)
        except TimeoutError:
            raise Refused(408) from None
        except ClientDisconnect:
            raise Refused(400) from None
        return bytes(body)


def _parameters(query: bytes) -> dict[str, str]:
    """Every parameter of the query, each exactly once. Raises Refused."""
    if len(query) > QUERY_MAX or not query.isascii():
        raise Refused(400)
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, strict_parsing=True, max_num_fields=PARAMETERS_MAX
        )
    except ValueError:
        raise Refused(400) from None
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Refused(400)
    return values


def _value(values: dict[str, str], name: str, shape: re.Pattern[str]) -> str:
    """The value, in exactly this shape. Raises Refused when it is missing or different."""
    value = values.get(name, "")
    if not shape.fullmatch(value):
        raise Refused(400)
    return value


def _check_fresh(timestamp: str, now: datetime) -> None:
    """Raise Refused for a request signed more than FRESH_S ago or ahead: it may have been recorded."""
    if abs(now.timestamp() - int(timestamp)) > FRESH_S:
        raise Refused(403)


def _sealed(body: bytes) -> str:
    """The one ciphertext in the envelope; fields beside it (compatible mode) are not looked at. Raises Refused."""
    try:
        found = [text for name, text in children(body) if name == "Encrypt"]
    except Malformed:
        raise Refused(400) from None
    if len(found) != 1 or not found[0] or not found[0].isascii():
        raise Refused(400)
    return found[0].strip()
