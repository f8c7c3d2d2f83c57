"""The pace of one bot account that several processes send through: each asks the database before it sends.

Letters take a turn that has come. Replies book the next one that is free, and so go before every letter, whichever
process has them. A "retry after" is written before anything else is done about it, and read right before each
request: what was not on its way by then stays.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from db import common_pace
from db.common_pace import WHOLE, Turn
from db.senders import Account
from notices.pacing import MINUTE_S, Pacer, is_group

log = logging.getLogger(__name__)
T = TypeVar("T")
FORGET_EVERY = 1_000  # turns, between two deletions of what holds nothing back any more


class Run(Protocol):
    """Runs a function with a connection to PostgreSQL on which every statement is committed by itself."""

    def __call__(self, work: Callable[[Connection], T], /) -> Awaitable[T]:
        """The function's result. Raises what the database raises."""
        ...


class CommonPace:
    """What the account's processes know together. It tells `own`, the pacer of this process, what it learns.

    Every method raises `db.engine.OUT_OF_ORDER` while the database is away: then nothing may be sent. now: gives
    None for the database's clock.
    """

    def __init__(
        self,
        run: Run,
        account: Account,
        own: Pacer,
        *,
        now: Callable[[], datetime | None] = lambda: None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._run = run
        self._account = account
        self._own = own
        self._now = now
        self._sleep = sleep
        self._turns = 0

    async def letter(self, address: str) -> bool:
        """Whether a letter, or what else can wait, may go to this chat now; False: `own` knows how long not."""
        await self._forget()
        pace = self._own.pace

        def ask(connection: Connection) -> tuple[str, Turn]:
            turn = self._take(connection, WHOLE, 1 / pace.per_s, slack_s=pace.slack_s)
            if not turn.taken or not self._chat_gap_s(address):
                return "", turn
            # A turn of the account is lost when the chat is not free. That is rare: `own` has let it pass.
            return address, self._take(connection, address, self._chat_gap_s(address))

        bucket, turn = await self._run(ask)
        if not turn.taken:
            self._learn(bucket, turn.paused_s)
            self._own.later(turn.wait_s, bucket)
        return turn.taken

    async def reply(self, address: str) -> bool:
        """Wait until a reply may go to this chat. False: the platform wants silence, which is not waited for."""
        await self._forget()
        pace, gap_s = self._own.pace, self._chat_gap_s(address)

        def ask(connection: Connection) -> tuple[Turn, Turn]:
            whole = self._take(connection, WHOLE, 1 / pace.per_s, slack_s=pace.slack_s, books=True)
            if not whole.taken or not gap_s:
                return whole, whole
            return whole, self._take(connection, address, gap_s, ahead_s=whole.wait_s)

        while True:
            whole, chat = await self._run(ask)
            self._learn(WHOLE, whole.paused_s)
            self._learn(address, chat.paused_s)
            if whole.paused_s or chat.paused_s:
                return False
            await self._sleep(whole.wait_s if chat.taken else chat.wait_s)
            if chat.taken:
                return True

    async def learn(self, address: str) -> None:
        """Tell `own` of every pause that concerns this chat: asked right before a request."""
        account, now = self._account, self._now()
        found = await self._run(lambda connection: common_pace.paused_s(connection, account, address, now))
        for bucket, paused_s in found.items():
            self._learn(bucket, paused_s)

    async def tell(self, pause_s: float, address: str) -> None:
        """The platform wants so many seconds of silence: from the account, or from this group."""
        account, now, bucket = self._account, self._now(), address if is_group(address) else WHOLE
        await self._run(lambda connection: common_pace.pause(connection, account, bucket, pause_s, now))

    def _take(
        self,
        connection: Connection,
        bucket: str,
        gap_s: float,
        *,
        slack_s: float = 0.0,
        ahead_s: float = 0.0,
        books: bool = False,
    ) -> Turn:
        return common_pace.take(
            connection,
            self._account,
            bucket,
            gap_s=gap_s,
            slack_s=slack_s,
            ahead_s=ahead_s,
            books=books,
            now=self._now(),
        )

    def _chat_gap_s(self, address: str) -> float:
        """Seconds between two messages to this chat. A group's are spread evenly over its minute."""
        pace = self._own.pace
        return MINUTE_S / pace.group_per_min if pace.group_per_min and is_group(address) else pace.chat_gap_s

    def _learn(self, bucket: str, paused_s: float) -> None:
        if paused_s:
            self._own.pause(paused_s, bucket)

    async def _forget(self) -> None:
        self._turns += 1
        if self._turns % FORGET_EVERY == 0:
            account, now = self._account, self._now()
            gone = await self._run(lambda connection: common_pace.forget(connection, account, now))
            log.debug("the pace of %s chats was forgotten", gone)
