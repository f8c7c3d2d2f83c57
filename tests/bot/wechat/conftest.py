"""A WeChat account wired to the stand-in, with a dispatcher of a few lines behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session

from bot.channels.wechat import WeChat
from bot.dispatch import Answer
from bot.writer import Writer
from db.engine import write_engine
from db.tokens import AccessToken
from handlers.conversation import Incoming
from notices.channel import Message, Picture
from tests.bot.wechat.forged import Door, door_of
from tests.bot.wechat.server import AES_KEY, APP_ID, APP_SECRET, TOKEN, WeChatServer, over_asgi

ALICE, BOB = "oAlice_0001", "oBob-0002"
PNG = b"\x89PNG\r\n\x1a\n" + b"picture"


@dataclass
class Clock:
    """The present instant, moved by the test alone."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class EchoDispatcher:
    """Answers every message with its text; a redelivery gets the stored answer. `hold` keeps it from answering."""

    writer: Writer
    hold: asyncio.Event | None = None
    fails: int = 0  # so many of the next messages cannot be committed
    reply: Callable[[Incoming], Message | None] = lambda incoming: Message(f"您说：{incoming.text}")
    effects: list[Incoming] = field(default_factory=list)
    stored: dict[str, Answer] = field(default_factory=dict)
    taken_ids: list[int | None] = field(default_factory=list)
    ways: dict[int | None, str] = field(default_factory=dict)
    asked: int = 0

    async def answer(self, incoming: Incoming) -> Answer:
        self.asked += 1
        if self.hold is not None:
            await self.hold.wait()
        if self.fails:
            self.fails -= 1
            raise RuntimeError("canary: a database said " + incoming.text)
        if incoming.key in self.stored:
            known = self.stored[incoming.key]
            return Answer(known.inbound_id, known.message, first=False, taken=known.inbound_id in self.taken_ids)
        self.effects.append(incoming)
        self.stored[incoming.key] = Answer(len(self.effects), self.reply(incoming))
        return self.stored[incoming.key]

    async def taken(self, answer: Answer) -> None:
        self.taken_ids.append(answer.inbound_id)

    async def agree(self, answer: Answer, way: str) -> bool:
        return self.ways.setdefault(answer.inbound_id, way) == way

    async def write(self, work: Callable[[Session], Any]) -> Any:
        return await self.writer.write(work)


async def draw(picture: Picture) -> bytes:
    """Every picture is the same few bytes, ended by its words."""
    return PNG + picture.alt.encode()


@pytest.fixture
def clock() -> Clock:
    """Noon of 15 June 2026 in Shanghai."""
    return Clock(datetime.fromisoformat("2026-06-15T04:00:00+00:00"))


@pytest.fixture
def token_writer(tmp_path: Path) -> Iterator[Writer]:
    """A writer on a database that has room for access tokens and chats, and nothing else."""
    engine = write_engine(f"sqlite:///{tmp_path / 'tokens.db'}")
    for table in ("access_token", "member", "chat", "mass_report", "delivery", "consent", "card_report"):
        AccessToken.metadata.tables[table].create(engine)
    writer = Writer(engine)
    yield writer
    writer.close()


@pytest.fixture
def echo(token_writer: Writer) -> EchoDispatcher:
    """The dispatcher behind the account."""
    return EchoDispatcher(token_writer)


@pytest.fixture
async def server(clock: Clock) -> AsyncIterator[WeChatServer]:
    """The platform."""
    async with WeChatServer(clock=clock) as running:
        yield running


@dataclass
class Accounts:
    """Makes running accounts, each like a process of its own, and stops them at the end."""

    server: WeChatServer
    echo: EchoDispatcher
    clock: Clock
    running: list[WeChat] = field(default_factory=list)

    async def __call__(self, **more: Any) -> WeChat:
        settings: dict[str, Any] = {
            "app_id": APP_ID,
            "app_secret": APP_SECRET,
            "token": TOKEN,
            "aes_key": AES_KEY,
            "previous_aes_key": None,
            "api_url": self.server.url,
            "dispatcher": self.echo,
            "draw": draw,
            "clock": self.clock,
            "pause": lambda _: asyncio.sleep(0.005),  # of whatever length
        }
        made = WeChat(**{**settings, **more})
        await made.start()
        self.running.append(made)
        app = FastAPI()
        app.include_router(made.router)
        self.server.webhook = over_asgi(app)
        return made


@pytest.fixture
async def account(server: WeChatServer, echo: EchoDispatcher, clock: Clock) -> AsyncIterator[Accounts]:
    """`await account()` gives a running account; the stand-in speaks to the one made last."""
    made = Accounts(server, echo, clock)
    yield made
    for one in made.running:
        await one.stop()


@pytest.fixture
async def leap() -> AsyncIterator[Callable[[float], None]]:
    """`leap(seconds)` makes the event loop believe that so much time has passed: nobody waits for it."""
    loop = asyncio.get_running_loop()
    real_time, ahead_s = loop.time, 0.0

    def leap(seconds: float) -> None:
        nonlocal ahead_s
        ahead_s += seconds

    loop.time = lambda: real_time() + ahead_s  # type: ignore[method-assign]
    yield leap
    loop.time = real_time  # type: ignore[method-assign]


@pytest.fixture
async def wechat(account: Accounts) -> WeChat:
    """One running account."""
    return await account()


@pytest.fixture
async def door(wechat: WeChat) -> AsyncIterator[Door]:
    """The webhook of a running account, spoken to without the stand-in."""
    async with door_of(wechat) as client:
        yield Door(client)
