"""Where a message has left the process and its answer has not come: the place of which nobody can know the end."""

from __future__ import annotations

import asyncio

import aiohttp

from db.failpoints import is_named, reach

AFTER_WRITE = "send.after_write"
FLUSHED_S = 0.01  # an event loop may hold back what was written in its present round


async def written(request: aiohttp.ClientRequest) -> None:
    """A request has been given to its connection. A test may let the process die here when it sends a message.

    Both platforms have methods whose names tell: `sendMessage`, `custom/send`, `subscribe/bizsend`.
    """
    if is_named(AFTER_WRITE) and "send" in request.url.name:
        await asyncio.sleep(FLUSHED_S)
        reach(AFTER_WRITE)
