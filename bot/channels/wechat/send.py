"""The WeChat channel: customer messages, mass letters and pictures, in the form that the outbox knows.

The API answers HTTP 200 to refusals too; the verdict is `errcode` in the body. Requests are plain JSON of
our own: wechatpy's builders bring a blocking client along and lack what mass sending needs.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from bot.channels.wechat.api import Api
from bot.channels.wechat.inbound import CHANNEL
from bot.channels.wechat.reply import TEXT_MAX, clean, parts, words
from notices.channel import MassState, Message, Picture, SendError

log = logging.getLogger(__name__)

CUSTOM_SEND = "/cgi-bin/message/custom/send"
MASS_SEND = "/cgi-bin/message/mass/send"
MASS_GET = "/cgi-bin/message/mass/get"
MEDIA_UPLOAD = "/cgi-bin/media/upload"
MEDIA_GET = "/cgi-bin/media/get"

MASS_MIN, MASS_MAX = 2, 10_000  # openids in one mass letter
MASS_STATES: dict[str, MassState] = {
    "SEND_SUCCESS": "sent",
    "SENDING": "sending",
    "SEND_FAIL": "failed",
    "DELETE": "failed",
}
CLIENT_ID_MAX = 64  # bytes of clientmsgid
MEDIA_KEPT = timedelta(hours=60)  # WeChat keeps an upload for three days
MEDIA_KEPT_MAX = 1000  # pictures remembered at a time

Draw = Callable[[Picture], Awaitable[bytes]]


class WeChatChannel:
    """Fulfils `notices.channel.Channel`. An address is an openid.

    draw: the picture as PNG. location_hint: says in words what other channels have a button for.
    """

    name = CHANNEL

    def __init__(self, api: Api, draw: Draw, clock: Callable[[], datetime], *, location_hint: str = "") -> None:
        self._api = api
        self._draw = draw
        self._clock = clock
        self._location_hint = location_hint
        self._media: dict[str, tuple[str, datetime]] = {}  # SHA-256 of a picture -> its media_id, forgotten at

    def texts(self, message: Message) -> list[str]:
        """The words and next steps of `message` in pieces that fit; empty when it has only a picture."""
        return [piece for piece in parts(words(message, self._location_hint)) if piece]

    def parts(self, text: str) -> Sequence[str]:
        """`text` cut to 2048 bytes, at sentence ends."""
        return parts(text)

    def cost(self, message: Message) -> int:
        """How many customer messages `message` takes from the person's quota."""
        return len(self.texts(message)) + (message.picture is not None)

    async def send(self, address: str, message: Message, *, key: str) -> str:
        """Deliver `message` as customer messages; returns an empty id, WeChat gives none.

        The picture is uploaded before the first word goes out, so that a failure there leaves nothing half sent.
        Customer messages have no key of their own: `key` is not used. Raises SendError.
        """
        media_id = await self._uploaded(message.picture) if message.picture else None
        texts = self.texts(message)
        if message.picture and media_id is None:
            texts += parts(message.picture.alt)
        await self.send_texts(address, texts)
        if media_id is not None:
            await self._send_picture_after(texts, address, media_id)
        return ""

    async def send_texts(self, address: str, texts: Sequence[str]) -> None:
        """Deliver `texts` in order. Raises SendError; `ambiguous` when a later one failed after an earlier one."""
        for place, text in enumerate(texts):
            try:
                payload = {"touser": address, "msgtype": "text", "text": {"content": clean(text)}}
                await self._api.send(CUSTOM_SEND, payload)
            except SendError as error:
                if place == 0:
                    raise
                raise SendError("ambiguous", f"partly_sent:{error.reason}", disables=error.disables) from None

    async def send_picture(self, address: str, picture: Picture) -> None:
        """Deliver a picture on its own, or its words when WeChat does not take it. Raises SendError."""
        media_id = await self._uploaded(picture)
        if media_id is None:
            await self.send_texts(address, parts(picture.alt))
        else:
            await self._send_image(address, media_id)

    async def send_mass(self, addresses: Sequence[str], message: Message, *, key: str) -> str:
        """Hand one text to 2..10,000 followers at once; returns WeChat's job id, empty if it names none.

        Accepted only: the outcome comes later as an event, see `job_reports`. `key` goes along as clientmsgid, so
        that WeChat refuses a repetition with the id of the first: a doubtful try may be made again for a day.
        Raises SendError, ValueError for a wrong number of addresses or a text that is too long.
        """
        if not MASS_MIN <= len(set(addresses)) == len(addresses) <= MASS_MAX:
            raise ValueError(f"a mass letter needs {MASS_MIN} to {MASS_MAX} different addresses")
        texts = self.texts(message)
        if len(texts) != 1:
            raise ValueError(f"a mass letter has 1 to {TEXT_MAX} bytes")
        payload = {
            "touser": list(addresses),
            "msgtype": "text",
            "text": {"content": texts[0]},
            "clientmsgid": _client_id(key),
        }
        answer = await self._api.send(MASS_SEND, payload)
        return str(answer.get("msg_id", ""))

    async def mass_state(self, platform_id: str) -> MassState:
        """What WeChat says of a mass letter that it took; it gives no figures. Raises SendError."""
        answer = await self._api.post(MASS_GET, {"msg_id": platform_id})
        return MASS_STATES.get(str(answer.get("msg_status", "")), "unknown")

    async def fetch(self, media_id: str) -> bytes:
        """The picture that a person sent, at most 10 MB. Raises SendError."""
        return await self._api.download(MEDIA_GET, media_id)

    async def _send_picture_after(self, texts: Sequence[str], address: str, media_id: str) -> None:
        """Words that have arrived say what matters: a picture that then fails is only noted."""
        try:
            await self._send_image(address, media_id)
        except SendError as error:
            if not texts:
                raise
            log.warning("a picture did not follow its words: %s", error)

    async def _send_image(self, address: str, media_id: str) -> None:
        payload = {"touser": address, "msgtype": "image", "image": {"media_id": media_id}}
        try:
            await self._api.send(CUSTOM_SEND, payload)
        except SendError as error:
            if error.reason == "media_refused":  # upload it anew next time
                self._media = {digest: kept for digest, kept in self._media.items() if kept[0] != media_id}
            raise

    async def _uploaded(self, picture: Picture) -> str | None:
        """The media_id of the picture; None when it cannot be drawn or is refused. Raises SendError("retry")."""
        (content,) = await asyncio.gather(self._draw(picture), return_exceptions=True)
        if not isinstance(content, bytes):  # whatever broke there, the words must arrive
            log.warning("a picture could not be drawn: %s", type(content).__name__)
            return None
        digest, now = hashlib.sha256(content).hexdigest(), self._clock()
        media_id, forgotten_at = self._media.get(digest, ("", now))
        if now < forgotten_at:
            return media_id
        try:
            answer = await self._api.upload(MEDIA_UPLOAD, "image", content)
        except SendError as error:
            if error.verdict == "permanent":
                return None
            raise SendError("retry", error.reason, error.retry_after_s) from None  # a second upload harms nobody
        media_id = str(answer.get("media_id") or "")
        if not media_id:
            raise SendError("retry", "nonsense")
        while len(self._media) >= MEDIA_KEPT_MAX:
            self._media.pop(next(iter(self._media)))
        self._media[digest] = (media_id, now + MEDIA_KEPT)
        return media_id


def _client_id(key: str) -> str:
    """`key` as it fits a clientmsgid; always the same for the same key."""
    short = key.isascii() and key.isprintable() and 0 < len(key) <= CLIENT_ID_MAX
    return key if short else hashlib.sha256(key.encode()).hexdigest()
