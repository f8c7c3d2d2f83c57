"""What the service has to say is written here first, in the transaction of what caused it; sending comes later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressing, audiences, deliveries, letter_counts, letters, receipts
from db.letters import Letter
from notices.answer_terms import plan_deadline
from notices.channel import Message
from notices.letters import KEPT_FOR, chase_key, key_of

CITY = ZoneInfo("Asia/Shanghai")


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
    not_to: tuple[str, str] | None = None,
) -> bool:
    """Note that the member is to be told `message`, on a way that reaches them. False when `key` was told before.

    key says what it is about ("wish:12:claimed"): the same key never reaches the same member twice. It is held
    in the member's quiet hours unless `urgent` (a presence prompt); after `expires_at` it is not told any more.
    No names in it: nobody knows yet over which channel it goes. not_to: (channel, address) of the chat that it
    is about and must not go to.
    """
    content = message.to_json()
    if not_to is not None:
        content["not_to"] = list(not_to)
    return deliveries.enqueue(
        session,
        key=key,
        member_id=member_id,
        content=content,
        lane=lane,
        urgent=urgent,
        not_before=now,
        expires_at=expires_at,
    )


def meant_for(content: Mapping[str, Any] | None, channel: str, address: str) -> bool:
    """Whether a stored delivery may go to this chat."""
    return (content or {}).get("not_to") != [channel, address]


def queue_letter(session: Session, letter: Letter, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Write one row for every recipient that the letter's audience has now, and start sending; how many rows.

    `letter.recipients` and `letter.unbound` say afterwards how many people it goes to, and how many have no chat.
    A large letter (`letter_counts.DIRECT_MAX`) has no rows yet: the sender writes them part by part, and both
    figures grow with them (`notices.addressing`).
    Idempotent: a second call adds only people who were not in the audience before. Right for letters of the
    service (author None) and for those that their author has confirmed: this function asks nobody.
    """
    if letter.id is None:
        session.add(letter)
        session.flush()
    assert letter.id is not None
    day = now.astimezone(zone).date()
    whom = audiences.audience(letter.audience)
    letter.state, letter.sent_at = "sending", letter.sent_at or now
    letter.content_hash = letters.fingerprint(letter)
    letter.expires_at = letter.expires_at or now + KEPT_FOR
    session.add(letter)
    session.flush()
    plan_deadline(session, letter, zone)
    if audiences.is_wide(session, whom) or audiences.more_than(session, whom, day, letter_counts.DIRECT_MAX):
        letter.unbound = 0
        letter_counts.begin_anew(session, letter.id, now)
        addressing.begin(session, letter.id, key=key_of(letter), what="letter", now=now)
        return 0
    recipients = audiences.members_in(session, whom, day)
    added = deliveries.enqueue_for_all(
        session,
        audiences.with_chat(recipients),
        key=key_of(letter),
        letter_id=letter.id,
        lane=letter.lane,
        urgent=letter.urgent,
        not_before=now,
        expires_at=letter.expires_at,
    )
    letter.recipients += added
    letter.unbound = audiences.count(session, whom, day) - letter.recipients
    session.add(letter)
    session.flush()
    letter_counts.begin(session, letter, audiences.by_branch(recipients))
    return added


def chase(session: Session, letter: Letter, now: datetime, zone: ZoneInfo = CITY) -> int | None:
    """Remind those who got the letter and have not read it, once a day; how many. None: done today already.

    Of a large letter it is as many as were counted last, and their rows follow part by part.
    """
    assert letter.id is not None
    key = chase_key(letter, now.astimezone(zone).date().isoformat())
    if receipts.was_chased(session, key) or addressing.is_open(session, key):
        return None
    if letter.recipients > letter_counts.DIRECT_MAX:
        if unread := receipts.tally(session, letter.id).unread:
            addressing.begin(session, letter.id, key=key, what="chase", now=now)
        return unread
    return deliveries.enqueue_for_all(
        session,
        receipts.unread(session, letter.id).order_by(None),
        key=key,
        letter_id=letter.id,
        lane=letter.lane,
        urgent=False,
        not_before=now,
        expires_at=letter.answer_until if letter.answer_until and letter.answer_until > now else None,
    )
