"""Messages to one Telegram chat: one try, one verdict. Waiting and counting belong to who calls."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.inbound import NAME
from bot.channels.telegram.render import Call, calls
from bot.channels.telegram.text import CAPTION_MAX, TEXT_MAX, cut, units
from notices import group_way
from notices.channel import Message, Picture, SendError
from notices.wording import Wording

LOG = logging.getLogger(__name__)

Draw: TypeAlias = Callable[[Picture], Awaitable[bytes]]

UPLOAD_S = 30.0  # silence while a picture travels and is scaled
FORGOTTEN = "wrong file identifier"  # how Telegram says that it has no such picture any more
UPLOADED_MAX = 1_000  # stored pictures whose id at Telegram is remembered
BEGUN_MAX = 10_000  # deliveries of several calls that are remembered between two tries

# Substrings of Telegram's own words, lower case: with and without "Forbidden:" in front.
UNREACHABLE = {
    "bot was blocked by the user": "blocked",
    "user is deactivated": "deactivated",
    "chat not found": "chat_not_found",
    "bot was kicked": "kicked",
    "bot is not a member": "not_a_member",
    "bot can't initiate conversation": "never_spoke",
    "group chat was deleted": "chat_deleted",
    "user not found": "user_not_found",
}
UNFIT = {  # the message is wrong, not the chat
    "message is too long": "too_long",
    "caption is too long": "too_long",
    "message text is empty": "empty",
    "button_data_invalid": "bad_button",
    "photo_invalid_dimensions": "bad_picture",
    "image_process_failed": "bad_picture",
    "file is too big": "bad_picture",
}
NO_THREAD = ("message thread not found", "topic_closed", "topic_deleted")
"""How Telegram says that nothing can be said in this topic of a forum (any more)."""

NO_RIGHT = ("not enough rights", "have no rights to send", "chat_write_forbidden", "chat_restricted")
"""How Telegram says that a group does not let the bot write, though it is in it."""


class TelegramChannel:
    """Fulfils notices.channel.Channel.

    masks_names: texts for this channel go abroad, so they must name nobody in full and list no members.
    """

    name = NAME

    def __init__(self, api: Api, *, draw: Draw, say: Wording, full_names: bool = False) -> None:
        self._api = api
        self._draw = draw
        self._say = say
        self._begun: OrderedDict[str, list[str]] = OrderedDict()
        self._made: tuple[Message, list[Call]] | None = None  # the last message in words, as calls to nobody
        self._uploaded: OrderedDict[int, str] = OrderedDict()
        self._unfit: OrderedDict[int, None] = OrderedDict()  # stored pictures that Telegram takes from nobody
        self.masks_names = not full_names
        self.pacer = api.pacer  # the account's: letters and replies take from one

    def parts(self, text: str) -> Sequence[str]:
        """`text` in parts of at most 4096 UTF-16 units, cut at sentence ends."""
        return cut(text, TEXT_MAX)

    def fits_below(self, text: str) -> bool:
        """Whether `text` has at most the 1024 UTF-16 units of what stands below a picture."""
        return units(text) <= CAPTION_MAX

    async def send_paid(self, address: str, message: Message, *, key: str) -> str:
        """As `send`, past the limit of what is free: Telegram takes a fee for each message."""
        return await self.send(address, message, key=key, paid=True)

    async def send(self, address: str, message: Message, *, key: str, paid: bool = False) -> str:
        """Deliver `message`; the id of its last Telegram message. Raises SendError.

        Telegram knows no key of ours. `key` only makes a second try go on where the first one stopped, when
        a message needs several calls (a picture and a longer text, more than one part).
        """
        if not message.text.strip() and not message.picture:
            raise SendError("permanent", "empty")
        if pause_s := self.pacer.paused_s(address, paid=paid):
            raise SendError("retry", "paused", retry_after_s=pause_s)
        if message.picture and _stored(message.picture) in self._unfit:
            return await self._send_words(address, message, key=key, paid=paid)
        known = self._uploaded.get(_stored(message.picture))
        image = known or (await drawn(self._draw, message.picture) if message.picture else None)
        steps = self._steps(address, message, image)
        done = self._begun.get(key, [])
        for method, arguments in steps[len(done) :]:
            step = (method, arguments | {"allow_paid_broadcast": True}) if paid else (method, arguments)
            try:
                result = await deliver(self._api, step)
            except CallError as error:
                if known and method == "sendPhoto" and FORGOTTEN in error.description.lower():
                    self._uploaded.pop(_stored(message.picture), None)
                    raise SendError("retry", "picture_forgotten") from None  # and then it is uploaded anew
                verdict = send_error(error)
                if method == "sendPhoto" and verdict.reason == "bad_picture":  # the first call of all
                    return await self._send_words(address, message, key=key, paid=paid)
                raise verdict from None
            done = [*done, message_id(result)]
            self._keep_upload(message.picture, result)
            self._remember(key, done, last=len(done) == len(steps))
        return done[-1]

    async def _send_words(self, address: str, message: Message, *, key: str, paid: bool) -> str:
        """Deliver it without the picture, which Telegram takes from nobody; its `alt` is said."""
        assert message.picture, "only a picture is refused so"
        if stored := _stored(message.picture):
            self._unfit[stored] = None
            if len(self._unfit) > UPLOADED_MAX:
                self._unfit.popitem(last=False)
        words = f"{message.text}\n{message.picture.alt}".strip()
        return await self.send(address, replace(message, text=words, picture=None), key=key, paid=paid)

    def _keep_upload(self, picture: Picture | None, result: object) -> None:
        """Remember Telegram's own id of a stored picture: the next reader of a letter needs no second upload."""
        sizes = result.get("photo") if isinstance(result, dict) else None
        stored = _stored(picture)
        if not stored or not isinstance(sizes, list) or not sizes or not isinstance(sizes[-1], dict):
            return
        self._uploaded[stored] = str(sizes[-1].get("file_id", ""))
        if len(self._uploaded) > UPLOADED_MAX:
            self._uploaded.popitem(last=False)

    def _steps(self, address: str, message: Message, image: bytes | str | None) -> list[Call]:
        """What to ask of Telegram. A letter in words is made once: its readers get the very same message."""
        if message.picture:
            return calls(address, message, image, self._say)
        if self._made is None or self._made[0] is not message:
            self._made = message, calls("", message, None, self._say)
        return [(method, arguments | {"chat_id": address}) for method, arguments in self._made[1]]

    def _remember(self, key: str, done: list[str], *, last: bool) -> None:
        """Keep what a delivery has reached, until it is complete."""
        if last:
            self._begun.pop(key, None)
            return
        self._begun[key] = done
        if len(self._begun) > BEGUN_MAX:
            self._begun.popitem(last=False)


def _stored(picture: Picture | None) -> int:
    """The number of a stored picture; 0 for any other."""
    return int(picture.data["id"]) if picture is not None and picture.kind == "stored" else 0


async def drawn(draw: Draw, picture: Picture) -> bytes | None:
    """The picture's bytes; None when it cannot be drawn. Whatever breaks there, the words must arrive."""
    (image,) = await asyncio.gather(draw(picture), return_exceptions=True)
    if isinstance(image, BaseException):
        LOG.warning("a picture could not be drawn: %s", type(image).__name__)
        return None
    return image


async def deliver(api: Api, call: Call) -> Any:
    """The result of one call, with the patience that an upload needs. Raises CallError."""
    method, arguments = call
    return await api.call(method, arguments, UPLOAD_S if method == "sendPhoto" else None)


def message_id(result: object) -> str:
    """The id in Telegram's answer, empty when it has none."""
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""


def send_error(error: CallError) -> SendError:
    """The verdict for the outbox. Only a refusal listed by name makes an address unreachable."""
    if error.refused:
        words = error.description.lower()
        for part, reason in UNREACHABLE.items():
            if part in words:
                return SendError("permanent", reason, disables=True)
        for part, reason in UNFIT.items():
            if part in words:
                return SendError("permanent", reason)
        if any(part in words for part in NO_THREAD):
            return SendError("retry", group_way.NO_THREAD)
        if any(part in words for part in NO_RIGHT):
            return SendError("permanent", "no_right")
        LOG.warning("Telegram refused with words that we do not know: %s", error.description)
    return SendError(error.verdict, error.reason, error.retry_after_s, moved_to=error.moved_to)
