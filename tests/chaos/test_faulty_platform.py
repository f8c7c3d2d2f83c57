"""The real channels and the real engine against platforms that get everything wrong, over HTTP.

Judged by what the platforms have really taken. Time is the test's own: a pause of half a minute passes at once.
"""

from __future__ import annotations

import asyncio
import collections
import os
import random
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from bot.channels.telegram.api import Api
from bot.channels.telegram.send import TelegramChannel
from bot.channels.wechat import account_api
from bot.channels.wechat.send import WeChatChannel
from bot.writer import Writer
from db.accounts import Chat
from db.engine import write_engine
from db.members import Member, Membership
from notices import mass, mass_reports
from notices.channel import Channels
from notices.delivery import POLL_S, Engine
from notices.lease import SenderLease
from notices.outbox import queue_letter
from notices.pacing import pacer
from notices.tenure import Tenure
from notices.wording import wording
from tests.cast import NOON, SHAZHOU
from tests.chaos import batches, mass_sender
from tests.chaos.conftest import Telling
from tests.chaos.faulty import FAULTS, FaultyPlatform
from tests.chaos.platform import judge
from tests.conftest import Clock
from tests.notices.sending import letter

PATIENCE_S = 0.25  # of the channels: what takes longer got lost
SPAN_S = float(os.environ.get("HONGXIN_CHAOS_S", "0"))  # at least; `make chaos` asks for more
EACH = 75  # people on each of the two platforms


class Hurry:
    """Sleeps: hardly at all, but the test's clock moves. With nothing to do it moves to what is due next."""

    def __init__(self, clock: Clock, database: Path, platform: FaultyPlatform) -> None:
        self._clock = clock
        self._reading = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        self._platform = platform
        self.over = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        await asyncio.sleep(0.01 if self._platform.busy else 0.001)
        self._clock.now += timedelta(seconds=seconds)
        if seconds >= POLL_S and not self._platform.busy:
            due = self._due()
            if due is None:
                self.over.set()
            else:
                self._clock.now = max(self._clock.now, due)

    def close(self) -> None:
        """Let go of the database."""
        self._reading.close()

    def _due(self) -> datetime | None:
        """When the next row is due; now, if one is in hand; None if none is left."""
        statement = (
            "SELECT min(not_before), sum(state IN ('claimed', 'sending')) FROM delivery"
            " WHERE state IN ('queued', 'retry', 'claimed', 'sending') AND coalesce(channel, '') <> 'mailbox'"
        )
        due, held = self._reading.execute(statement).fetchone()
        if due is None:
            return None
        return self._clock.now if held else datetime.fromisoformat(due).replace(tzinfo=UTC)


def fill(url: str) -> None:
    """A letter to people on both platforms."""
    engine = write_engine(url)
    with Session(engine) as session:
        for number in range(2 * EACH):
            session.add(Member(id=1000 + number, code=f"X{number}", name=f"群众{number}"))
        session.flush()
        for number in range(2 * EACH):
            member_id = 1000 + number
            session.add(Membership(member_id=member_id, organization_id=SHAZHOU, from_day=NOON.date()))
            where: dict[str, Any] = {"channel": "telegram", "address": str(member_id)}
            if number >= EACH:
                window = {"window_kind": "message", "window_opened_at": NOON}
                where = {"channel": "wechat", "address": f"o{member_id}", **window}
            session.add(Chat(member_id=member_id, choices={}, **where))
        queue_letter(session, letter(author_id=None, audience={"node": SHAZHOU, "who": "all"}), NOON)
        session.commit()
    engine.dispose()


async def opened(platform: FaultyPlatform, writer: Writer, clock: Clock, hurry: Any) -> tuple[Channels, Any]:
    """The service's own channels, and what closes them."""
    own_pacer = pacer("telegram", clock=lambda: clock.now.timestamp())
    api = Api(token="7:token", api_url=platform.url, own_pacer=own_pacer, read_s=PATIENCE_S)
    await api.open()
    account = ("wx1", "secret", platform.url, writer.write, clock)
    transport, wechat = account_api(*account, total_s=PATIENCE_S, pause=hurry)
    await transport.start()
    say = wording("zh")
    draw: Any = None
    found = (TelegramChannel(api, draw=draw, say=say), WeChatChannel(wechat, draw, clock))
    channels = Channels({one.name: one for one in found})  # type: ignore[misc]
    channels.marked.add("telegram")
    channels.worded.add("wechat")

    async def close() -> None:
        await api.close()
        await transport.stop()

    return channels, close


async def send_letter(database: Path, dice: random.Random) -> FaultyPlatform:
    """Send until nothing is left."""
    clock = Clock(NOON)
    writer = Writer(write_engine(f"sqlite:///{database}"))
    async with FaultyPlatform(dice, lambda: clock.now.timestamp()) as platform:
        hurry = Hurry(clock, database, platform)
        channels, close = await opened(platform, writer, clock, hurry)
        engine = Engine(
            write=writer.write,
            channels=channels,
            clock=clock,
            sleep=hurry,
            seconds=lambda: clock.now.timestamp(),
        )
        running = asyncio.create_task(engine.run())
        await asyncio.wait([running, asyncio.create_task(hurry.over.wait())], return_when=asyncio.FIRST_COMPLETED)
        await engine.stop()
        await running
        await close()
    hurry.close()
    writer.close()
    return platform


async def test_whatever_a_platform_does_each_row_says_the_truth(
    sqlite_template: Path, tmp_path: Path, telling: Telling
) -> None:
    until = time.monotonic() + SPAN_S
    met, states = collections.Counter[str](), collections.Counter[str]()
    while not met or time.monotonic() < until:
        seed = random.SystemRandom().randrange(10**6)
        database = tmp_path / f"{seed}.db"
        shutil.copy(sqlite_template, database)
        fill(f"sqlite:///{database}")
        platform = await send_letter(database, random.Random(seed))
        assert platform.hasty == [], f"seed {seed}: within a pause"
        states += judge(f"sqlite:///{database}", platform.accepted, f"seed {seed}", by_address=True)
        met += platform.met
        database.unlink()
    assert set(met) == {"plain", *FAULTS}, met
    telling(f"met {dict(met)}; {dict(states)}")


async def test_whatever_wechat_does_with_a_batch_nobody_gets_it_twice(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    for module in (mass, mass_reports):
        monkeypatch.setattr(module, "mass_rules", lambda _: mass_sender.SMALL)
    database, clock = tmp_path / "hongxin.db", Clock(NOON)
    shutil.copy(sqlite_template, database)
    url = f"sqlite:///{database}"
    batches.fill(url)
    writer = Writer(write_engine(url))
    async with FaultyPlatform(random.Random(seed), lambda: clock.now.timestamp()) as platform:
        hurry = Hurry(clock, database, platform)
        channels, close = await opened(platform, writer, clock, hurry)
        tenure = Tenure(writer.write, SenderLease(alone=True, hold_s=10**9), channels, clock)
        sender = mass.MassSender(tenure, channels, clock, ZoneInfo("Asia/Shanghai"))
        await tenure.begin()
        while await writer.write(mass_sender.left):
            if not await sender.step():
                clock.now += timedelta(seconds=5)
        batches.report(url, platform.taken)
        await sender.step()
        await close()
    hurry.close()
    writer.close()
    states = batches.judge(url, platform.taken, f"seed {seed}")
    assert states["sent"] > 0, f"seed {seed}: {states}"
