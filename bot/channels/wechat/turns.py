"""One person's message, WeChat's up to three tries to deliver it, and the one way that its reply takes.

WeChat waits 5 s for an answer, then drops the connection and tries again. So the newest try that still waits
is the one whose answer is heard; when none waits any more, the reply goes as a customer message. A try may come to
another process. Then the one that has taken the message in may be late, and the other one may answer: the
message's row says which of the two was first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bot.channels.wechat.send import WeChatChannel
from db import accounts
from db.failpoints import reach
from handlers.conversation import Incoming
from notices.channel import SendError

if TYPE_CHECKING:
    from bot.dispatch import Answer, Dispatcher

log = logging.getLogger(__name__)

Result = TypeVar("Result")

FORGET_AFTER = timedelta(seconds=60)  # WeChat's last try comes about 10 s after the first
PAUSES_S = (1.0, 5.0)  # before the second and the third try to send a late reply
STOP_S = 5.0  # how long stop() waits for replies under way


class NotTaken(Exception):
    """The message could not be committed; WeChat has to bring it again."""


@dataclass(eq=False)
class Turn:
    """One message. Its way is decided once; a redelivery after `passive` is told the same, as nobody heard it."""

    answer: asyncio.Task[Answer]
    address: str
    opened_at: datetime
    tries: int = 0
    waiting: set[int] = field(default_factory=set)  # the tries that are open, by their number
    way: Literal["", "passive", "customer", "none"] = ""
    followed: bool = False  # what did not fit the passive reply is on its way

    def text(self, channel: WeChatChannel) -> str:
        """What the passive reply says; empty when nothing can be said there."""
        message = self.answer.result().message
        texts = channel.texts(message) if message else []
        return texts[0] if texts else ""


class Turns:
    """Every message that came in during the last minute, by its key.

    budget_s: how long a try waits for the reply before WeChat is told `success` instead.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        channel: WeChatChannel,
        clock: Callable[[], datetime],
        *,
        budget_s: float,
        pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._dispatcher = dispatcher
        self._channel = channel
        self._clock = clock
        self._budget_s = budget_s
        self._pause = pause
        self._turns: dict[str, Turn] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def reply(
        self, incoming: Incoming, *, spent_s: float, gone: Callable[[], Awaitable[bool]]
    ) -> Turn | None:
        """The turn whose reply this try has to carry, or None when it has only to say `success`.

        spent_s: how much of the budget is used up. gone: whether WeChat has dropped this try.
        Raises NotTaken when the message is not committed.
        """
        turn = self._turn(incoming)
        turn.tries += 1
        number = turn.tries
        turn.waiting.add(number)
        try:
            await asyncio.wait({turn.answer}, timeout=max(0.0, self._budget_s - spent_s))
            if not turn.answer.done():
                return None
            if turn.answer.cancelled() or turn.answer.exception() is not None:
                raise NotTaken
            if await gone() or number != max(turn.waiting) or turn.way not in ("", "passive"):
                return None
            if not turn.text(self._channel):
                return None
            answer = turn.answer.result()
            if not answer.first and not await self._dispatcher.agree(answer, "passive"):
                turn.way = "none"  # the process that was first was late, and speaks
                return None
            turn.way = "passive"
            return turn
        finally:
            turn.waiting.discard(number)
            self._settle(turn)

    async def answered(self, turn: Turn) -> None:
        """The passive reply has gone out: send what did not fit into it, once."""
        reach("inbox.after_200")
        if not turn.followed:
            turn.followed = True
            self._spawn(self._follow(turn))

    async def idle(self) -> None:
        """Return when nothing is under way."""
        while busy := [task for task in self._tasks if not task.done()]:
            await asyncio.wait(busy)

    async def stop(self) -> None:
        """Give the replies under way some seconds, then drop them; dispatch still holds them as open."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_S)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _turn(self, incoming: Incoming) -> Turn:
        """The turn of this message, begun if this is its first try."""
        now = self._clock()
        over: list[str] = []
        for key, turn in self._turns.items():  # in the order of their coming: a copy would grow with the load
            if now - turn.opened_at < FORGET_AFTER:
                break
            if turn.answer.done():
                over.append(key)
        for key in over:
            del self._turns[key]
        known = self._turns.get(incoming.key)
        if known is not None and not _failed(known.answer):
            return known
        new = Turn(self._spawn(self._dispatcher.answer(incoming)), incoming.address, now)
        new.answer.add_done_callback(lambda _: self._settle(new))
        self._turns[incoming.key] = new
        return new

    def _settle(self, turn: Turn) -> None:
        """Decide the way of a reply that is there while no try waits for it."""
        if not turn.answer.done() or turn.waiting or turn.way or _failed(turn.answer):
            return
        answer = turn.answer.result()
        if answer.message is None or not answer.first:  # another process was first: it speaks, or left it open
            turn.way = "none"
            if answer.message is None:
                self._spawn(self._dispatcher.taken(answer))
        else:
            turn.way = "customer"
            self._spawn(self._say_late(turn))

    async def _say_late(self, turn: Turn) -> None:
        """The whole reply as a customer message."""
        answer = turn.answer.result()
        if not await self._dispatcher.agree(answer, "customer"):
            return  # another process has answered a later try
        assert answer.message is not None, "only a reply can be late"
        message, key = answer.message, f"reply:{answer.inbound_id}"
        cost = self._channel.cost(message)
        if await self._sent(turn.address, cost, lambda: self._channel.send(turn.address, message, key=key)):
            await self._dispatcher.taken(answer)

    async def _follow(self, turn: Turn) -> None:
        """What the passive reply could not hold: the rest of the words, then the picture."""
        answer = turn.answer.result()
        assert answer.message is not None, "only a reply can be followed"
        rest, picture = self._channel.texts(answer.message)[1:], answer.message.picture
        if rest:
            await self._sent(turn.address, len(rest), lambda: self._channel.send_texts(turn.address, rest))
        if picture:
            await self._sent(turn.address, 1, lambda: self._channel.send_picture(turn.address, picture))
        # Only now: a process that dies before it is through leaves the reply open, and the next one says it again.
        await self._dispatcher.taken(answer)

    async def _sent(self, address: str, cost: int, send: Callable[[], Awaitable[Any]]) -> bool:
        """Whether there is nothing left to do: it was sent, or may have been, or never can be.

        cost: how many messages it takes from the person's sending window.
        """
        for pause_s in (*PAUSES_S, None):
            try:
                await send()
                await self._count(address, cost)
                return True
            except SendError as error:
                log.warning("a reply did not go out as a customer message: %s", error)
                if error.verdict == "ambiguous":
                    await self._count(address, cost)
                if error.verdict != "retry":
                    return True
            if pause_s is not None:
                await self._pause(pause_s)
        return False

    async def _count(self, address: str, cost: int) -> None:
        """The planner must not promise what the replies have used up."""
        await self._dispatcher.write(
            lambda session: accounts.count_sent(session, self._channel.name, address, cost)
        )

    def _spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if _failed(task) and not task.cancelled():
            # Only its kind: the text of a stranger's exception may hold anything.
            log.error("work on a WeChat message failed: %s", type(task.exception()).__name__)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
