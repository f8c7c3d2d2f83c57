"""A Message as calls of the Bot API. Marks go as entities beside plain text: nothing typed can break it."""

from __future__ import annotations

from typing import Any, TypeAlias
from unicodedata import east_asian_width

from telegram import InputFile

from bot.channels.telegram.text import CAPTION_MAX, TEXT_MAX, clean, cut, units
from notices.channel import Message
from notices.markup import Marked, pieces
from notices.wording import Wording

DATA_BYTES_MAX = 64  # callback_data of a button
ENTITIES_MAX = 100  # of one message; Telegram passes over the rest
ROW_COLUMNS = {1: 10_000, 2: 16, 3: 9}  # buttons in a row -> columns that each can show on a narrow phone

Call: TypeAlias = tuple[str, dict[str, Any]]  # a method and its arguments


def calls(address: str, message: Message, image: bytes | str | None, say: Wording) -> list[Call]:
    """What to ask of Telegram so that `message` appears, in order; the keyboard hangs on the last call.

    image: the drawn picture, or Telegram's id of one that it has; None when there is none, or when it could not be
    drawn: its `alt` is then said.
    """
    text, markup = _text(message), _markup(message, say)
    if message.picture and image is None:
        text = Marked(f"{text.text}\n{clean(message.picture.alt)}".strip(), text.marks)
    made: list[Call] = []
    if image is not None:
        assert message.picture, "an image belongs to a picture"
        fits = 0 < units(text.text) <= CAPTION_MAX
        caption = text if fits else Marked(cut(clean(message.picture.alt), CAPTION_MAX)[0])
        photo = image if isinstance(image, str) else _file(image)
        photo_call = {"chat_id": address, "photo": photo, "caption": caption.text}
        made.append(("sendPhoto", photo_call | _entities(caption, "caption_entities")))
    if image is None or units(text.text) > CAPTION_MAX:
        parts = pieces(text.text, text.marks, cut(text.text, TEXT_MAX))
        made += [("sendMessage", _words(address, part)) for part in parts]
    if markup:
        made[-1][1]["reply_markup"] = markup
    if message.thread:  # the general topic of a forum has none
        made = [(method, arguments | {"message_thread_id": message.thread}) for method, arguments in made]
    return made


def _file(image: bytes) -> InputFile:
    return InputFile(image, filename="picture.png" if image.startswith(b"\x89PNG") else "picture.jpg")


def edit(address: str, message_id: int, message: Message) -> Call | None:
    """The call that turns an older message into `message`; None when only a new message can show it."""
    text = _text(message)
    if message.picture or message.ask_location or units(text.text) > TEXT_MAX:
        return None
    arguments = _words(address, text) | {"message_id": message_id}
    if keyboard := _keyboard(message):
        arguments["reply_markup"] = keyboard
    return "editMessageText", arguments


def _words(address: str, words: Marked) -> dict[str, Any]:
    plain = {"chat_id": address, "text": words.text, "link_preview_options": {"is_disabled": True}}
    return plain | _entities(words, "entities")


def _entities(words: Marked, name: str) -> dict[str, Any]:
    """The marks under this argument's name, counted in Telegram's units; nothing where there are none."""
    found: list[dict[str, Any]] = []
    for mark in words.marks[:ENTITIES_MAX]:
        start, length = units(words.text[: mark.start]), units(words.text[mark.start : mark.end])
        kind = {"type": "text_link", "url": mark.url} if mark.kind == "link" else {"type": mark.kind}
        found.append({**kind, "offset": start, "length": length})
    return {name: found} if found else {}


def _text(message: Message) -> Marked:
    """The words, and below them the choices that no button can carry; their numbers can be typed."""
    lines = [
        f"{number} {button.label}"
        for number, button in message.numbered()
        if message.ask_location or not _fits(button.action)
    ]
    text = "\n".join([message.text, *lines])
    whole = clean(text)
    return Marked(whole, message.marks if whole == text else ())  # mended: nobody knows where the marks are now


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
