"""Where a message has left the process and its answer has not come: the place of which nobody can know the end."""

from __future__ import annotations

import asyncio

import aiohttp

from db.failpoints import is_named, reach

AFTER_WRITE = "send.after_write"


def written(request: aiohttp.ClientRequest) -> None:
    """A request has been given to its connection. A test may let the process die here when it sends a message.

    Both platforms have methods whose names tell: `sendMessage`, `custom/send`, `subscribe/bizsend`.
    """
    if is_named(AFTER_WRITE) and "send" in request.url.name:
        # An event loop may hold back what was written until its present round is over.
        asyncio.get_running_loop().call_soon(reach, AFTER_WRITE)
