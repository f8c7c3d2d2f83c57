"""Calls of the WeChat API: with the shared token, one new token after a refusal, and WeChat's verdict read."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.channels.wechat.codes import DAILY_QUOTA, SENT, TOKEN_REFUSED, alarming, refusal, until_midnight_s
from bot.channels.wechat.tokens import Tokens
from bot.channels.wechat.transport import Transport
from notices.channel import SendError

log = logging.getLogger(__name__)

Answer = TypeVar("Answer", bound=object)


class Api:
    """One account at WeChat. Every method raises SendError; they return only what WeChat said yes to."""

    def __init__(self, transport: Transport, tokens: Tokens, clock: Callable[[], datetime]) -> None:
        self._transport = transport
        self._tokens = tokens
        self._clock = clock
        self._stopped_until: dict[str, datetime] = {}  # per path: its daily quota is used up

    async def post(self, path: str, payload: Any) -> dict[str, Any]:
        """The answer to a POST of JSON."""
        return await self._call(path, lambda token: self._transport.post(path, payload, token))

    async def send(self, path: str, payload: Any) -> dict[str, Any]:
        """The answer to a POST that reaches people: only a yes in so many words says that it does."""
        answer = await self.post(path, payload)
        if "errcode" not in answer:  # JSON of somebody on the way
            raise SendError("ambiguous", "nonsense")
        return answer

    async def get(self, path: str) -> dict[str, Any]:
        """The answer to a GET."""
        return await self._call(path, lambda token: self._transport.get(path, token))

    async def upload(self, path: str, kind: str, picture: bytes) -> dict[str, Any]:
        """The answer to the upload of a PNG."""
        return await self._call(path, lambda token: self._transport.upload(path, {**token, "type": kind}, picture))

    async def download(self, path: str, media_id: str) -> bytes:
        """The file with this id."""
        content = await self._call(
            path, lambda token: self._transport.download(path, {**token, "media_id": media_id})
        )
        if not isinstance(content, bytes):
            raise SendError("permanent", "no_picture")  # a video answers with a link
        return content

    async def _call(self, path: str, request: Callable[[dict[str, str]], Awaitable[Answer]]) -> Answer:
        now = self._clock()
        if now < self._stopped_until.get(path, now):
            raise refusal(DAILY_QUOTA, now=now)
        token = await self._tokens.token()
        answer = await request({"access_token": token})
        code = _code(answer)
        if code in TOKEN_REFUSED:  # once only: a second refusal is no stale token
            token = await self._tokens.token(refused=token)
            answer = await request({"access_token": token})
            code = _code(answer)
        if code in SENT:
            return answer
        now = self._clock()
        if code == DAILY_QUOTA:
            self._stopped_until[path] = now + timedelta(seconds=until_midnight_s(now))
        error = refusal(code, now=now)
        log.log(logging.ERROR if alarming(code) else logging.INFO, "WeChat %s: errcode %d, %s", path, code, error)
        raise error


def _code(answer: object) -> int:
    """WeChat's verdict in an answer; 0 for yes. Without a number nobody knows: raises SendError."""
    if not isinstance(answer, dict):
        return 0
    code = answer.get("errcode", 0)
    if isinstance(code, str) and code.lstrip("-").isdigit() and code.isascii() and len(code) < 10:
        code = int(code)
    if not isinstance(code, int) or isinstance(code, bool):
        raise SendError("ambiguous", "nonsense")
    return code
