"""Replies that were committed but that the platform had not taken when the process died: they go out now."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import Session

from db import inbound
from notices.channel import Channel, SendError, message_from_json

log = logging.getLogger(__name__)
OPEN_FOR = timedelta(minutes=5)  # an older reply would only confuse; the person has long asked again


async def send_open_replies(
    write: Callable[[Callable[[Session], Any]], Awaitable[Any]],
    channel: Channel,
    now: datetime,
    *,
    before: datetime | None = None,
) -> int:
    """Send what is still open on a channel that pushes its replies; how many went out.

    before: only replies to what came before this instant, where younger ones may be another process's. All keep to
    the pace that the account's processes have in common.
    """
    common = getattr(getattr(channel, "pacer", None), "common", None)
    waiting = await write(lambda session: inbound.open_replies(session, channel.name, now - OPEN_FOR, before))
    count = 0
    for row in waiting:
        try:
            if common is not None:
                await common.reply(row.address)
            await channel.send(row.address, message_from_json(row.reply), key=f"inbound:{row.id}")
            count += 1
        except SendError as error:
            log.warning("open reply %s did not go out: %s", row.id, error)
            if error.verdict == "retry":
                continue  # still open: the person's next message or the next start brings it
        await write(partial(inbound.taken, inbound_id=row.id, at=now))
    return count
