"""Waiting for what happens in another process: looked at again and again, never longer than it can take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE_S = 150.0  # a machine that does much else starts a service in a quarter of a minute, and several at once
LOOK_S = 0.02  # between two looks


async def until(holds: Callable[[], object], what: str, *, look_s: float = LOOK_S) -> None:
    """Wait until something holds. Fails, saying what, when it never does."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 - no event reaches us from another process
                await asyncio.sleep(look_s)
    except TimeoutError:
        raise AssertionError(f"in {PATIENCE_S:.0f} s it did not come to this: {what}") from None
