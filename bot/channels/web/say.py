"""`POST /web/say`: the whole service as one JSON call, for trials and tests. Only in the demo.

It believes who the caller says they are, so it must never stand beside real members.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from bot.channels.web.chat import KEY_MAX, TEXT_MAX, BadPicture, WebChat
from bot.channels.web.lines import Line, Said
from bot.channels.web.people import NAME_MAX, People, UnknownMember, address_of
from bot.channels.web.plain import has_odd_characters
from handlers.conversation import Kind
from notices.channel import Message

JSON_BYTES_MAX = 2**20
FORM_BYTES_MAX = 6 * 2**20  # a picture of 5 MiB and the fields around it
READ_MAX = 64 * 2**20  # of a request that is refused for its size: then the connection is cut
HEAD_BYTES = 4096  # of such a request that are looked at
WHOSE = re.compile(rb'(?:name="as"\r\n\r\n|"as"\s*:\s*"?)([^\r\n",}]{1,40})')
MEMBER_ID_MAX = 10**11 - 1


class Refused(Exception):
    """The request cannot be taken: an HTTP status, the field and a sentence that says why."""

    def __init__(self, status: int, field: str, why: str) -> None:
        super().__init__(why)
        self.status, self.field, self.why = status, field, why

    def response(self) -> JSONResponse:
        """The refusal as JSON."""
        return JSONResponse({"error": {"field": self.field, "message": self.why}}, self.status)


class TooLarge(Refused):
    """A request of `size_bytes`. head: how it began, which most often says whose it is."""

    def __init__(self, bytes_max: int, size_bytes: int, head: bytes) -> None:
        why = f"the request must not be larger than {bytes_max} bytes, a picture or a file in a form than 5 MiB"
        super().__init__(413, "", why)
        self.size_bytes, self.head = size_bytes, head


def _no_odd(text: str) -> str:
    if has_odd_characters(text):
        raise ValueError("must not hold control characters or broken characters")
    return text


Clean = AfterValidator(_no_odd)
Text = Annotated[str, Field(max_length=TEXT_MAX), Clean]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX), Clean]
MemberId = Annotated[int, Field(ge=1, le=MEMBER_ID_MAX)]


class Asked(BaseModel):
    """What may stand in a request. Exactly one thing is said: text, action, image, file or place."""

    model_config = ConfigDict(strict=True, extra="forbid")

    as_: MemberId | Name = Field(alias="as")
    text: Text | None = None
    key: Annotated[str, Field(min_length=1, max_length=KEY_MAX), Clean] | None = None
    action: Annotated[str, Field(min_length=1, max_length=64), Clean] | None = None
    image: str | None = None
    file: str | None = None
    file_name: Annotated[str, Field(min_length=1, max_length=200), Clean] | None = None
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Asked:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon belong together")
        if sum(thing is not None for thing in (self.action, self.image, self.file, self.lat)) > 1:
            raise ValueError("give one of action, image, file, and lat with lon")
        if (self.file is None) != (self.file_name is None):
            raise ValueError("file and file_name belong together")
        if all(thing is None for thing in (self.text, self.action, self.image, self.file, self.lat)):
            raise ValueError("text is missing")
        return self


def router(chat: WebChat, people: People) -> APIRouter:
    """The endpoint `POST /web/say`. `people`: the sample people by role."""
    routes = APIRouter()

    @routes.post("/web/say")
    async def say(request: Request) -> JSONResponse:
        """Say one thing as one person; the reply, and the letters that came since the last call."""
        try:
            asked, content = await _read(request)
            return JSONResponse(await _said(chat, people, asked, content))
        except TooLarge as refusal:
            await _note(chat, people, refusal)
            return refusal.response()
        except Refused as refusal:
            return refusal.response()

    return routes


async def _note(chat: WebChat, people: People, refusal: TooLarge) -> None:
    """A line in the audit log about the member whom the beginning of the request names."""
    found = WHOSE.search(refusal.head)
    whose = found[1].decode("utf-8", "replace") if found else ""

    def address(session: Session) -> str:
        try:
            return address_of(session, whose, people, chat.now)
        except UnknownMember:
            return "?"

    await chat.note_refused(await chat.write(address), refusal.size_bytes)


async def _said(chat: WebChat, people: People, asked: Asked, content: bytes | None) -> dict[str, Any]:
    """The reply as JSON. Raises Refused."""
    try:
        address = await chat.write(lambda session: address_of(session, asked.as_, people, chat.now))
    except UnknownMember:
        raise Refused(422, "as", "there is no member with this number") from None
    key = asked.key or secrets.token_urlsafe(16)
    said = await _as_said(chat, address, asked, content, key)
    try:
        answer = await chat.say(address, said)
    except BadPicture as error:
        if error.too_large:
            raise Refused(413, "image" if asked.file is None else "file", "is too large") from None
        raise Refused(422, "image", "must be a PNG, JPEG, GIF or WebP picture") from None
    lines = {line.speaker: line for line in await chat.lines_of(address, key)}
    letters = await chat.letters_for(address, key, first=answer.first)
    reply = _shown(answer.message or Message(""), lines.get("service"))
    return {**reply, "pushed": [_shown(line.message, line) for line in letters]}


async def _as_said(chat: WebChat, address: str, asked: Asked, content: bytes | None, key: str) -> Said:
    kind: Kind = "text"
    text, label, point = asked.text or "", None, None
    if asked.action is not None:
        kind, text, label = "button", asked.action, await chat.label(address, asked.action)
    elif asked.file is not None:
        name = asked.file_name or ""
        return Said(key=key, kind="file", text=text, file=content, file_name=name, label=name)
    elif content is not None:
        kind = "image"
    elif asked.lat is not None and asked.lon is not None:
        kind, point = "location", (asked.lat, asked.lon)
    return Said(key=key, kind=kind, text=text, point=point, image=content, label=label)


def _shown(message: Message, line: Line | None) -> dict[str, Any]:
    numbered = zip(message.labels(), message.numbered(), strict=True)
    buttons = [[label, button.action] for label, (_, button) in numbered]
    images = []
    if message.picture and line and line.picture_url:
        images.append({"url": line.picture_url, "alt": message.picture.alt})
    return {"text": message.plain(), "buttons": buttons, "images": images}


async def _read(request: Request) -> tuple[Asked, bytes | None]:
    """The request's fields and its picture or file. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_form(request)
    if kind not in ("application/json", ""):
        raise Refused(415, "content-type", "send application/json or multipart/form-data")
    asked = _checked_json(await _body(request, JSON_BYTES_MAX))
    return asked, _bytes_of(asked)


async def _body(request: Request, bytes_max: int) -> bytes:
    """The body, never more than `bytes_max` of it in memory. Raises Refused."""
    body, stream = bytearray(), request.stream()
    async for part in stream:
        body += part
        if len(body) > bytes_max:
            raise await _drained(stream, bytes_max, bytes(body))
    return bytes(body)


async def _drained(stream: AsyncIterator[bytes], bytes_max: int, body: bytes = b"") -> TooLarge:
    """The refusal, once the rest has been read and forgotten: who sends first and reads then gets the answer."""
    read = len(body)
    async for part in stream:
        read += len(part)
        if len(body) < HEAD_BYTES:
            body += part
        if read > READ_MAX:
            break
    return TooLarge(bytes_max, read, body[:HEAD_BYTES])


def _checked_json(body: bytes) -> Asked:
    try:
        return Asked.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Refused:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    return Refused(422, field, first["msg"].removeprefix("Value error, "))


def _bytes_of(asked: Asked) -> bytes | None:
    """The picture or file that stands in the fields themselves. Raises Refused."""
    field, given = ("file", asked.file) if asked.file is not None else ("image", asked.image)
    if given is None:
        return None
    try:
        return base64.b64decode(given.partition("base64,")[2] or given, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(422, field, "must be base64") from None


async def _from_form(request: Request) -> tuple[Asked, bytes | None]:
    """A form's fields are texts; places become numbers here, everything else is checked as in JSON."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise Refused(411, "content-length", "a form needs its length")
    if int(length) > FORM_BYTES_MAX:
        raise await _drained(request.stream(), FORM_BYTES_MAX)
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=JSON_BYTES_MAX) as form:
            fields: dict[str, Any] = {}
            content: bytes | None = None
            for name, value in form.items():
                if isinstance(value, UploadFile):
                    if name not in ("image", "file"):
                        raise Refused(422, name, "only image and file may be files")
                    content = await value.read()
                    fields[name] = ""
                    if name == "file":
                        fields.setdefault("file_name", value.filename or "?")
                else:
                    fields[name] = _number(name, value) if name in ("lat", "lon") else value
    except HTTPException as error:
        raise Refused(422, "", str(error.detail)) from None
    try:
        asked = Asked.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error) from None
    return asked, content if content is not None else _bytes_of(asked)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise Refused(422, name, "must be a number") from None
