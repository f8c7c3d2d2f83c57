"""What every test may ask for: a database, the cast, and a voice to speak with."""

from __future__ import annotations

import itertools
import shutil
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session

from bot.dispatch import Answer, Dispatcher
from bot.writer import Writer
from db.engine import write_engine
from handlers.conversation import Incoming
from tests import cast, databases
from tests.databases import postgresql_server, sqlite_template
from tests.dealing import Dealer, turn, without_repetition

__all__ = ["postgresql_server", "sqlite_template"]

ZONE = ZoneInfo("Asia/Shanghai")
LEFT_OUT = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Look once for what this machine lacks: the process that sums up runs no test itself."""
    databases.stay_in_memory()
    config.stash[LEFT_OUT] = [] if databases.IN_CI else databases.missing_programs()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run, each kind with one line at the end; in CI nothing is left out."""
    missing = config.stash[LEFT_OUT]
    gone = [item for item in items if any(item.get_closest_marker(mark) for mark, _ in missing)]
    if gone:
        config.hook.pytest_deselected(items=gone)
        items[:] = [item for item in items if item not in set(gone)]
    items[:] = sorted(without_repetition(items), key=lambda item: turn(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealer:
    """Several processes get their tests from our dealer."""
    return Dealer(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out."""
    for _, why in config.stash[LEFT_OUT]:
        terminalreporter.write_line(why)


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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for every test, with all tables and the cast, on both kinds (`tests.dealing`)."""
    if request.param == "sqlite":
        path = tmp_path / "hongxin.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_server")
    with databases.postgresql_copy(server, f"t{uuid.uuid4().hex[:12]}") as url:
        yield url


@pytest.fixture(scope="session")
def compiled() -> dict[str, Engine]:
    """Per kind of database the first engine: the others take over the SQL that it has compiled."""
    return {}


@pytest.fixture
def engine(database_url: str, compiled: dict[str, Engine]) -> Iterator[Engine]:
    """The write engine on this test's database. To compile its SQL anew would be a third of most tests' time."""
    made = write_engine(database_url, workers=2)
    first = compiled.setdefault(made.dialect.name, made)
    made.dialect, made._compiled_cache = first.dialect, first._compiled_cache
    yield made
    made.dispose()


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """The writer thread of this test."""
    made = Writer(engine, workers=1)
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
