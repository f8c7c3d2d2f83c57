"""An update of the Bot API as an Incoming. Total: whatever shape arrives, the answer is an Arrival or None.

The parsed JSON is read directly: building the library's objects costs 95 µs per update and refuses
nothing that we need refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from handlers.conversation import Incoming, Kind

NAME = "telegram"
ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]
"""Named in every call: an omitted list means the one of the last call, whoever made it."""

START = re.compile(r"/start(?:@\w+)? ([A-Za-z0-9_-]{1,64})")
COMMAND = re.compile(r"(/\w+)@(\w+)")
CONTENT = (  # what a person sent and we cannot read, against service messages, which nobody sent
    "voice", "sticker", "audio", "video", "video_note", "animation", "document", "contact", "dice", "poll",
    "venue", "story", "game", "checklist", "paid_media",
)  # fmt: skip
PLAIN_COMMAND = re.compile(r"/\w+(?:\s|$)")  # without a bot's name: for whoever of the bots knows it
GROUP_TYPES = ("group", "supergroup")
STATUSES: dict[str, Kind] = {"kicked": "unfollow", "member": "follow"}
GROUP_STATUSES: dict[str, Kind] = {
    **dict.fromkeys(("member", "administrator"), "group_joined"),
    **dict.fromkeys(("left", "kicked"), "group_left"),
    "silent": "group_silent",
}
TABLES = (".xlsx", ".xls", ".csv")
IMAGE_TYPES = ("image/jpeg", "image/png")

Json: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself, as getMe told."""

    id: int
    username: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One update that concerns us.

    address: where the reply goes. incoming: None when a press holds nothing to read. callback_id: the press that
    waits for an answer. edits: the bot's own message that was pressed, None when it cannot be edited.
    """

    address: str
    incoming: Incoming | None = None
    callback_id: str | None = None
    edits: int | None = None


def update_id(update: object) -> int | None:
    """The id of an update, None when it has none."""
    return _whole(_object(update).get("update_id"))


def read(update: object, *, me: Me | None, now: datetime) -> Arrival | None:
    """What an update is for us, None when it is nothing. `now` is the time of what carries no date."""
    body = _object(update)
    number = update_id(body)
    if number is None:
        return None
    if "message" in body:
        return _message(f"u{number}", _object(body["message"]), me, now)
    if "callback_query" in body:
        return _press(f"u{number}", _object(body["callback_query"]), now)
    if "my_chat_member" in body:
        return _membership(f"u{number}", _object(body["my_chat_member"]), now)
    return None


def _message(key: str, message: Json, me: Me | None, now: datetime) -> Arrival | None:
    """A message: in private always for us, in a group only when it is addressed to the bot."""
    chat, sender = _object(message.get("chat")), _object(message.get("from"))
    chat_id = _whole(chat.get("id"))
    if chat_id is None:
        return None
    if chat.get("type") != "private":
        return _in_group(key, chat_id, message, me, now)
    if sender.get("is_bot") is True:
        return None
    address = str(chat_id)
    content = _content(message, me)
    if content is None:
        return None
    kind, text, point, picture = content
    sent_at = _instant(message.get("date"), now)
    file, name = _table(message) if kind == "file" else (None, "")
    return Arrival(address, Incoming(NAME, address, key, sent_at, kind, text, point, picture, file, name))


def _content(message: Json, me: Me | None) -> tuple[Kind, str, tuple[float, float] | None, str | None] | None:
    """Kind, text, place and picture of a private message; None for what nobody sent."""
    text = message.get("text")
    if isinstance(text, str):
        start = START.fullmatch(text)
        if start:
            return "scan", start[1], None, None
        return "text", _without_our_name(text, me), None, None
    caption = message.get("caption")
    words = caption if isinstance(caption, str) else ""
    if picture := _picture(message):
        return "image", words, None, picture
    if "location" in message:
        # Somebody else's place, or a place picked from a list, is no proof of where a person is.
        own = "venue" not in message and not any(name.startswith("forward_") for name in message)
        point = _point(_object(message["location"])) if own else None
        return ("location", "", point, None) if point else ("other", "", None, None)
    if _table(message)[0] is not None:
        return "file", words, None, None
    if any(name in message for name in CONTENT):
        return "other", "", None, None
    return None


def _press(key: str, press: Json, now: datetime) -> Arrival | None:
    """A press on a button. Whoever presses may send any data, so dispatch authorises it like typed words."""
    message = _object(press.get("message"))
    chat = _object(message.get("chat"))
    chat_id, callback_id, data = _whole(chat.get("id")), press.get("id"), press.get("data")
    if chat_id is None or not isinstance(callback_id, str):
        return None
    address = str(chat_id)
    if not isinstance(data, str):
        return Arrival(address, callback_id=callback_id)
    if chat.get("type") != "private":
        person, on = _whole(_object(press.get("from")).get("id")), _whole(message.get("message_id"))
        pressed = Incoming(NAME, str(person or ""), key, now, "button", data, group=address, on=str(on or ""))
        return Arrival(address, pressed, callback_id=callback_id)
    # Date 0 marks a message too old to touch; a photo has no text to edit.
    editable = message.get("date") != 0 and isinstance(message.get("text"), str)
    return Arrival(
        address,
        Incoming(NAME, address, key, now, "button", data),
        callback_id=callback_id,
        edits=_whole(message.get("message_id")) if editable else None,
    )


def _membership(key: str, change: Json, now: datetime) -> Arrival | None:
    """The bot was blocked or unblocked by the person of a private chat, or its place in a group has changed."""
    chat = _object(change.get("chat"))
    chat_id = _whole(chat.get("id"))
    member = _object(change.get("new_chat_member"))
    status = member.get("status")
    in_group = chat.get("type") in GROUP_TYPES
    if chat_id is None or not isinstance(status, str) or not (in_group or chat.get("type") == "private"):
        return None
    if status == "restricted":
        status = "member" if member.get("can_send_messages") is True else "silent"
    kind = (GROUP_STATUSES if in_group else STATUSES).get(status)
    if kind is None:
        return None
    address, at = str(chat_id), _instant(change.get("date"), now)
    group = address if in_group else None
    was = _object(change.get("old_chat_member")).get("status")
    new = "new" if in_group and kind == "group_joined" and was in ("left", "kicked", None) else ""
    return Arrival(address, Incoming(NAME, "" if in_group else address, key, at, kind, new, group=group))


def _in_group(key: str, chat_id: int, message: Json, me: Me | None, now: datetime) -> Arrival | None:
    """What is addressed to the bot, and that a group has moved; all the rest is dropped here, before anything."""
    address, at = str(chat_id), _instant(message.get("date"), now)
    new, old = _whole(message.get("migrate_to_chat_id")), _whole(message.get("migrate_from_chat_id"))
    if new is not None or old is not None:
        before, after = (address, str(new)) if new is not None else (str(old), address)
        return Arrival(after, Incoming(NAME, "", key, at, "group_moved", after, group=before))
    text, sender = message.get("text", message.get("caption")), _object(message.get("from"))
    anonymous = _object(message.get("sender_chat")).get("id") == chat_id  # speaks as the group: a bot by its looks
    if me is None or not isinstance(text, str) or (sender.get("is_bot") is True and not anonymous):
        return None
    replied = _object(message.get("reply_to_message"))
    on = str(replied.get("message_id", "")) if _object(replied.get("from")).get("id") == me.id else ""
    named = re.compile(rf"@{re.escape(me.username)}\b", re.IGNORECASE)
    if not on and not named.search(text) and not PLAIN_COMMAND.match(text):
        return None
    person = "" if anonymous else str(_whole(sender.get("id")) or "")
    words = named.sub("", text).strip()
    thread = _whole(message.get("message_thread_id")) if message.get("is_topic_message") is True else None
    said = Incoming(NAME, person, key, at, "text", words, group=address, on=on, thread=thread or 0)
    return Arrival(address, said)


def _without_our_name(text: str, me: Me | None) -> str:
    """`/checkin@OurBot 4` as `/checkin 4`."""
    command = COMMAND.match(text)
    if command and me and command[2].lower() == me.username.lower():
        return command[1] + text[command.end() :]
    return text


def _picture(message: Json) -> str | None:
    """The file id of the largest size of a photo, or of a picture sent as a file."""
    sizes = message.get("photo")
    if isinstance(sizes, list):
        known = [size for size in map(_object, sizes) if isinstance(size.get("file_id"), str)]
        largest = max(known, key=_area, default=None)
        return str(largest["file_id"]) if largest else None
    document = _object(message.get("document"))
    if document.get("mime_type") in IMAGE_TYPES and isinstance(document.get("file_id"), str):
        return str(document["file_id"])
    return None


def _table(message: Json) -> tuple[str | None, str]:
    """The file id and the name of a table that was sent as a file; None for other files."""
    document = _object(message.get("document"))
    reference, name = document.get("file_id"), document.get("file_name")
    if not isinstance(reference, str) or not isinstance(name, str) or not name.lower().endswith(TABLES):
        return None, ""
    return reference, name


def _area(size: Json) -> int:
    return (_whole(size.get("width")) or 0) * (_whole(size.get("height")) or 0)


def _point(location: Json) -> tuple[float, float] | None:
    """Latitude and longitude, None when they are not on the globe."""
    pair = location.get("latitude"), location.get("longitude")
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in pair):
        return None
    latitude, longitude = float(pair[0] or 0), float(pair[1] or 0)
    if not (math.isfinite(latitude) and abs(latitude) <= 90 and abs(longitude) <= 180):
        return None
    return latitude, longitude


def _instant(seconds: object, now: datetime) -> datetime:
    """A Unix time as aware UTC; `now` when it is none."""
    number = _whole(seconds)
    if number is None or not 0 < number < 2**35:
        return now
    return datetime.fromtimestamp(number, UTC)


def _object(value: object) -> Json:
    """`value` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int | None:
    """`value` when it is a whole number, else None; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
