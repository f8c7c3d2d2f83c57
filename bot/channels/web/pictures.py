"""`GET /web/picture/TOKEN`: the picture of one line, drawn when it is looked at."""

from __future__ import annotations

import logging
import re

from fastapi import APIRouter
from fastapi.responses import Response

from bot.channels.web.chat import WebChat
from bot.drawing import DrawingError
from bot.incoming_pictures import media_type

log = logging.getLogger(__name__)
KEPT_S = 7 * 24 * 3600  # a browser need not ask again: the picture of a line never changes

_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def router(chat: WebChat) -> APIRouter:
    """The address of every picture in the web chat. Whoever holds the token may look: nobody can guess one."""
    routes = APIRouter()

    @routes.get("/web/picture/{token}")
    async def picture(token: str) -> Response:
        """The picture's bytes."""
        if not _TOKEN.fullmatch(token):
            return Response(status_code=404)
        try:
            content = await chat.picture(token)
        except LookupError:
            return Response(status_code=404)
        except DrawingError as error:
            log.warning("a picture of the web chat could not be drawn: %s", error)
            return Response(status_code=503)
        kind = media_type(content)
        if kind is None:
            return Response(status_code=404)
        headers = {"Cache-Control": f"private, max-age={KEPT_S}, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(content, media_type=kind, headers=headers)

    return routes
