"""The own polling loop: Telegram keeps an update until what it did is committed here."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.inbound import ALLOWED_UPDATES, update_id
from bot.channels.telegram.request import READ_S
from db.failpoints import reach

LOG = logging.getLogger(__name__)

BATCH_MAX = 100  # what one getUpdates can return
POLL_S = 50  # how long Telegram holds an empty answer back
BACKOFF_S = (0.5, 30.0)  # first pause after a failure, and the longest
STOP_S = 5.0  # how long the last word to Telegram may take

Take = Callable[[object], Awaitable[None]]


class Poller:
    """Fetches updates until it is stopped. `problem` says why it gave up, None while it works."""

    def __init__(
        self,
        api: Api,
        take: Take,
        *,
        poll_s: int = POLL_S,
        grace_s: float = READ_S,
        backoff_s: tuple[float, float] = BACKOFF_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.problem: str | None = None
        self._api = api
        self._take = take
        self._poll_s = poll_s
        self._patience_s = poll_s + grace_s  # a connection that is silent for longer is dead
        self._backoff_s = backoff_s
        self._clock = clock
        self._offset = 0  # the first update that is not committed yet; 0: whatever Telegram still keeps
        self._heard_at = clock()
        self._stopping = asyncio.Event()
        self._failures = 0

    def silent_s(self) -> float:
        """Seconds since Telegram last answered a poll."""
        return self._clock() - self._heard_at

    async def run(self) -> None:
        """Poll until `stop`, or until another poller turns out to use the same token."""
        while not self._stopping.is_set():
            batch = await self._or_stop(self._fetch())
            if batch is None:
                continue
            if not await self._commit(batch):
                await self._back_off("the database did not take a batch of updates", None)
        await self._confirm()

    def stop(self) -> None:
        """Let `run` end after the batch in hand."""
        self._stopping.set()

    async def _fetch(self) -> list[object] | None:
        """One batch, in Telegram's order; None after a failure, when it has waited already."""
        question = {
            "offset": self._offset,
            "limit": BATCH_MAX,
            "timeout": self._poll_s,
            "allowed_updates": ALLOWED_UPDATES,
        }
        try:
            # The outer limit is the watch-dog: a connection that is half dead can fool the inner ones.
            async with asyncio.timeout(2 * self._patience_s):
                batch = await self._api.call("getUpdates", question, self._patience_s)
        except CallError as error:
            await self._failed(error)
            return None
        except TimeoutError:
            await self._api.polling.renew()
            await self._back_off("getUpdates did not end", None)
            return None
        if not isinstance(batch, list):
            await self._back_off("getUpdates gave no list", None)
            return None
        self._heard_at = self._clock()
        self._failures = 0
        if self._offset:
            reach("inbox.after_200")
        return batch

    async def _failed(self, error: CallError) -> None:
        """Wait as long as the error asks for; a conflict ends the poller."""
        if error.code == 409:
            LOG.error(
                "Telegram: another process polls with the same token, or a webhook is set (409 Conflict). "
                "This poller stops; the other one goes on. Start only one, and restart this one afterwards."
            )
            self.problem = "conflict"
            self._stopping.set()
            return
        if error.verdict == "ambiguous":  # getUpdates has no effect of its own: simply ask again, afresh
            await self._api.polling.renew()
        await self._back_off(str(error), error.retry_after_s)

    async def _back_off(self, why: str, pause_s: float | None) -> None:
        first_s, longest_s = self._backoff_s
        if pause_s is None:
            pause_s = min(longest_s, first_s * 2 ** min(self._failures, 20))
        self._failures += 1
        LOG.warning("Telegram polling: %s; again in %.1f s", why, pause_s)
        try:
            async with asyncio.timeout(pause_s):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _commit(self, batch: list[Any]) -> bool:
        """Take every update in and move the offset over those that are committed; False when one is not.

        An update that could not be committed keeps its place, and everything after it comes again.
        """
        takes = [asyncio.ensure_future(self._take(update)) for update in batch]
        # The outcomes are looked at one by one: an error of one update must not hide the commit of another.
        outcomes = await asyncio.gather(*takes, return_exceptions=True)
        for update, outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                LOG.error("an update could not be committed: %s", type(outcome).__name__)
                return False
            number = update_id(update)
            if number is not None:
                self._offset = number + 1
        return True

    async def _or_stop(self, fetching: Coroutine[Any, Any, list[object] | None]) -> list[object] | None:
        """What `fetching` gives; None when `stop` came first. Nothing is lost then: Telegram keeps the batch."""
        fetch = asyncio.ensure_future(fetching)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({fetch, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            if not fetch.done():
                fetch.cancel()
        try:
            return await fetch
        except asyncio.CancelledError:
            if self._stopping.is_set():
                return None
            raise

    async def _confirm(self) -> None:
        """Tell Telegram what is committed, so that the next start does not get it again."""
        if not self._offset or self.problem:
            return
        try:
            async with asyncio.timeout(STOP_S):
                await self._api.call("getUpdates", {"offset": self._offset, "limit": 1, "timeout": 0}, STOP_S)
        except (CallError, TimeoutError) as error:
            LOG.info("Telegram: the last batch will come again: %s", type(error).__name__)
