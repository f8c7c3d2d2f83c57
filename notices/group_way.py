"""The way of a post into a group: a row of the outbox like every other, but for where it goes.

The row is its secretary's, who answers for it, and its content names the group. So claims, intents, recovery and
pace are the same as for a letter; a table of its own would have needed all of that a second time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import deliveries
from db.groups import GroupChat
from db.sending import Claimed
from notices import quiet
from notices.channel import Channels, Message, message_from_json
from notices.decisions import Decision, End, Hold, Parcel
from notices.parting import cut

GROUP = "group"
"""In a row's content: the id of the group that it goes to."""

NO_THREAD = "no_thread"
"""Why a post did not go out when its topic in the forum is gone or closed: it goes to the general one next."""

TEXT_MAX = 500  # characters of a post: one message on every channel
LANE, URGENT_LANE = 1, 0


def post(
    session: Session,
    group: GroupChat,
    *,
    key: str,
    member_id: int,
    message: Message,
    now: datetime,
    expires_at: datetime,
    urgent: bool = False,
) -> bool:
    """Write a post for the group; False when `key` was written before. member_id: who answers for it.

    It is held in the city's quiet hours unless `urgent`, and dropped when it could not go out by `expires_at`.
    """
    return deliveries.enqueue(
        session,
        key=key,
        member_id=member_id,
        content=message.to_json() | {GROUP: group.id},
        lane=URGENT_LANE if urgent else LANE,
        urgent=urgent,
        not_before=now,
        expires_at=expires_at,
    )


def group_of(content: Mapping[str, Any] | None) -> int | None:
    """The group that a row of the outbox goes to; None for a row that goes to its member."""
    return content.get(GROUP) if content is not None else None


def decide_for_group(
    session: Session,
    row: Claimed,
    group_id: int,
    refused: Collection[tuple[str, str]],
    *,
    channels: Channels,
    now: datetime,
    zone: ZoneInfo,
) -> Decision:
    """What to do with one post at `now`. refused: ways that have said no for good."""
    group = session.get(GroupChat, group_id, populate_existing=True)
    if group is None or group.ended_at is not None:
        return End("cancelled", "group_ended")
    if row.expires_at is not None and row.expires_at <= now:
        return End("expired", "too_late")
    channel = channels.get(group.channel)
    if channel is None:
        return End("failed", "channel_off")
    if (group.channel, group.address) in refused:
        return End("failed", row.reason or "refused")
    night = None if row.urgent else quiet.until(now, zone)
    if night is not None:
        return Hold(night)
    content = _in_thread(group, row)
    name = channel.name
    message = cut(content, channel, marked=name in channels.marked, worded=name in channels.worded)[0]
    return Parcel(row, group.channel, group.address, message, cost=0)


def _in_thread(group: GroupChat, row: Claimed) -> Message:
    """The post, with the topic of the forum in which it is to be said: its own, else the group's."""
    message = message_from_json(row.content or {})
    if row.reason != NO_THREAD:
        return message if message.thread is not None else replace(message, thread=group.thread)
    if message.thread is None:
        group.thread = None  # the next posts need not try it
    return replace(message, thread=0)
