"""The mailbox: what no channel could carry waits here and is handed over with the next reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressees, deliveries
from db.accounts import Speaker
from db.deliveries import MAILBOX, MAILBOX_LANE, Delivery
from notices.channel import Message, message_from_json
from notices.letter_stops import stop_without_right
from notices.letter_words import Reader
from notices.letters import act, row_message, without_numbers
from notices.markup import Marked, joined
from notices.outbox import CITY, meant_for
from notices.planner import refusal
from notices.wording import wording

SEPARATOR = "\n——\n"


def handed_over(session: Session, who: Speaker, message: Message, now: datetime, zone: ZoneInfo = CITY) -> Message:
    """`message` with the oldest waiting letter behind it; the letter counts as sent with this reply, and as read.

    One at a time, so that nobody gets a wall of text; the next one comes with the next reply. A letter that was
    stopped, or whose topic the member has left meanwhile, is not handed over any more.
    """
    assert who.member_id is not None
    while (waiting := deliveries.oldest_in_mailbox(session, who.member_id, now)) is not None:
        if not meant_for(waiting.content, who.channel, who.address):
            return message
        content = _wanted(session, who, waiting, now, zone)
        if content is None:
            session.expire_all()
            continue
        if not deliveries.hand_over(session, waiting, who.channel, who.address, now):
            return message  # another chat of the same member was faster
        if waiting.letter_id is not None:
            act(session, waiting.letter_id, who.member_id, "read", now)
        _next_part(session, waiting, now)
        both = joined((Marked(message.text, message.marks), Marked(content.text, content.marks)), SEPARATOR)
        return replace(
            message,
            text=both.text,
            marks=both.marks,
            buttons=(*message.buttons, *without_numbers(content).buttons),
            picture=message.picture or content.picture,
        )
    return message


def _wanted(session: Session, who: Speaker, waiting: Delivery, now: datetime, zone: ZoneInfo) -> Message | None:
    """What the delivery says; None when it is not to be handed over any more, and then it has ended."""
    assert who.member_id is not None
    letter, topic = None, None
    if waiting.letter_id is not None:
        letter, topic = addressees.letters(session, [waiting.letter_id])[waiting.letter_id]
        stop_without_right(session, letter, now, zone)
    member = addressees.addressees(session, [who.member_id])[who.member_id]
    today = now.astimezone(zone).date()
    refused = refusal(letter, topic, member, part=waiting.part, today=today)
    if refused is not None:
        deliveries.withhold(session, waiting, state=refused.state, reason=refused.reason, now=now)
        return None
    if waiting.content is not None:
        return message_from_json(waiting.content)
    assert letter is not None
    assert topic is not None
    return row_message(waiting.key, letter, topic, wording(who.language), zone, Reader(who.name, who.branch_name))


def _next_part(session: Session, waiting: Delivery, now: datetime) -> None:
    """The next part of a long text waits for the next reply."""
    following, *then = (waiting.content or {}).get("then", ()) or (None,)
    if following is None:
        return
    deliveries.enqueue(
        session,
        key=waiting.key,
        member_id=waiting.member_id,
        part=waiting.part + 1,
        letter_id=waiting.letter_id,
        content={**following, "then": then} if then else following,
        lane=MAILBOX_LANE,
        urgent=waiting.urgent,
        channel=MAILBOX,
        not_before=now,
        expires_at=waiting.expires_at,
    )
