"""Replies to one person: pushed with patience, edited in place where a button was pressed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.render import Call, calls, edit
from bot.channels.telegram.request import TOKEN_REFUSED
from bot.channels.telegram.send import Draw, deliver, drawn
from db.engine import OUT_OF_ORDER
from notices.channel import Message
from notices.wording import Wording

LOG = logging.getLogger(__name__)

TRIES = {"permanent": 1, "retry": 3, "ambiguous": 2}  # what may have arrived is repeated once only
TRY_AGAIN_S = 1.0  # before the second try, twice as long before the third
PAUSE_MAX_S = 60.0  # a longer silence is not waited for; the reply stays open


class Replies:
    """Unlike a letter, a reply may arrive twice rather than never: its person is waiting for it."""

    def __init__(
        self,
        api: Api,
        *,
        draw: Draw,
        say: Wording,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._api = api
        self._draw = draw
        self._say = say
        self._sleep = sleep
        self._order = asyncio.Lock()  # fair: replies go out in the order in which they came to wait

    async def push(self, address: str, message: Message, *, edits: int | None) -> bool:
        """Show `message`; True when nothing is left to do: Telegram took it, or refused it for good.

        edits: the bot's own message that it shall replace, None for a new one.
        """
        if edits is not None and (call := edit(address, edits, message)):
            outcome = await self._try(call)
            if outcome is None or _unchanged(outcome):
                return True
            if not outcome.refused:
                return False
        image = await self._image(address, message)
        for call in calls(address, message, image, self._say):
            outcome = await self._try(call)
            if outcome is not None and outcome.refused and call[0] == "sendPhoto":
                return await self._without_picture(address, message)
            if outcome is not None:
                return _give_up(outcome)
        return True

    async def _without_picture(self, address: str, message: Message) -> bool:
        """The same reply in words, when Telegram does not like the picture."""
        for call in calls(address, message, None, self._say):
            if outcome := await self._try(call):
                return _give_up(outcome)
        return True

    async def _image(self, address: str, message: Message) -> bytes | None:
        """The drawn picture of `message`; None without one, and when it cannot be drawn."""
        if message.picture is None:
            return None
        try:
            await self._api.call("sendChatAction", {"chat_id": address, "action": "upload_photo"})
        except CallError as error:
            LOG.debug("no sign that a picture is coming: %s", error)
        return await drawn(self._draw, message.picture)

    async def _try(self, call: Call) -> CallError | None:
        """One call, repeated while that can help; None when Telegram took it, else why it did not."""
        waited_s, tries = 0.0, 1
        while True:
            try:
                await self._turn(str(call[1]["chat_id"]))
                await self._common_turn(str(call[1]["chat_id"]))
                await deliver(self._api, call)
                return None
            except CallError as error:
                halted = error.reason in ("paused", "429")  # no failure: the same try comes later
                if error.refused or error.reason == TOKEN_REFUSED:
                    return error
                if not halted and tries >= TRIES[error.verdict]:
                    return error
                pause_s = error.retry_after_s if halted and error.retry_after_s else TRY_AGAIN_S * tries
                if waited_s + pause_s > PAUSE_MAX_S:
                    return error
                tries += not halted
                waited_s += pause_s
                await self._sleep(pause_s)

    async def _turn(self, address: str) -> None:
        """Wait until the account's pace lets this chat have a reply: before all letters, after earlier replies.

        A longer pause of the platform is not waited for here: the call then fails, and that counts as no try.
        """
        pacer = self._api.pacer
        while True:
            while (wait_s := pacer.chat_wait_s(address)) and not pacer.paused_s(address):
                await self._sleep(wait_s)
            pacer.waiting += 1
            try:
                async with self._order:
                    while not pacer.chat_wait_s(address) and not pacer.paused_s(address):
                        wait_s = pacer.wait_s(address, reply=True)
                        if not wait_s:
                            pacer.take(address)
                            return
                        await self._sleep(wait_s)
            finally:
                pacer.waiting -= 1
            if pacer.paused_s(address):
                return

    async def _common_turn(self, address: str) -> None:
        """The same among all processes that send through the account. Raises CallError while nobody can tell."""
        common = self._api.pacer.common
        if common is None:
            return
        try:
            await common.reply(address)
        except OUT_OF_ORDER:
            raise CallError("retry", "no_database") from None


def _unchanged(error: CallError) -> bool:
    """The edited message shows this already: a double tap."""
    return "message is not modified" in error.description.lower()


def _give_up(error: CallError) -> bool:
    """True when the reply is closed unsent: Telegram refused it, and would refuse it again."""
    LOG.warning("a reply was not taken: %s %s", error, error.description)
    return error.refused
