"""The connection on which processes that send through one account ask each other for a turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from db.engine import turn_engine
from db.senders import Account
from notices.common_pace import CommonPace
from notices.pacing import Pacer

T = TypeVar("T")


class Turns:
    """Opens with the first question. PostgreSQL only."""

    def __init__(self, url: str) -> None:
        self._engine = turn_engine(url)

    def share(self, own: Pacer, account: Account) -> None:
        """From now on ask the other processes, too, before anything goes out through this account."""
        own.common = CommonPace(self.run, account, own)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns. Every statement of it is committed by itself."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Let go of the database."""
        await self._engine.dispose()
