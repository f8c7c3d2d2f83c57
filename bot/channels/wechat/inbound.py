"""From a decrypted document to an `Incoming`: everything that WeChat may send is checked once, here."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wechatpy.events import (
    EVENT_TYPES,
    ClickEvent,
    LocationEvent,
    ScanEvent,
    SubscribeEvent,
    UnsubscribeEvent,
)
from wechatpy.messages import (
    MESSAGE_TYPES,
    ImageMessage,
    LocationMessage,
    TextMessage,
    UnknownMessage,
    VoiceMessage,
)

from bot.channels.wechat.flat_xml import Malformed, fields
from handlers.conversation import Incoming, Kind

CHANNEL = "wechat"  # stored with every chat; never renamed
SCENE_PREFIX = "qrscene_"  # before the scene when the scan made a new follower
KEY_MAX = 128  # characters; longer keys are hashed
UNSHOWABLE = "【收到不支持的消息类型，暂无法显示】"  # WeChat sends this text in the place of many stickers

_OPENID = re.compile(r"[A-Za-z0-9_@-]{1,64}", re.ASCII)
_MESSAGE_ID = re.compile(r"[0-9]{1,20}", re.ASCII)  # 64 bits
_INSTANT = re.compile(r"[0-9]{1,11}", re.ASCII)
_MEDIA_ID = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)
_BELIEVED_BEHIND = timedelta(days=1)
_BELIEVED_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One thing that a person did, and the account it was sent to (a reply has to name it as its sender)."""

    incoming: Incoming
    account: str


@dataclass(frozen=True, slots=True)
class _Content:
    kind: Kind
    text: str = ""
    point: tuple[float, float] | None = None
    picture: str | None = None


def arrived(document: bytes, *, now: datetime) -> Arrived | None:
    """What the document says, or None when nothing follows from it.

    None: not a document of WeChat's, no usable sender, nothing that a redelivery could be known by, or an event
    that is no act of a person (a link of the menu was opened, a mass sending ended). Never raises.
    """
    try:
        values = fields(document)
    except Malformed:
        return None
    sender, account = values.get("FromUserName", ""), values.get("ToUserName", "")
    key = _key(values, document)
    content = _content(values)
    if key is None or content is None or not _OPENID.fullmatch(sender) or not _OPENID.fullmatch(account):
        return None
    incoming = Incoming(
        channel=CHANNEL,
        address=sender,
        key=key,
        sent_at=_sent_at(values.get("CreateTime", ""), now),
        kind=content.kind,
        text=content.text,
        point=content.point,
        picture=content.picture,
        unasked=content.kind == "location" and values.get("MsgType", "").lower() == "event",
    )
    return Arrived(incoming, account)


def _content(values: Mapping[str, str]) -> _Content | None:
    kind = values.get("MsgType", "").lower()
    if kind == "event":
        return _event(values)
    if not kind:
        return None
    message = MESSAGE_TYPES.get(kind, UnknownMessage)(dict(values))
    if isinstance(message, TextMessage):
        text = message.content or ""
        return _Content("other") if text == UNSHOWABLE else _Content("text", text)
    if isinstance(message, VoiceMessage):
        return _Content("voice", message.recognition or "")
    if isinstance(message, ImageMessage):
        # PicUrl is an address on someone else's host; the picture is fetched by its id from the API.
        media_id = message.media_id or ""
        return _Content("image", picture=media_id) if _MEDIA_ID.fullmatch(media_id) else _Content("other")
    if isinstance(message, LocationMessage):
        return _place(message.location_x or "", message.location_y or "")
    return _Content("other")


def _event(values: Mapping[str, str]) -> _Content | None:
    found = EVENT_TYPES.get(values.get("Event", "").lower(), UnknownMessage)
    event_key = values.get("EventKey", "")
    if found is ClickEvent:
        return _Content("button", event_key) if event_key else None
    if found is ScanEvent:
        return _Content("scan", event_key)
    if found is SubscribeEvent:
        by_code = event_key.startswith(SCENE_PREFIX)
        return _Content("follow", event_key.removeprefix(SCENE_PREFIX) if by_code else "")
    if found is UnsubscribeEvent:
        return _Content("unfollow")
    if found is LocationEvent:
        return _place(values.get("Latitude", ""), values.get("Longitude", ""))
    return None


def _place(latitude: str, longitude: str) -> _Content:
    """The location, or kind other when this is no point on Earth."""
    try:
        point = float(latitude), float(longitude)
    except ValueError:
        return _Content("other")
    if not all(map(math.isfinite, point)) or abs(point[0]) > 90 or abs(point[1]) > 180:
        return _Content("other")
    return _Content("location", point=point)


def _key(values: Mapping[str, str], document: bytes) -> str | None:
    """What every redelivery of this message has in common, or None when it has nothing of the kind.

    WeChat's advice for events, sender and second, is too coarse: two different events may fall into one second.
    """
    message_id = values.get("MsgId", "")
    if _MESSAGE_ID.fullmatch(message_id):
        return message_id
    instant = values.get("CreateTime", "")
    if not _INSTANT.fullmatch(instant):
        return None
    key = f"{values.get('FromUserName', '')}|{instant}|{values.get('Event', '')}|{values.get('EventKey', '')}"
    if values.get("MsgType", "").lower() != "event":  # a message without its id: only its content tells it apart
        key += "|" + hashlib.sha256(document).hexdigest()[:32]
    return key if len(key) <= KEY_MAX else "sha256|" + hashlib.sha256(key.encode()).hexdigest()


def _sent_at(instant: str, now: datetime) -> datetime:
    """CreateTime as an aware instant; `now` when it is missing or nowhere near."""
    if not _INSTANT.fullmatch(instant) or len(instant) > 10:
        return now
    sent_at = datetime.fromtimestamp(int(instant), UTC)
    return sent_at if -_BELIEVED_BEHIND <= sent_at - now <= _BELIEVED_AHEAD else now
