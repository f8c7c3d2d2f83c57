"""`POST /web/file/TICKET`: a table from an open chat page; for the page's socket it would be too large."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from bot.channels.web.chat import KEY_MAX, TABLE_BYTES_MAX, BadPicture, WebChat
from bot.channels.web.lines import Said
from bot.channels.web.plain import plain

NAME_MAX = 200  # characters of a file's name


def router(chat: WebChat) -> APIRouter:
    """The endpoint. A ticket belongs to one open page: it says whose chat it is, and nobody can guess it."""
    routes = APIRouter()

    @routes.post("/web/file/{ticket}")
    async def upload(ticket: str, request: Request, key: str = "", name: str = "") -> Response:
        """204 once the message is answered; the page then shows the answer."""
        address = chat.address_of_ticket(ticket)
        name, key = plain(name).strip()[:NAME_MAX], plain(key)[:KEY_MAX]
        if address is None or not key or not name:
            return Response(status_code=404)
        content = bytearray()
        async for part in request.stream():
            content += part
            if len(content) > TABLE_BYTES_MAX:
                return Response(status_code=413)
        try:
            await chat.say(address, Said(key=key, kind="file", file=bytes(content), file_name=name, label=name))
        except BadPicture:
            return Response(status_code=413)
        return Response(status_code=204)

    return routes
