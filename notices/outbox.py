"""What the service has to say is written here first, in the transaction of what caused it; sending comes later."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from db import deliveries
from notices.channel import Message


def tell(
    session: Session,
    *,
    member_id: int,
    key: str,
    message: Message,
    now: datetime,
    lane: int = 0,
    expires_at: datetime | None = None,
    urgent: bool = False,
) -> bool:
    """Note that the member is to be told `message`, on a way that reaches them. False when `key` was told before.

    key says what it is about ("wish:12:claimed"): the same key never reaches the same member twice. It is held
    in the member's quiet hours unless `urgent` (a presence prompt); after `expires_at` it is not told any more.
    No names in it: nobody knows yet over which channel it goes.
    """
    return deliveries.enqueue(
        session,
        key=key,
        member_id=member_id,
        content=message.to_json(),
        lane=lane,
        urgent=urgent,
        not_before=now,
        expires_at=expires_at,
    )
