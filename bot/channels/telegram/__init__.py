"""Telegram: off until a token is given, because it carries what people write abroad."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter

from bot.channels.telegram.api import Api
from bot.channels.telegram.conversation import Answering, Conversation
from bot.channels.telegram.counts import CallCounts
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.inbound import ALLOWED_UPDATES, Me
from bot.channels.telegram.menu import show_in_groups, show_to_chat, show_to_strangers
from bot.channels.telegram.polling import BACKOFF_S, POLL_S, Poller
from bot.channels.telegram.request import READ_S, TOKEN_REFUSED, Clock
from bot.channels.telegram.send import Draw, TelegramChannel, send_error
from bot.channels.telegram.webhook import CONNECTIONS_MAX, PATH, webhook_router
from handlers.conversation import Command
from notices.channel import SendError
from notices.pacing import pacer
from notices.tenure import Write
from notices.wording import wording

__all__ = ["Telegram", "TelegramChannel", "Timing", "open_telegram"]

LOG = logging.getLogger(__name__)

FILE_BYTES_MAX = 10 * 1024 * 1024  # of a picture that a person sent
TABLE_BYTES_MAX = 5 * 1024 * 1024  # of a table
TOO_BIG = "file is too big"  # Telegram's own words for a file of more than 20 MB, which bots cannot get
PATIENCE_S = 10.0  # how long `stop` lets replies go out
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

Mode = Literal["polling", "webhook"]


@dataclass(frozen=True, slots=True)
class Timing:
    """The clocks and the patience of the channel; a test brings its own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    clock: Clock = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    poll_s: int = POLL_S
    read_s: float = READ_S
    backoff_s: tuple[float, float] = BACKOFF_S


class Telegram:
    """The channel as the process holds it: `channel` for the outbox, `router` for the web server.

    router: the webhook's route, None when polling. problem: why nothing comes in, None while all is well.
    """

    def __init__(
        self,
        api: Api,
        conversation: Conversation,
        channel: TelegramChannel,
        *,
        commands: Sequence[Command],
        timing: Timing,
    ) -> None:
        self.channel = channel
        self.router: APIRouter | None = None
        self.username = ""  # of the bot, for links t.me/NAME?start=CODE; empty until Telegram has told it
        self._api = api
        self._conversation = conversation
        self._commands = commands
        self._timing = timing
        self._poller: Poller | None = None
        self._webhook: dict[str, object] | None = None
        self._refused = False
        self._work: asyncio.Task[None] | None = None
        self._greeted = asyncio.Event()

    def poll(self) -> None:
        """Let updates be fetched from Telegram."""
        timing = self._timing
        self._poller = Poller(
            self._api,
            self._conversation.take,
            poll_s=timing.poll_s,
            grace_s=timing.read_s,
            backoff_s=timing.backoff_s,
            clock=timing.clock,
        )

    def hook(self, public_url: str, secret: str) -> None:
        """Let updates be brought by Telegram to `public_url`/telegram."""
        self.router = webhook_router(self._conversation.take, secret=secret)
        self._webhook = {
            "url": public_url.rstrip("/") + PATH,
            "secret_token": secret,
            "allowed_updates": ALLOWED_UPDATES,
            "max_connections": CONNECTIONS_MAX,
            "drop_pending_updates": False,  # what waits at Telegram was written by people
        }

    @property
    def problem(self) -> str | None:
        """Why nothing comes in (`token_refused`, `conflict`, `silent`), None while all is well."""
        if self._refused or self._api.refused:
            return TOKEN_REFUSED
        if self._poller is None or self._work is None:
            return None
        return self._poller.problem or ("silent" if self._poller.silent_s() > 4 * POLL_S else None)

    async def start(self) -> None:
        """Begin. Returns at once: while Telegram cannot be reached, it is tried again in the background."""
        self._work = asyncio.create_task(self._run())
        self._work.add_done_callback(_log_end)

    async def greeted(self) -> None:
        """Wait until Telegram has answered the first questions and messages come in."""
        await self._greeted.wait()

    async def halt(self) -> None:
        """Take no more updates; what is in hand is committed. `start` begins again."""
        if self._work is None:
            return
        if self._poller is not None and self._greeted.is_set():
            self._poller.stop()
            await asyncio.wait([self._work], timeout=PATIENCE_S)
        self._work.cancel()
        await asyncio.gather(self._work, return_exceptions=True)
        self._work = None
        if self._poller is not None:
            self.poll()

    async def stop(self) -> None:
        """End: no update is taken any more, what is in hand is committed, replies get a moment to go out."""
        await self.halt()
        await self._conversation.close(PATIENCE_S)
        await self._api.close()

    async def fetch(self, reference: str, bytes_max: int = FILE_BYTES_MAX) -> bytes:
        """The bytes of a picture that a person sent, at most 10 MB. Raises SendError."""
        try:
            file = await self._api.call("getFile", {"file_id": reference})
            path = file.get("file_path") if isinstance(file, dict) else None
            if not isinstance(path, str) or ".." in path:
                raise SendError("permanent", "no_file")
            return await self._api.download(path, bytes_max)
        except CallError as error:
            if TOO_BIG in error.description.lower():
                raise SendError("permanent", "too_large") from None
            raise send_error(error) from None

    async def fetch_file(self, reference: str) -> bytes:
        """The bytes of a table that a person sent, at most 5 MB. Raises SendError."""
        return await self.fetch(reference, TABLE_BYTES_MAX)

    async def set_chat_commands(self, address: str, roles: Collection[str] | None) -> None:
        """Show a chat the commands of its member's roles; None: of a stranger. A failure is logged only."""
        try:
            await show_to_chat(self._api, self._commands, address, roles)
        except CallError as error:
            LOG.warning("Telegram: the list of commands was not set: %s", error)

    async def show_counts(self, write: Write, owning: asyncio.Event) -> None:
        """Keep the counts of calls in groups up to date, for ever, while `owning` is set."""
        timing = self._timing
        await CallCounts(self._api, write, clock=timing.clock, sleep=timing.sleep).run(owning)

    async def _run(self) -> None:
        """Introduce ourselves until Telegram listens, then let messages in."""
        pause_s, longest_s = self._timing.backoff_s
        while True:
            try:
                await self._greet()
                break
            except CallError as error:
                self._refused = error.reason == TOKEN_REFUSED
                if self._refused:
                    LOG.error("Telegram refuses the token: check HONGXIN_TELEGRAM_TOKEN; Telegram stays off")
                    return
                LOG.warning("Telegram cannot be reached yet: %s %s", error, error.description)
                await self._timing.sleep(error.retry_after_s or pause_s)
                pause_s = min(2 * pause_s, longest_s)
        self._greeted.set()
        if self._poller is not None:
            await self._poller.run()

    async def _greet(self) -> None:
        """Who are we, where do updates go, which commands are shown. Raises CallError."""
        me = await self._api.call("getMe")
        if isinstance(me, dict) and isinstance(me.get("id"), int):
            self.username = str(me.get("username", ""))
            self._conversation.me = Me(me["id"], self.username)
        if self._webhook is None:
            await self._api.call("deleteWebhook", {"drop_pending_updates": False})
        else:
            await self._api.call("setWebhook", dict(self._webhook))
        try:
            await show_to_strangers(self._api, self._commands)
            await show_in_groups(self._api)
        except CallError as error:
            LOG.warning("Telegram: the list of commands was not set: %s", error)


async def open_telegram(
    *,
    token: str,
    api_url: str,
    mode: Mode,
    secret: str | None,
    public_url: str,
    dispatcher: Answering,
    draw: Draw,
    commands: Sequence[Command],
    full_names: bool = False,
    language: str = "zh",
    paid_per_s: int = 0,
    timing: Timing | None = None,
) -> Telegram:
    """The channel: `.channel` can send at once, messages come in after `start()`; end it with `stop()`.

    `public_url` and `secret` are needed for the webhook only. Raises ValueError, naming the variable, for
    settings with which it could not work. paid_per_s: most messages in any second against a fee, 0: none.
    """
    if mode == "webhook" and not (secret and SECRET.fullmatch(secret)):
        raise ValueError("HONGXIN_TELEGRAM_SECRET: the webhook needs 1 to 256 characters of A-Z a-z 0-9 _ -")
    if mode == "webhook" and not public_url:
        raise ValueError("HONGXIN_PUBLIC_URL: the webhook needs the address at which Telegram reaches us")
    say, timing = wording(language), timing or Timing()
    own_pacer = pacer(TelegramChannel.name, paid_per_s=paid_per_s, clock=timing.clock)
    api = Api(token=token, api_url=api_url, own_pacer=own_pacer, read_s=timing.read_s)
    await api.open()
    conversation = Conversation(
        api, dispatcher, draw=draw, say=say, now=timing.now, clock=timing.clock, sleep=timing.sleep
    )
    channel = TelegramChannel(api, draw=draw, say=say, full_names=full_names)
    telegram = Telegram(api, conversation, channel, commands=commands, timing=timing)
    if mode == "webhook":
        telegram.hook(public_url, secret or "")
    else:
        telegram.poll()
    return telegram


def _log_end(work: asyncio.Task[None]) -> None:
    """Say so when the work ended by a mistake of ours; the text of the error may hold what people wrote."""
    if not work.cancelled() and (error := work.exception()):
        LOG.critical("Telegram stopped by a mistake: %s", type(error).__name__)
