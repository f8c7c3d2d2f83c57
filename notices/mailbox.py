"""The mailbox: what no channel could carry waits here and is handed over with the next reply."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from db import deliveries
from db.accounts import Speaker
from notices.channel import Message, message_from_json

SEPARATOR = "\n——\n"


def handed_over(session: Session, who: Speaker, message: Message, now: datetime) -> Message:
    """`message` with the oldest waiting letter behind it; the letter counts as sent with this reply.

    One at a time, so that nobody gets a wall of text; the next one comes with the next reply.
    """
    assert who.member_id is not None
    waiting = deliveries.oldest_in_mailbox(session, who.member_id, now)
    if waiting is None or not deliveries.hand_over(session, waiting, who.channel, who.address, now):
        return message
    content = message_from_json(waiting.content or {})
    return replace(
        message,
        text=f"{message.text}{SEPARATOR}{content.text}",
        buttons=(*message.buttons, *(replace(button, number=None) for button in content.buttons)),
        picture=message.picture or content.picture,
    )
