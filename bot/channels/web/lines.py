"""One line of a web chat: how it is kept and how it comes back."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from bot.dispatch import Answer
from db import accounts, inbound, pictures, web
from db.accounts import Speaker
from handlers.conversation import Incoming, Kind
from handlers.meaning import looks_like_code
from notices.channel import Message, Picture, message_from_json
from notices.wording import Wording, wording

NAME = "web"
OWN_TEXT_MAX = 10_000  # characters of what somebody typed that stay in the chat: twice the longest letter

_DIGIT = re.compile(r"\d")
_CODE_WORDS = ("绑定", "/bind", "/start", "bind")


@dataclass(frozen=True, slots=True)
class Line:
    """One message as a page shows it. speaker: one of `db.web.SPEAKERS`; at: aware UTC."""

    id: int
    speaker: str
    message: Message
    picture_url: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """What a person did in a web chat. key: the client's own, the same for every try.

    image: the bytes of a picture. file: those of a table, and file_name what it is called.
    label: what the person's own line shows, where that is not `text`.
    """

    key: str
    kind: Kind = "text"
    text: str = ""
    point: tuple[float, float] | None = None
    image: bytes | None = None
    file: bytes | None = None
    file_name: str = ""
    label: str | None = None


def speaker(session: Session, address: str, day: date) -> Speaker:
    """Who speaks in this chat on `day`; a stranger in one that was never used."""
    return accounts.speaker(session, NAME, address, day)


def holder(session: Session, address: str) -> int | None:
    """The member whose chat this is now."""
    chat = accounts.chat_at(session, NAME, address)
    return chat.member_id if chat else None


def note(session: Session, incoming: Incoming, said: Said, answer: Answer, now: datetime) -> None:
    """Write the person's line and the reply's. A repetition finds them there and changes nothing."""
    chat = accounts.chat_at(session, NAME, incoming.address)
    member_id = chat.member_id if chat else None
    lines = [("person", _own_line(session, incoming, said, answer, chat.language if chat else "zh"))]
    if answer.message is not None:
        lines.append(("service", answer.message))
    for said_by, message in lines:
        if message is not None:
            web.add(
                session,
                address=incoming.address,
                key=said.key,
                speaker=said_by,
                member_id=member_id,
                message=message.to_json(),
                at=incoming.sent_at,
                picture_token=token(),
            )
    if answer.inbound_id is not None and not answer.taken:
        inbound.taken(session, answer.inbound_id, now)  # stored lines are drawn again; nobody need push them


def _own_line(session: Session, incoming: Incoming, said: Said, answer: Answer, language: str) -> Message | None:
    """What the person's own bubble shows; None for an opening that the page itself made."""
    words = wording(language)
    if answer.message is not None and answer.message.hides:
        return Message(words("web.not_kept"))
    if said.image is not None and incoming.picture:
        row = pictures.receive(session, NAME, incoming.picture, answer.member_id, incoming.sent_at)
        return Message(said.text, picture=Picture("stored", {"id": row}, words("web.my_picture")))
    if said.label is not None:
        return Message(said.label) if said.label else None
    return Message(_without_code(said.text[:OWN_TEXT_MAX]) if said.kind == "text" else _named(words, said.kind))


def _named(words: Wording, kind: Kind) -> str:
    return words(f"web.did_{kind}") if words.has(f"web.did_{kind}") else words("web.did_other")


def _without_code(text: str) -> str:
    """`text` with the digits of a bind code hidden: of codes, only hashes are kept."""
    start = text.strip().lower()
    return _DIGIT.sub("•", text) if looks_like_code(text) or start.startswith(_CODE_WORDS) else text


def line_of(row: web.WebLine) -> Line:
    """A stored line as a page shows it."""
    assert row.id is not None, "a stored line"
    url = f"/web/picture/{row.picture_token}" if row.picture_token else None
    return Line(row.id, row.speaker, message_from_json(row.message), url, row.at)


def token() -> str:
    """A picture's part of an address: nobody can guess it."""
    return secrets.token_urlsafe(16)
