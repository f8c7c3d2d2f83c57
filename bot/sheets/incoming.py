"""Department spreadsheets on their way in: fetched, read and judged after their message was committed.

All of that happens beside the writer; the verdict is told as a message of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from bot.errand import Errand
from bot.sheets.read import read
from bot.sheets.refusal import Refusal
from db import sheets
from notices import sheets as notes
from notices.channel import SendError

log = logging.getLogger(__name__)
Fetch = Callable[[str], Awaitable[bytes]]
Run = Callable[[Callable[[Session], Any]], Awaitable[Any]]


class IncomingSheets(Errand):
    """Looks at what has come, at the start and whenever a message brought a file.

    write: runs a work in a transaction; look: runs one that only reads, beside the writer. site: where the web
    pages are, for people.
    """

    def __init__(
        self,
        write: Run,
        look: Run,
        fetchers: Mapping[str, Fetch],
        *,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        site: str = "",
    ) -> None:
        super().__init__("incoming sheets", self.read_open)
        self._write = write
        self._look = look
        self._fetchers = fetchers
        self._clock = clock
        self._zone = zone
        self._site = site

    async def read_open(self) -> int:
        """Look at what is open now; how many files there were."""
        waiting = await self._write(sheets.coming)
        for sheet_id, channel, reference, content in waiting:
            try:
                await self._look_at(sheet_id, channel, reference, content)
            except Exception:
                log.exception("sheet %s could not be looked at", sheet_id)
                await self._refuse(sheet_id, Refusal("broken"))
        return len(waiting)

    async def _look_at(self, sheet_id: int, channel: str, reference: str, content: bytes | None) -> None:
        try:
            content = content if content is not None else await self._fetch(channel, reference)
            found = await asyncio.to_thread(read, content)
        except Refusal as refusal:
            await self._refuse(sheet_id, refusal)
            return
        now, more = self._clock(), {"gbk": found.gbk, "blank": found.blank, "content": content}
        verdicts = await self._look(lambda s: notes.judge(s, sheet_id, found.lines, now, self._zone))

        def keep(session: Session) -> None:
            sheet = notes.planned(session, sheet_id, found.lines, verdicts, **more)
            if sheet is not None:
                notes.tell(session, sheet, verdicts, now, self._site)

        await self._write(keep)

    async def _fetch(self, channel: str, reference: str) -> bytes:
        """The bytes from the platform. Raises Refusal."""
        fetch = self._fetchers.get(channel)
        if fetch is None:
            raise Refusal("fetch")
        try:
            return await fetch(reference)
        except SendError as error:
            log.warning("a sheet could not be fetched: %s", error.reason)
            raise Refusal("large" if error.reason == "too_large" else "fetch", most=5) from None

    async def _refuse(self, sheet_id: int, refusal: Refusal) -> None:
        def keep(session: Session) -> None:
            sheet = notes.unread(session, sheet_id, refusal.why, refusal.values_)
            if sheet is not None:
                notes.tell(session, sheet, (), self._clock(), self._site)

        await self._write(keep)
