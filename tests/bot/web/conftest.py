"""The web channel over HTTP, without a server: the same application that `make demo` serves, minus the page."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.channels.web import WebChat, picture_router, say_router
from bot.dispatch import Dispatcher
from notices.channel import Picture
from tests.cast import ALICE, KE, MO, RUI, SUN

PEOPLE = {"member": ALICE, "secretary": SUN, "mobile": MO, "reviewer": RUI, "keeper": KE}
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


@pytest.fixture
def chat(dispatcher: Dispatcher) -> WebChat:
    """The web chats on this test's database. Pictures are drawn as one and the same dot."""

    async def draw(picture: Picture) -> bytes:
        if picture.alt == "not there":
            raise LookupError
        return PNG

    return WebChat(dispatcher, draw)


@pytest.fixture
async def http(chat: WebChat) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application."""
    app = FastAPI()
    app.include_router(picture_router(chat))
    app.include_router(say_router(chat, PEOPLE))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://chat.test") as client:
        yield client


class Speaking:
    """`await ask("member", "签到")` gives the reply as JSON; `.status` keeps the last status."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.status = 0

    async def __call__(self, as_: Any, text: Any = None, **more: Any) -> Any:
        asked = {"as": as_, **({} if text is None else {"text": text}), **more}
        response = await self._http.post("/web/say", json=asked)
        self.status = response.status_code
        return response.json()


@pytest.fixture
def ask(http: httpx.AsyncClient) -> Speaking:
    """Speaks through `POST /web/say`."""
    return Speaking(http)
