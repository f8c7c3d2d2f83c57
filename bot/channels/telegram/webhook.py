"""POST /telegram: nothing is parsed before the secret is right, nothing is acknowledged before it is committed."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter, Request, Response
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect

from db.failpoints import reach

LOG = logging.getLogger(__name__)

PATH = "/telegram"
BODY_MAX = 1024 * 1024  # bytes; an update is a few kB
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
CONNECTIONS_MAX = 40  # how many updates Telegram brings at the same time

Take = Callable[[object], Awaitable[None]]


def webhook_router(take: Take, *, secret: str) -> APIRouter:
    """The route that Telegram calls.

    403 without a word for a wrong secret; 200 after the commit, and for authentic nonsense, which would
    otherwise come again for a day; 500 when the commit failed, so that Telegram brings the update again.
    """
    assert secret, "a webhook without a secret takes updates from anybody"
    router = APIRouter()

    @router.post(PATH, include_in_schema=False)
    async def telegram_webhook(request: Request) -> Response:
        if not _authentic(request, secret):
            return Response(status_code=403)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            update = orjson.loads(body)
        except orjson.JSONDecodeError:
            LOG.warning("Telegram's webhook: %d bytes that are no JSON", len(body))
            return Response(status_code=200)
        # Gathered, so that the error's text, which can hold what a person wrote, stays out of the server's log.
        (outcome,) = await asyncio.gather(take(update), return_exceptions=True)
        if isinstance(outcome, BaseException):
            LOG.error("an update could not be committed: %s", type(outcome).__name__)
            return Response(status_code=500)
        return Response(status_code=200, background=_TOLD)

    return router


async def _told() -> None:
    reach("inbox.after_200")


_TOLD = BackgroundTask(_told)
"""What is done once the answer has left."""


def _authentic(request: Request, secret: str) -> bool:
    """Does the one secret header hold our secret? Compared in constant time."""
    given = request.headers.getlist(SECRET_HEADER)
    right = hmac.compare_digest("".join(given).encode(), secret.encode())
    return right and len(given) == 1


async def _body(request: Request) -> bytes | None:
    """The body, None when it is larger than any update. A caller that hangs up leaves half of one: no JSON."""
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_MAX:
                return None
    except ClientDisconnect:
        pass
    return bytes(body)
