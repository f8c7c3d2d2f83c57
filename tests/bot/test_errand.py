"""Work that a message asks for outlives a round that fails."""

from __future__ import annotations

import asyncio

from bot.errand import Errand


async def test_what_fails_is_tried_again_with_the_next_message(caplog):
    rounds, done = iter((1, OSError("away"), 1, 0)), asyncio.Event()
    failed = asyncio.Event()

    async def work() -> int:
        now = next(rounds)
        if isinstance(now, Exception):
            failed.set()
            raise now
        if now == 0:
            done.set()
        return now

    errand = Errand("pictures", work)
    errand.start()
    await asyncio.wait_for(failed.wait(), 5)
    assert not done.is_set()
    errand.arrived()
    await asyncio.wait_for(done.wait(), 5)
    await errand.stop()
    assert "pictures could not be done" in caplog.text
