"""One process's time as the sender: how it begins, what may be written during it, and how it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Protocol, TypeVar

from sqlmodel import Session

from db import recovering, senders
from db.failpoints import reach
from notices.channel import Channels
from notices.lease import SenderLease

log = logging.getLogger(__name__)
T = TypeVar("T")


class Write(Protocol):
    """Runs a function with a session of the writer and commits it; `Dispatcher.write` is one."""

    def __call__(self, work: Callable[[Session], T], /) -> Awaitable[T]:
        """The function's result."""
        ...


class Overtaken(Exception):
    """Another process sends for these accounts now: nothing of this one's work was written."""


class Tenure:
    """The lease as the engine uses it. `owning` is set while this process sends."""

    def __init__(
        self, write: Write, lease: SenderLease, channels: Channels, clock: Callable[[], datetime]
    ) -> None:
        self.lease = lease
        self.owning = asyncio.Event()
        self._write = write
        self._channels = channels
        self._clock = clock

    def goes_on(self) -> bool:
        """Whether this process sends now; a heart that is late ends it until it has beaten again."""
        self.lease.alive()
        holds = self.lease.holds()
        if holds:
            self.owning.set()
        else:
            self.owning.clear()
        return holds

    async def begin(self) -> dict[str, datetime] | None:
        """Take the accounts over if nobody sends for them, and see to what their former sender left.

        Its open intents are in doubt from now on, what it had only claimed is taken back. Returns until when the
        platforms want silence, by channel; None: somebody else sends.
        """
        now, began = self._clock(), self.lease.now()
        accounts, keyed = self.lease.accounts_of(self._channels.by_name), frozenset(self._channels.keyed)

        def follow(session: Session) -> tuple[dict[str, int], tuple[int, int], dict[str, datetime]]:
            fences = self.lease.contend(session, accounts)
            if not fences:
                return {}, (0, 0), {}
            left = recovering.inherit(session, now, keyed=keyed)
            return fences, left, senders.paused(session, self.lease.owner)

        fences, left, paused = await self._write(follow)
        if not fences:
            return None
        self.lease.taken(fences, began)
        self.owning.set()
        reach("take_over.after_commit")
        if any(left):
            log.warning("outbox: %s deliveries are in doubt, %s came back", *left)
        return paused

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in the writer while the accounts are ours. Raises Overtaken, and then nothing was written."""

        def guarded(session: Session) -> T:
            if not self.lease.ours(session):
                raise Overtaken
            return work(session)

        return await self._write(guarded)

    async def put_straight(self, kept: Collection[int]) -> None:
        """After the database was away: give back what this process holds without knowing it."""
        back = await self.write(lambda session: recovering.put_straight(session, kept))
        if back:
            log.warning("outbox: %s deliveries were not sent when the database went away, and come again", back)

    def lost(self) -> None:
        """Somebody else has taken over."""
        log.warning("outbox: another process sends now")
        self.lease.lost()
        self.owning.clear()

    async def end(self) -> None:
        """Give the accounts back, so that the next process need not wait."""
        self.lease.lost()
        self.owning.clear()
        await self._write(lambda session: senders.release(session, self.lease.owner))
