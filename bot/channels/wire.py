"""The moment at which a message has left and nobody can know its end, and how the answers are read."""

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


async def body_of(response: aiohttp.ClientResponse, bytes_max: int) -> bytes | None:
    """The whole body; None when it is longer than `bytes_max`, and then no more than that is in memory."""
    packed = "Content-Encoding" in response.headers
    if response.content_length is not None and not packed:  # read in one piece, which is cheaper
        return await response.read() if response.content_length <= bytes_max else None
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > bytes_max:
            return None
    return bytes(content)
