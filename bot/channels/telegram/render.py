"""A Message as calls of the Bot API. Always plain text, so that nothing a person types can break markup."""

from __future__ import annotations

from typing import Any, TypeAlias
from unicodedata import east_asian_width

from telegram import InputFile

from bot.channels.telegram.text import CAPTION_MAX, TEXT_MAX, clean, cut, units
from notices.channel import Message
from notices.wording import Wording

DATA_BYTES_MAX = 64  # callback_data of a button
ROW_COLUMNS = {1: 10_000, 2: 16, 3: 9}  # buttons in a row -> columns that each can show on a narrow phone

Call: TypeAlias = tuple[str, dict[str, Any]]  # a method and its arguments


def calls(address: str, message: Message, image: bytes | None, say: Wording) -> list[Call]:
    """What to ask of Telegram so that `message` appears, in order; the keyboard hangs on the last call.

    image: the drawn picture; None when there is none, or when it could not be drawn: its `alt` is then said.
    """
    text, markup = _text(message), _markup(message, say)
    if message.picture and image is None:
        text = f"{text}\n{message.picture.alt}".strip()
    made: list[Call] = []
    if image is not None:
        assert message.picture, "an image belongs to a picture"
        caption = text if units(text) <= CAPTION_MAX else cut(clean(message.picture.alt), CAPTION_MAX)[0]
        photo = InputFile(image, filename="picture.png" if image.startswith(b"\x89PNG") else "picture.jpg")
        made.append(("sendPhoto", {"chat_id": address, "photo": photo, "caption": caption}))
    if image is None or units(text) > CAPTION_MAX:
        made += [("sendMessage", _words(address, part)) for part in cut(text, TEXT_MAX)]
    if markup:
        made[-1][1]["reply_markup"] = markup
    return made


def edit(address: str, message_id: int, message: Message) -> Call | None:
    """The call that turns an older message into `message`; None when only a new message can show it."""
    text = _text(message)
    if message.picture or message.ask_location or units(text) > TEXT_MAX:
        return None
    arguments = _words(address, text) | {"message_id": message_id}
    if keyboard := _keyboard(message):
        arguments["reply_markup"] = keyboard
    return "editMessageText", arguments


def _words(address: str, text: str) -> dict[str, Any]:
    return {"chat_id": address, "text": text, "link_preview_options": {"is_disabled": True}}


def _text(message: Message) -> str:
    """The words, and below them the choices that no button can carry; their numbers can be typed."""
    lines = [
        f"{number} {button.label}"
        for number, button in message.numbered()
        if message.ask_location or not _fits(button.action)
    ]
    return clean("\n".join([message.text, *lines]))


def _fits(action: str) -> bool:
    return 0 < len(action.encode("utf-8", "replace")) <= DATA_BYTES_MAX


def _markup(message: Message, say: Wording) -> dict[str, Any] | None:
    """The keyboard below a new message, None without buttons."""
    if not message.ask_location:
        return _keyboard(message)
    # Only a reply keyboard can ask for a place. Its other keys send what is on them, so they show bare
    # numbers, which pick everywhere; what the numbers mean stands in the text.
    rows: list[list[dict[str, Any]]] = [[{"text": say("telegram.send_location"), "request_location": True}]]
    if message.buttons:
        rows.append([{"text": str(number)} for number, _ in message.numbered()])
    return {"keyboard": rows, "one_time_keyboard": True, "resize_keyboard": True}


def _keyboard(message: Message) -> dict[str, Any] | None:
    """The buttons under a message, as many in a row as a narrow phone can show; None without buttons."""
    rows: list[list[dict[str, str]]] = []
    widest = 0  # of the row that is being filled
    for number, button in message.numbered():
        if not _fits(button.action):
            continue
        label = clean(f"{number} {button.label}")
        width = columns(label)
        key = {"text": label, "callback_data": button.action}
        if rows and max(widest, width) <= ROW_COLUMNS.get(len(rows[-1]) + 1, 0):
            rows[-1].append(key)
            widest = max(widest, width)
        else:
            rows.append([key])
            widest = width
    return {"inline_keyboard": rows} if rows else None


def columns(text: str) -> int:
    """How wide `text` is: a Chinese character takes two columns."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
