"""One update from its arrival to the reply: commit first, speak afterwards, in order within each chat."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.inbound import Arrival, Me, read
from bot.channels.telegram.lanes import Lanes
from bot.channels.telegram.replies import Replies
from bot.channels.telegram.send import Draw
from bot.channels.telegram.text import cut
from handlers.conversation import Incoming
from notices.channel import Message
from notices.wording import Wording

if TYPE_CHECKING:
    from bot.dispatch import Answer

LOG = logging.getLogger(__name__)

OPEN_MAX = 1000  # replies under way; further updates wait, and the platform keeps them
PUSHED_MAX = 10_000  # replies that are remembered, far more than the platform redelivers
SPINNER_S = 1.0  # how long a reply waits for the answer to the press to be out before it
TOAST_MAX = 200  # of what only the presser sees
REFER_S = 60.0  # a group hears at most once in this time that personal matters are private
GROUPS_MAX = 1000  # groups that are remembered for it


class Answering(Protocol):
    """What of the dispatcher a channel needs."""

    async def answer(self, incoming: Incoming) -> Answer:
        """The stored reply to the message; the same one for every delivery of it."""
        ...

    async def taken(self, answer: Answer) -> None:
        """Note that the platform has taken the reply."""
        ...


class Conversation:
    """Takes updates in. `me` is filled in as soon as Telegram has told who the bot is."""

    def __init__(
        self,
        api: Api,
        dispatcher: Answering,
        *,
        draw: Draw,
        say: Wording,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.me: Me | None = None
        self._api = api
        self._dispatcher = dispatcher
        self._replies = Replies(api, draw=draw, say=say, sleep=sleep)
        self._say = say
        self._now = now
        self._clock = clock
        self._commit_lanes, self._reply_lanes = Lanes(), Lanes()
        self._slots = asyncio.Semaphore(OPEN_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pushed: OrderedDict[str, None] = OrderedDict()  # keys of updates whose reply is or was in hand
        self._referred: dict[str, float] = {}  # group -> when it was last told

    async def take(self, update: object) -> None:
        """Take one update in. Returns when it is committed; its reply goes out on its own afterwards.

        What is not for us is done with at once. Raises what the dispatcher raises: then nothing is committed.
        """
        arrival = read(update, me=self.me, now=self._now())
        if arrival is None:
            return
        incoming = arrival.incoming
        in_group = incoming is not None and incoming.group is not None
        spinner = None
        if arrival.callback_id and not in_group:  # in a group it waits for the words that only the presser sees
            spinner = self._start(self._stop_spinner(arrival.callback_id))
        if incoming is None:
            return
        await self._slots.acquire()
        try:
            async with self._commit_lanes.turn(arrival.address):
                answer = await self._dispatcher.answer(incoming)
                if in_group and arrival.callback_id:
                    spinner = self._start(self._stop_spinner(arrival.callback_id, answer.toast))
                if answer.refers:
                    self._refer(arrival.address, incoming.thread)
                reply = self._start(self._reply(arrival, incoming, answer, spinner))
        except BaseException:
            self._slots.release()
            raise
        reply.add_done_callback(lambda _: self._slots.release())

    async def close(self, patience_s: float) -> None:
        """Let the replies under way go out, then break off: what is not taken stays open for the next start."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience_s)
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until no reply is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _reply(
        self, arrival: Arrival, incoming: Incoming, answer: Answer, spinner: asyncio.Task[None] | None
    ) -> None:
        """Push the reply and note that it was taken; a redelivery's reply only if nobody has pushed it."""
        if answer.taken or incoming.key in self._pushed:
            return
        if self._api.pacer.common and not answer.first:
            return  # the process that was first pushes it; if that one has died, it is open and will be seen to
        # Remembered beyond the end: a redelivery's answer can be older than the note that the first was taken.
        self._pushed[incoming.key] = None
        if len(self._pushed) > PUSHED_MAX:
            self._pushed.popitem(last=False)
        async with self._reply_lanes.turn(arrival.address):
            if spinner:
                await asyncio.wait([spinner], timeout=SPINNER_S)
            # Who has just blocked the bot hears nothing more.
            message = None if incoming.kind == "unfollow" else answer.message
            if message is None or await self._replies.push(arrival.address, message, edits=arrival.edits):
                await self._dispatcher.taken(answer)
            else:
                self._pushed.pop(incoming.key, None)  # the next delivery may try again

    async def _stop_spinner(self, callback_id: str, toast: str = "") -> None:
        """Tell the person's app that the press has arrived; without it the button keeps turning."""
        words = {"text": cut(toast, TOAST_MAX)[0]} if toast else {}
        try:
            await self._api.call("answerCallbackQuery", {"callback_query_id": callback_id} | words)
        except CallError as error:
            LOG.debug("a press was not answered: %s", error)  # too old, or a pause: the reply itself matters

    def _refer(self, group: str, thread: int) -> None:
        """Tell a group, but not again and again, that personal matters are for the private chat."""
        now = self._clock()
        if now - self._referred.get(group, -REFER_S) < REFER_S:
            return
        if len(self._referred) >= GROUPS_MAX:
            self._referred.clear()
        self._referred[group] = now
        self._start(self._push_referral(group, thread))

    async def _push_referral(self, group: str, thread: int) -> None:
        message = Message(self._say("telegram.private_only"), thread=thread)
        await self._replies.push(group, message, edits=None)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Forget a finished task. A broken one is logged by its place: error texts can hold what people wrote."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            place = "".join(traceback.format_tb(error.__traceback__)[-3:])
            LOG.error("a reply broke off with %s and stays open\n%s", type(error).__name__, place)
