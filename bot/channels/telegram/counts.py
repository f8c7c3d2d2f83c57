"""How many have answered a call, shown by changing its message: seldom enough for the group's limit of a minute.

The numbers lie in the database, so it does not matter who pressed where, and a restart shows what is missing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from functools import partial

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.inbound import NAME
from bot.channels.telegram.render import edit
from bot.channels.telegram.send import deliver
from db import group_calls
from db.group_calls import Shown
from notices import group_posts
from notices.tenure import Write
from notices.wording import wording

LOG = logging.getLogger(__name__)

LOOK_S = 2.0
GAP_S = (
    4.0  # between two changes in one group: 15 of the 20 messages of a minute, the rest is for posts and replies
)
MOST = 50  # calls of one look


class CallCounts:
    """Keeps the counts in the groups up to date. write: runs a function in the writer."""

    def __init__(
        self,
        api: Api,
        write: Write,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._write = write
        self._clock = clock
        self._sleep = sleep
        self._changed_at: dict[str, float] = {}  # group -> when its count was last shown

    async def run(self, owning: asyncio.Event) -> None:
        """Look again and again, while this process is the one that sends."""
        while True:
            await owning.wait()
            try:
                await self.show_once()
            except Exception:
                LOG.exception("the counts of calls could not be shown; it is tried again")
            await self._sleep(LOOK_S)

    async def show_once(self) -> int:
        """Show what may be shown now; how many messages were changed."""
        due = await self._write(lambda session: group_calls.to_show(session, MOST))
        now = self._clock()
        self._changed_at = {group: at for group, at in self._changed_at.items() if at > now - GAP_S}
        count = 0
        for one in due:
            if one.channel == NAME and one.address not in self._changed_at and self._may(one.address):
                count += await self._show(one)
        return count

    def _may(self, address: str) -> bool:
        """Whether the account's pace leaves room. Everything else goes before."""
        return not self._api.pacer.waiting and not self._api.pacer.wait_s(address)

    async def _show(self, one: Shown) -> bool:
        say = wording(one.language)
        message = group_posts.call_message(say, one.call_id, one.text, one.answers, is_open=one.is_open)
        call = edit(one.address, int(one.message_id), message)
        common = self._api.pacer.common
        if common and not await common.letter(one.address):
            return False
        self._api.pacer.take(one.address)
        self._changed_at[one.address] = self._clock()
        try:
            if call is not None:
                await deliver(self._api, call)
        except CallError as error:
            if error.moved_to:
                await self._write(
                    partial(group_posts.move, channel=NAME, address=one.address, new_address=error.moved_to)
                )
            if not error.refused:  # it shows this already, or can never be changed again: both end here
                return False
        await self._write(lambda session: group_calls.shown(session, one))
        return call is not None
