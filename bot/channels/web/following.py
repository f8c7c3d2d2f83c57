"""Lines that another process has written: open pages of this one show them a moment later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlmodel import Session

from bot.channels.web.chat import WebChat
from db import web

log = logging.getLogger(__name__)

LOOK_S = 1.0
OVERLAP = 500  # ids: a line may be committed later than some with a higher id


async def follow(chat: WebChat, read: Callable[[Callable[[Session], Any]], Awaitable[Any]]) -> None:
    """Wake the pages whose chats have new lines, for ever. Costs nothing while no page is open."""
    known: set[int] = set()
    since: int | None = None
    while True:
        await asyncio.sleep(LOOK_S)
        watched = chat.watched()
        if not watched:
            since = None
            continue
        try:
            if since is None:
                since, known = await read(web.newest), set()
                for address in watched:  # what came before is looked at once by the page itself
                    chat.wake(address)
            found = await read(partial(web.written_after, line_id=since - OVERLAP, addresses=watched))
        except Exception:
            log.exception("new lines could not be looked for")
            continue
        for line_id, address in found:
            if line_id not in known:
                chat.wake(address)
        known = {line_id for line_id, _ in found}
        since = max([since, *known])
