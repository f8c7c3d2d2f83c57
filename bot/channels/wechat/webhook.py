"""The address /wechat: the guard at the door, then one turn per message.

Before a request is known to be WeChat's it hears a bare 4xx. Afterwards it always hears 200: WeChat shows people
an error for anything else. The one exception is a message that could not be committed: 503 makes WeChat bring it
again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bot.channels.wechat.card_events import book, card_events
from bot.channels.wechat.guard import Guard, Opened, Refused
from bot.channels.wechat.inbound import Arrived, arrived
from bot.channels.wechat.job_reports import job_report
from bot.channels.wechat.reply import envelope, passive_reply
from bot.channels.wechat.send import WeChatChannel
from bot.channels.wechat.tokens import Write
from bot.channels.wechat.turns import NotTaken, Turn, Turns
from db import mass

log = logging.getLogger(__name__)

PATH = "/wechat"
SUCCESS = "success"  # literally this, unencrypted: taken, nothing to say now
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]  # all, refused in silence


class Webhook:
    """Answers at PATH. `clock` gives the present instant, aware, in UTC."""

    def __init__(
        self,
        guard: Guard,
        turns: Turns,
        channel: WeChatChannel,
        clock: Callable[[], datetime],
        *,
        token: str,
        write: Write,
    ) -> None:
        self._guard = guard
        self._turns = turns
        self._channel = channel
        self._clock = clock
        self._token = token
        self._write = write

    def router(self) -> APIRouter:
        """The route, for the web server."""
        routes = APIRouter()
        routes.add_route(PATH, self.answer, methods=METHODS, include_in_schema=False)
        return routes

    async def answer(self, request: Request) -> Response:
        """The response to any request at PATH."""
        started_s = asyncio.get_running_loop().time()
        try:
            if request.method in ("GET", "HEAD"):
                echo = self._guard.echo(request.scope["query_string"], now=self._clock())
                return PlainTextResponse(echo, headers={"X-Content-Type-Options": "nosniff"})
            if request.method != "POST":
                raise Refused(405)
            opened = await self._guard.open(request, now=self._clock())
        except Refused as refused:
            log.info("a request at the WeChat webhook was refused: %d", refused.status)
            return Response(status_code=refused.status)
        found = arrived(opened.document, now=self._clock())
        if found is None:
            return await self._reported(opened)
        spent_s = asyncio.get_running_loop().time() - started_s
        try:
            turn = await self._turns.reply(found.incoming, spent_s=spent_s, gone=request.is_disconnected)
        except NotTaken:
            return Response(status_code=503)
        return self._passive(turn, opened, found) if turn else PlainTextResponse(SUCCESS)

    async def _reported(self, opened: Opened) -> Response:
        """What says nothing to us: WeChat's word on mass letters and cards is kept, anything else only taken."""
        now = self._clock()
        report, events = job_report(opened.document, now=now), card_events(opened.document, now=now)
        try:
            if report is not None:
                await self._write(lambda session: mass.book(session, report))
            if events:
                await self._write(lambda session: book(session, events, now))
        except Exception:
            log.exception("WeChat's word on what was sent could not be kept; WeChat brings it again")
            return Response(status_code=503)
        return PlainTextResponse(SUCCESS)

    def _passive(self, turn: Turn, opened: Opened, found: Arrived) -> Response:
        """The reply in the answer itself, sealed with the key that opened the message."""
        now_s = int(self._clock().timestamp())
        document = passive_reply(
            turn.text(self._channel), to=found.incoming.address, account=found.account, created_at_s=now_s
        )
        return Response(
            envelope(document, key=opened.key, token=self._token, timestamp_s=now_s),
            media_type="text/xml",
            background=BackgroundTask(self._turns.answered, turn),
        )
