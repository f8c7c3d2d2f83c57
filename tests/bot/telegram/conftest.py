"""The bot under test, wired to the stand-in; time moves only when the bot asks to sleep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI

from bot.channels.telegram import Telegram, Timing, open_telegram
from bot.channels.telegram.api import Api
from bot.dispatch import Answer
from handlers.conversation import Command, Incoming, Reply
from notices.channel import Button, Message, Picture
from notices.pacing import pacer
from tests.bot.telegram.server import Carry, TelegramServer
from tests.cast import NOON

SECRET = "CANARY_webhook-secret"
ALICE, BOB = 7001, 7002  # Telegram users
PNG = b"\x89PNG\r\n\x1a\n picture"


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    async def sleep(self, pause_s: float) -> None:
        self.slept.append(pause_s)
        self.now_s += pause_s
        await asyncio.sleep(0)


class FakeDispatcher:
    """Echoes, stores replies by key as the real one does, and fails for texts in `broken`."""

    def __init__(self) -> None:
        self.reply: Callable[[Incoming], Message | None] = lambda incoming: Message(f"echo {incoming.text}")
        self.heard: list[Incoming] = []  # committed, in order
        self.taken_keys: list[str] = []
        self.broken: set[str] = set()
        self.more: dict[str, Any] = {}  # what else the answers hold
        self.gates: dict[str, asyncio.Event] = {}  # text -> what its commit waits for
        self._stored: dict[str, Answer] = {}

    async def answer(self, incoming: Incoming) -> Answer:
        if gate := self.gates.get(incoming.text):
            await gate.wait()
        if incoming.text in self.broken:
            raise RuntimeError(f"database is locked while storing {incoming.text}")
        if stored := self._stored.get(incoming.key):
            taken = incoming.key in self.taken_keys
            return Answer(stored.inbound_id, stored.message, first=False, taken=taken)
        self.heard.append(incoming)
        self._stored[incoming.key] = Answer(len(self.heard), self.reply(incoming), **self.more)
        return self._stored[incoming.key]

    async def taken(self, answer: Answer) -> None:
        self.taken_keys += [k for k, known in self._stored.items() if known.inbound_id == answer.inbound_id]


async def draw(picture: Picture) -> bytes:
    """A picture of a few bytes; `broken` cannot be drawn."""
    if picture.data.get("text") == "broken":
        raise ValueError("cannot draw this")
    return PNG


def said(text: str) -> Callable[[Incoming], Message]:
    """A dispatcher's reply that is always the same."""
    return lambda _: Message(text, (Button("签到", "check_in"),))


COMMANDS = (
    Command("start", ("绑定", "bind"), lambda _: Reply(""), slash=("/start", "/bind"), strangers=True, order=1),
    Command("points", ("积分", "points"), lambda _: Reply(""), slash=("/points",), order=2),
    Command(
        "broadcast",
        ("发红信",),
        lambda _: Reply(""),
        slash=("/broadcast",),
        roles=frozenset({"secretary"}),
        order=3,
    ),
)


@pytest.fixture
def fake_time() -> FakeTime:
    """Monotonic seconds for the bot."""
    return FakeTime()


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    """A dispatcher of a few lines."""
    return FakeDispatcher()


@pytest.fixture
async def server(fake_time: FakeTime) -> AsyncIterator[TelegramServer]:
    """A server that lives on the bot's clock."""
    async with TelegramServer(clock=fake_time) as made:
        yield made


Open = Callable[..., Awaitable[Telegram]]


@asynccontextmanager
async def opened(server: TelegramServer, dispatcher: Any, time: FakeTime, **more: Any) -> AsyncIterator[Telegram]:
    """The channel at work; `more` overrides settings."""
    timing = Timing(lambda: NOON, time, time.sleep, poll_s=20, read_s=0.3, backoff_s=(0.001, 0.002))
    settings: dict[str, Any] = {
        "token": server.token,
        "api_url": server.url,
        "mode": "polling",
        "secret": None,
        "public_url": "",
        "dispatcher": dispatcher,
        "draw": draw,
        "commands": COMMANDS,
        "timing": timing,
    }
    telegram = await open_telegram(**settings | more)
    await telegram.start()
    try:
        await asyncio.wait_for(telegram.greeted(), 5)
        yield telegram
    finally:
        await telegram.stop()


@pytest.fixture
async def polling(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> AsyncIterator[Telegram]:
    """The channel, fetching updates."""
    async with opened(server, dispatcher, fake_time) as telegram:
        yield telegram


@pytest.fixture
async def webhook(
    server: TelegramServer, dispatcher: FakeDispatcher, fake_time: FakeTime
) -> AsyncIterator[Telegram]:
    """The channel behind its webhook; the server's pushes go straight into the application."""
    settings = {"mode": "webhook", "secret": SECRET, "public_url": "https://chat.example.org"}
    async with opened(server, dispatcher, fake_time, **settings) as telegram:
        server.carry = asgi(telegram)
        yield telegram


def asgi(telegram: Telegram) -> Carry:
    """Carries a webhook push into the application without a socket; gives the status."""
    import httpx

    app = FastAPI()
    assert telegram.router
    app.include_router(telegram.router)

    async def carry(body: bytes, headers: dict[str, str]) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot") as client:
            return (await client.post("/telegram", content=body, headers=headers)).status_code

    return carry


@pytest.fixture
async def api(server: TelegramServer, fake_time: FakeTime) -> AsyncIterator[Api]:
    """The bare transport, impatient."""
    made = Api(token=server.token, api_url=server.url, own_pacer=pacer("telegram", clock=fake_time), read_s=0.3)
    await made.open()
    yield made
    await made.close()
