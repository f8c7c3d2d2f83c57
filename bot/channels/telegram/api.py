"""The Bot API as one function: a method, its arguments, its raw result."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from telegram import Bot

from bot.channels.telegram.inbound import NAME
from bot.channels.telegram.request import AiohttpRequest
from notices.pacing import Pacer, pacer

POOL = 256
POLLED = "getUpdates"  # has a transport of its own
PLACEHOLDER = "0:kept-by-the-transport"  # the library asks for a token and prints it; the real one stays below


class Api:
    """python-telegram-bot's Bot without its parsing of answers, which would cost half of the time of a message.

    `polling` is a transport of its own with one connection, so that a flood of replies cannot starve
    getUpdates. It has its own pause, too: a flood of replies must not make the bot deaf. `pacer` is the account's:
    a pause holds for whoever calls, its pace is kept by those who send.
    """

    def __init__(
        self, *, token: str, api_url: str, own_pacer: Pacer | None = None, read_s: float = 10.0, pool: int = POOL
    ) -> None:
        self.pacer = own_pacer or pacer(NAME)
        self._sending = AiohttpRequest(token=token, api_url=api_url, pacer=self.pacer, pool=pool, read_s=read_s)
        self.polling = AiohttpRequest(token=token, api_url=api_url, pacer=pacer(NAME), pool=1, read_s=read_s)
        self._bot = Bot(
            PLACEHOLDER,
            base_url=lambda _: "telegram:",
            base_file_url=lambda _: "telegram:",
            request=self._sending,
            get_updates_request=self.polling,
        )

    @property
    def refused(self) -> bool:
        """Whether Telegram's last word was that the token is none."""
        return self._sending.refused

    async def open(self) -> None:
        """Open both connection pools; nothing is asked yet."""
        await self._sending.initialize()
        await self.polling.initialize()

    async def close(self) -> None:
        """Close both connection pools."""
        await self._sending.shutdown()
        await self.polling.shutdown()

    async def call(self, method: str, arguments: dict[str, Any] | None = None, read_s: float | None = None) -> Any:
        """The `result` of one call. Raises CallError."""
        timeout = self._sending.read_timeout if read_s is None else read_s
        if method != POLLED and (body := _json(arguments)) is not None:
            return await self._sending.ask(method, arguments or {}, body, timeout)
        # The trailing underscore vanishes on the way; without it the library warns on every call that it
        # has a method of that name, which parses the answer.
        return await self._bot.do_api_request(f"{method}_", api_kwargs=arguments, read_timeout=timeout)

    async def download(self, file_path: str, bytes_max: int) -> bytes:
        """The bytes of a file at Telegram. Raises CallError."""
        return await self._sending.download(file_path, bytes_max)


def _json(arguments: dict[str, Any] | None) -> bytes | None:
    """The arguments as JSON; None when a file is among them."""
    given = {name: value for name, value in (arguments or {}).items() if value is not None}
    try:
        return orjson.dumps(given)
    except TypeError:
        return None


class _NoDebug(logging.Filter):
    """Keeps out python-telegram-bot's DEBUG lines: they hold whole messages, bind codes and the webhook secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


logging.getLogger("telegram.Bot").addFilter(_NoDebug())
