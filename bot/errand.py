"""Work that a committed message asks for: done beside the conversation, at the start and whenever one has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


class Errand:
    """Calls `work` until nothing was open. What fails is logged, and tried again when the next message comes."""

    def __init__(self, name: str, work: Callable[[], Awaitable[int]]) -> None:
        self._name = name
        self._work = work
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, with what an earlier run left open."""
        self._wake.set()
        self._task = asyncio.create_task(self._serve())

    async def stop(self) -> None:
        """End; what is still open is done after the next start."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def arrived(self) -> None:
        """A message that asks for this work was committed."""
        self._wake.set()

    async def _serve(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._work():
                    pass
            except Exception:
                log.exception("%s could not be done", self._name)
