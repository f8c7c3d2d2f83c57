"""What every test may ask for: a database, the cast, and a voice to speak with."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session

from bot.dispatch import Answer, Dispatcher
from bot.writer import Writer
from db import schema
from db.engine import write_engine
from handlers.conversation import Incoming
from tests import cast

ZONE = ZoneInfo("Asia/Shanghai")


class Clock:
    """The present instant, moved by the test alone."""

    def __init__(self, now: datetime = cast.NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Noon of 15 June 2026 in Shanghai, until a test moves it."""
    return Clock()


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """An empty database of its own for every test."""
    return f"sqlite:///{tmp_path / 'hongxin.db'}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The write engine on a database with all tables and the cast."""
    made = write_engine(database_url)
    schema.create(made)
    with Session(made) as session:
        cast.populate(session)
        session.commit()
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """The writer thread of this test."""
    made = Writer(engine)
    yield made
    made.close()


@pytest.fixture
def dispatcher(writer: Writer, clock: Clock) -> Dispatcher:
    """The entry through which most tests speak."""
    return Dispatcher(writer, zone=ZONE, clock=clock, demo=True)


class Voice:
    """Speaks as a person: `await say(ALICE, "签到")` gives the reply's message; every message has a new key."""

    def __init__(self, dispatcher: Dispatcher, clock: Clock) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._keys = itertools.count(1)

    async def __call__(self, person: int | str, text: str, **more: Any) -> Any:
        answer = await self.answer(person, text, **more)
        return answer.message

    async def answer(self, person: int | str, text: str, **more: Any) -> Answer:
        """The whole answer. A number is a member on the web channel, a text is a stranger's address there."""
        address = f"member:{person}" if isinstance(person, int) else person
        more = {"channel": "web", "address": address, "key": f"k{next(self._keys)}", **more}
        return await self._dispatcher.answer(Incoming(text=text, sent_at=self._clock(), **more))

    async def all(self, person: int | str, *texts: str) -> Any:
        """Say one after the other; the last reply."""
        message = None
        for text in texts:
            message = await self(person, text)
        return message


@pytest.fixture
def say(dispatcher: Dispatcher, clock: Clock) -> Voice:
    """A voice on the web channel."""
    return Voice(dispatcher, clock)


@pytest.fixture
def look(writer: Writer) -> Callable[[Callable[[Session], Any]], Awaitable[Any]]:
    """Read (or change) the database the way the service does: `await look(lambda s: ledger.balance(s, ALICE))`."""
    return writer.write
