"""Turns: what belongs to one chat happens in order, what belongs to different chats side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Lanes:
    """One queue per key, kept only while somebody stands in it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._waiting: dict[str, int] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for those who came before with the same `key`, then go."""
        lock = self._locks.setdefault(key, asyncio.Lock())  # an asyncio.Lock is fair: first come, first served
        self._waiting[key] = self._waiting.get(key, 0) + 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]

    def __len__(self) -> int:
        """Keys that somebody stands in."""
        return len(self._locks)
