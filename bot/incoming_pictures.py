"""Pictures that people sent: their bytes are fetched from the platform after the message was committed."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlmodel import Session

from bot.errand import Errand
from db import pictures
from notices.channel import SendError

log = logging.getLogger(__name__)
Fetch = Callable[[str], Awaitable[bytes]]
Write = Callable[[Callable[[Session], Any]], Awaitable[Any]]

_MAGIC = {
    re.compile(rb"\xff\xd8\xff"): "image/jpeg",
    re.compile(rb"\x89PNG\r\n\x1a\n"): "image/png",
    re.compile(rb"GIF8"): "image/gif",
    re.compile(rb"RIFF....WEBP", re.DOTALL): "image/webp",  # RIFF alone is a sound or a film as well
}


def media_type(content: bytes) -> str | None:
    """What kind of picture the bytes are; None when they are none that we show."""
    return next((kind for magic, kind in _MAGIC.items() if magic.match(content)), None)


class IncomingPictures(Errand):
    """Fetches what is open, at the start and whenever a message brought a picture."""

    def __init__(self, write: Write, fetchers: Mapping[str, Fetch]) -> None:
        super().__init__("incoming pictures", self.fetch_open)
        self._write = write
        self._fetchers = fetchers

    async def fetch_open(self) -> int:
        """Fetch what is open now; how many pictures were tried."""
        waiting = await self._write(pictures.open_ones)
        for picture_id, channel, reference in waiting:
            await self._fetch(picture_id, channel, reference)
        return len(waiting)

    async def _fetch(self, picture_id: int, channel: str, reference: str) -> None:
        fetch = self._fetchers.get(channel)
        if fetch is None:
            await self._write(lambda session: pictures.give_up(session, picture_id, "channel_off"))
            return
        try:
            content = await fetch(reference)
        except SendError as error:
            reason = error.reason
            log.warning("picture %s could not be fetched: %s", picture_id, reason)
            await self._write(lambda session: pictures.give_up(session, picture_id, reason))
            return
        kind = media_type(content)
        if kind is None:
            await self._write(lambda session: pictures.give_up(session, picture_id, "not_a_picture"))
            return
        digest = hashlib.sha256(content).hexdigest()
        await self._write(lambda session: pictures.keep(session, picture_id, kind, content, digest))
