"""The day told once on every channel, for all tests of it; and quick starts for those that kill."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from db import migrate
from tests.day.nursery import Nursery
from tests.day.phones import TelegramPhone
from tests.day.script import DAY
from tests.day.service import Command, Starter
from tests.day.stage import CHANNELS, stage
from tests.day.telling import Transcript, tell

PSEUDONYMOUS = "telegram as it is by default"


@dataclass
class Told:
    """How the day went on one channel. sent: everything that went to the platform, as one text."""

    transcript: Transcript
    sent: str = ""


MakeDatabase = Callable[[Path], str]
"""Makes a migrated, empty database; its URL."""


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> MakeDatabase:
    """`sqlite(folder)` makes a SQLite database there as `python -m bot run` makes it, with nobody in it."""
    template = tmp_path_factory.mktemp("day") / "empty.db"
    migrate.upgrade(f"sqlite:///{template}")

    def make(folder: Path) -> str:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(template, folder / "hongxin.db")
        return f"sqlite:///{folder / 'hongxin.db'}"

    return make


async def told_on(channel: str, url: str, folder: Path, starter: Starter, **more: str) -> Told:
    """Tell the day on a channel. A failure ends with what the service printed."""
    async with stage(channel, url, folder, starter, **more) as one:
        try:
            told = Told(await tell(DAY, one.phone, one.truth, one.city.codes))
        except AssertionError as error:
            raise AssertionError(f"{channel}: {error}\n{one.service.printed()}") from None
        if isinstance(one.phone, TelegramPhone):
            told.sent = "\n".join(json.dumps(c.arguments, ensure_ascii=False) for c in one.phone.server.calls)
        return told


@pytest.fixture(scope="session")
def days(sqlite: MakeDatabase, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Told]:
    """The day on every channel, all told at the same time, each by a service of its own.

    The first process that asks for it tells it; the other ones wait, and read what it wrote down.
    """

    async def all_of_them() -> list[Told]:
        runs = []
        for channel in (*CHANNELS, PSEUDONYMOUS):
            folder = tmp_path_factory.mktemp(channel.split()[-1])
            more = {"full_names": "false"} if channel == PSEUDONYMOUS else {}
            runs.append(told_on(channel, sqlite(folder), folder, Command(), **more))
        return await asyncio.gather(*runs)

    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (shared / "days.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        written = shared / "days"
        if not written.exists():
            told = dict(zip((*CHANNELS, PSEUDONYMOUS), asyncio.run(all_of_them()), strict=True))
            written.write_bytes(pickle.dumps(told))
        found: dict[str, Told] = pickle.loads(written.read_bytes())
    return found


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts the service without the seconds that importing takes."""
    made = Nursery()
    yield made
    made.close()
