"""What the stand-in knows of its chats, and the refusals that the real Bot API would give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web


class Refused(Exception):
    """The Bot API says no."""

    def __init__(self, status: int, description: str) -> None:
        self.status = status
        self.description = description


@dataclass(frozen=True)
class Sent:
    """One message of the bot as its reader sees it now. `text` of a photo is its caption.

    buttons: label and data of each inline button. keys: what a reply keyboard would send.
    """

    message_id: int
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()
    asks_location: bool = False
    photo: bytes | None = None
    edits: int = 0

    @property
    def labels(self) -> list[str]:
        """What stands on the inline buttons."""
        return [label for label, _ in self.buttons]


@dataclass
class Chat:
    """One chat. `shown` has every state that its reader has seen, in order: a message, or its edit."""

    id: int
    kind: str = "private"
    blocked: bool = False
    messages: dict[int, Sent] = field(default_factory=dict)
    shown: list[Sent] = field(default_factory=list)

    def show(self, message: Sent) -> None:
        """A message appears or changes."""
        self.messages[message.message_id] = message
        self.shown.append(message)


class Chats:
    """Every chat of the bot, and the methods that write into them."""

    def __init__(self) -> None:
        self.by_id: dict[int, Chat] = {}
        self.rows: list[list[list[str]]] = []  # the inline keyboards as laid out, for tests of the layout
        self.uploaded: dict[str, bytes] = {}  # what Telegram has kept, by its own id
        self._last_id = 0

    def meet(self, chat_id: int, kind: str = "private") -> Chat:
        """The chat, opened by its person if it is new."""
        return self.by_id.setdefault(chat_id, Chat(chat_id, kind))

    def next_id(self) -> int:
        """A new message id."""
        self._last_id += 1
        return self._last_id

    def send_message(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """sendMessage."""
        chat = self._reachable(arguments)
        text = arguments.get("text") or ""
        _measure(text, 4096, "message text is empty", "message is too long")
        return self._new(chat, text, arguments, None)

    def send_photo(self, arguments: dict[str, Any], photo: bytes | None) -> dict[str, Any]:
        """sendPhoto."""
        chat = self._reachable(arguments)
        known = str(arguments.get("photo", ""))
        if known and known not in self.uploaded:
            raise Refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        photo = photo or self.uploaded.get(known)
        if not photo:
            raise Refused(400, "Bad Request: there is no photo in the request")
        known = known or f"upload-{len(self.uploaded)}"
        self.uploaded[known] = photo
        caption = arguments.get("caption") or ""
        _measure(caption or "-", 1024, "", "message caption is too long")
        sent = self._new(chat, caption, arguments, photo)
        return {**sent, "photo": [{"file_id": f"{known}-small"}, {"file_id": known}]}

    def edit_message_text(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """editMessageText."""
        chat = self._reachable(arguments)
        old = chat.messages.get(int(arguments.get("message_id", 0)))
        if old is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if old.photo is not None:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        text = arguments.get("text") or ""
        _measure(text, 4096, "message text is empty", "message is too long")
        buttons, _, _ = self._markup(arguments)
        if (text, buttons) == (old.text, old.buttons):
            raise Refused(400, "Bad Request: message is not modified: specified new message content ...")
        chat.show(replace(old, text=text, buttons=buttons, edits=old.edits + 1))
        return {"message_id": old.message_id}

    def _new(self, chat: Chat, text: str, arguments: dict[str, Any], photo: bytes | None) -> dict[str, Any]:
        buttons, keys, asks = self._markup(arguments)
        message = Sent(self.next_id(), text, buttons, keys, asks, photo)
        chat.show(message)
        return {"message_id": message.message_id, "chat": {"id": chat.id, "type": chat.kind}, "date": 1}

    def _reachable(self, arguments: dict[str, Any]) -> Chat:
        chat = self.by_id.get(int(arguments.get("chat_id", 0)))
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        if chat.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    def _markup(self, arguments: dict[str, Any]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], bool]:
        markup = arguments.get("reply_markup") or {}
        markup = json.loads(markup) if isinstance(markup, str) else markup
        rows = markup.get("inline_keyboard", [])
        self.rows.append([[key["text"] for key in row] for row in rows])
        buttons = [(key["text"], key["callback_data"]) for row in rows for key in row]
        if any(not 1 <= len(data.encode()) <= 64 for _, data in buttons):
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
        keys = [key for row in markup.get("keyboard", []) for key in row]
        asks = any(key.get("request_location") for key in keys)
        return tuple(buttons), tuple(k["text"] for k in keys if not k.get("request_location")), asks


def _measure(text: str, units_max: int, empty: str, too_long: str) -> None:
    """Lengths in UTF-16 units, as the real server counts."""
    if not text.strip():
        raise Refused(400, f"Bad Request: {empty}")
    if len(text.encode("utf-16-le")) // 2 > units_max:
        raise Refused(400, f"Bad Request: {too_long}")


async def arguments_of(request: web.Request) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What the bot asks for, and the files that it brings."""
    if request.content_type == "application/json":
        return await request.json(), {}
    if not request.content_type.startswith("multipart/"):
        return {}, {}
    arguments: dict[str, Any] = {}
    files: dict[str, bytes] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            files[name] = value.file.read()
        else:
            arguments[name] = value
    return arguments, files
