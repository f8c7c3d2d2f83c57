"""The outbox's engine with its lease, and what else only the sending process does.

That is to hand over mass letters; with several processes also to poll Telegram, which tolerates one poller, and
to see to what a process that died left undone. A database in a file has one process, which does all of it from its
start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.channels.telegram import Telegram
from bot.common_pace import Turns
from bot.dispatch import choices_of
from bot.heartbeat import Heartbeat
from bot.open_replies import send_open_replies
from db.engine import is_file_url
from notices.channel import Channel, Channels
from notices.delivery import Engine
from notices.lease import SenderLease
from notices.mass import MassSender
from notices.pacing import Pacer
from notices.tenure import Write

log = logging.getLogger(__name__)

REPLY_PATIENCE = timedelta(seconds=30)  # a reply that is open for longer has most likely lost its process
LOOK_AFTER_S = 10.0
FOLLOW_S = 0.5  # between two looks whether this process still sends


class Sender:
    """Sends while it holds the lease. `alone`: no other process uses this database."""

    def __init__(
        self, url: str, write: Write, channels: Channels, clock: Callable[[], datetime], zone: ZoneInfo
    ) -> None:
        self.alone = is_file_url(url)
        self.lease = SenderLease(alone=self.alone)
        self.engine = Engine(
            write=write, channels=channels, clock=clock, zone=zone, choices=choices_of, lease=self.lease
        )
        self.mass = MassSender(self.engine.tenure, channels, clock, zone, choices=choices_of)
        self._write: Callable[[Any], Awaitable[Any]] = write
        self._clock = clock
        self._heart = Heartbeat(url, self.lease)
        self._turns: Turns | None = None if self.alone else Turns(url)
        self._tasks: list[asyncio.Task[None]] = []

    def knows(self, channel: str, account: str, pacer: Pacer | None = None) -> None:
        """This channel is switched on, with this account. pacer: its own; other processes then keep to it, too."""
        self.lease.accounts[channel] = account
        if self._turns is not None and pacer is not None:
            self._turns.share(pacer, (channel, account))

    def start(
        self, *, polls: Telegram | None, replies: Sequence[Channel], errands: Sequence[Callable[[], None]]
    ) -> None:
        """Begin. polls: Telegram, where its updates are fetched. replies: channels that push what they answer.

        errands: called now and then, for what a process that died was about to fetch.
        """
        self._heart.start()
        self._begin(self.engine.run())
        self._begin(self.mass.run())
        if not self.alone:
            self._begin(self._look_after(replies, errands))
            if polls is not None:
                self._begin(self._poll_while_sending(polls))

    async def stop(self) -> None:
        """End: what is under way is finished, then the next process may begin."""
        for task in self._tasks[1:]:
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        if self._tasks:
            await self.engine.stop()
            await self._tasks[0]
            await asyncio.to_thread(self._heart.stop)

    async def close(self) -> None:
        """Let go of the database, when nothing at all is sent any more."""
        if self._turns is not None:
            await self._turns.close()

    def _begin(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.append(task)
        task.add_done_callback(_ended)

    async def _look_after(self, replies: Sequence[Channel], errands: Sequence[Callable[[], None]]) -> None:
        while True:
            await self.engine.tenure.owning.wait()
            for errand in errands:
                errand()
            try:
                now = self._clock()
                for channel in replies:
                    await send_open_replies(self._write, channel, now, before=now - REPLY_PATIENCE)
            except Exception:
                log.exception("open replies could not be seen to")
            await asyncio.sleep(LOOK_AFTER_S)

    async def _poll_while_sending(self, telegram: Telegram) -> None:
        while True:
            await self.engine.tenure.owning.wait()
            await telegram.start()
            while self.engine.tenure.owning.is_set():  # noqa: ASYNC110 - an event says when it begins, not when it ends
                await asyncio.sleep(FOLLOW_S)
            await telegram.halt()


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.critical("the sender ended", exc_info=task.exception())
