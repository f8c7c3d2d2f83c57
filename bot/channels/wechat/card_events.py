"""What WeChat tells about cards: a person agreed, a person refuses them, a card was shown or not."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session

from bot.channels.wechat.cards import SUBSCRIPTION, TEMPLATE
from bot.channels.wechat.flat_xml import Malformed, entries, fields
from bot.channels.wechat.inbound import CHANNEL
from db import cards, consents
from db.cards import CardReport

POPUP, CHANGE, SENT = "subscribe_msg_popup_event", "subscribe_msg_change_event", "subscribe_msg_sent_event"
LISTS = {
    POPUP: ("SubscribeMsgPopupEvent",),
    CHANGE: ("SubscribeMsgChangeEvent", "SubscribeMsgPopupEvent"),  # the platform's own example has the second
    SENT: ("SubscribeMsgSentEvent",),
}
TEMPLATE_DONE = "templatesendjobfinish"
ENTRIES_MAX = 10  # a pop-up shows at most five templates
REFUSED = ("block", "reject", "refuse")  # in the platform's words for a person who does not want them

_OPENID = re.compile(r"[A-Za-z0-9_@-]{1,64}", re.ASCII)
_TEMPLATE = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Agreed:
    """A person's consent to one card of a template. key: the event's own."""

    address: str
    template: str
    key: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A person wants no card of a template any more."""

    address: str
    template: str


CardEvent = Agreed | Withdrawn | CardReport


def card_events(document: bytes, *, now: datetime) -> list[CardEvent]:
    """What the document says about cards; empty for anything else, and for what is odd. Never raises."""
    try:
        values = fields(document)
        event, address = values.get("Event", "").lower(), values.get("FromUserName", "")
        if values.get("MsgType", "").lower() != "event" or not _OPENID.fullmatch(address):
            return []
        if event == TEMPLATE_DONE:
            number, status = values.get("MsgID", values.get("MsgId", "")), values.get("Status", "")
            report = _report(TEMPLATE, address, number, status, shown=status == "success", now=now)
            return [report] if report else []
        listed = [one for name in LISTS.get(event, ()) for one in entries(document, name, "List")]
    except Malformed:
        return []
    found = (_of_list(event, address, values.get("CreateTime", ""), one, now) for one in listed[:ENTRIES_MAX])
    return [one for one in found if one is not None]


def book(session: Session, events: list[CardEvent], now: datetime) -> None:
    """Write what was told; a second time changes nothing."""
    for one in events:
        if isinstance(one, CardReport):
            cards.book(session, one)
        elif isinstance(one, Withdrawn):
            consents.withdraw(session, CHANNEL, one.address, one.template, now)
        else:
            consents.give(
                session, channel=CHANNEL, address=one.address, template=one.template, key=one.key, at=now
            )


def _of_list(event: str, address: str, instant: str, one: dict[str, str], now: datetime) -> CardEvent | None:
    template, status = one.get("TemplateId", ""), one.get("SubscribeStatusString", "")
    if not _TEMPLATE.fullmatch(template):
        return None
    if event == SENT:
        code, words = one.get("ErrorCode", ""), one.get("ErrorStatus", "")
        return _report(SUBSCRIPTION, address, one.get("MsgID", ""), words, shown=code == "0", now=now)
    if event == CHANGE:
        return Withdrawn(address, template) if status == "reject" else None
    if status != "accept" or not _NUMBER.fullmatch(instant):
        return None
    key = hashlib.sha256(f"{address}|{instant}|{event}|{template}".encode()).hexdigest()
    return Agreed(address, template, key)


def _report(way: str, address: str, number: str, words: str, *, shown: bool, now: datetime) -> CardReport | None:
    """The platform's word on a card; None without its number."""
    if not _NUMBER.fullmatch(number):
        return None
    refused = any(one in words.lower() for one in REFUSED)
    reason = "" if shown else "user_refuses" if refused else "card_failed"
    at = now.astimezone(UTC)
    return CardReport(way=way, platform_id=number, address=address, shown=shown, reason=reason, reported_at=at)
