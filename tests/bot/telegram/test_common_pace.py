"""Several processes that send through one account on one PostgreSQL, on a virtual clock."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, text

from bot.channels.telegram.api import Api
from bot.channels.telegram.failures import CallError
from bot.channels.telegram.replies import Replies
from bot.common_pace import Turns
from bot.open_replies import send_open_replies
from db.engine import database_url
from db.inbound import Inbound
from notices.channel import Message
from notices.common_pace import CommonPace
from notices.wording import wording
from tests.bot.telegram.server import TelegramServer
from tests.bot.telegram.test_pace import GROUPS, PEOPLE, CountingApi, VirtualTime, _most, _reply
from tests.databases import postgresql_copy

pytestmark = pytest.mark.postgres
BEGAN = datetime(2026, 6, 15, 4, tzinfo=UTC)


@pytest.fixture
def url(postgresql_server: str) -> Iterator[str]:
    with postgresql_copy(postgresql_server, f"pace{os.getpid()}") as made:
        yield made


@pytest.fixture
def connection(url: str) -> Iterator[Connection]:
    engine = create_engine(database_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as made:
        yield made
    engine.dispose()


class Process(CountingApi):
    """One of the processes: a pacer of its own, and the platform that all of them ask."""

    def __init__(self, time: VirtualTime, connection: Connection, platform: CountingApi) -> None:
        super().__init__(time, platform._floods)
        self.seen, self.halts = platform.seen, platform.halts

        async def run(work: Callable[[Connection], Any]) -> Any:
            return work(connection)  # the virtual clock must not go on meanwhile

        self.common = self.pacer.common = CommonPace(
            run, ("telegram", "7"), self.pacer, now=lambda: BEGAN + timedelta(seconds=time.now), sleep=time.sleep
        )

    async def call(self, method: str, arguments: dict[str, Any], read_s: float | None = None) -> Any:
        chat = arguments["chat_id"]
        await self.common.learn(chat)  # as the transport does
        try:
            return await super().call(method, arguments)
        except CallError as error:
            if error.reason == "429":
                await self.common.tell(error.retry_after_s or 0, chat)
            raise


async def _letters_among_others(process: Process, time: VirtualTime, chats: list[str]) -> None:
    for chat in chats:
        while True:
            if wait_s := process.pacer.wait_s(chat):
                await time.sleep(wait_s)
            elif await process.common.letter(chat):
                process.pacer.take(chat)
                try:
                    await process.call("sendMessage", {"chat_id": chat})
                    break
                except CallError:
                    continue


async def test_no_limit_is_passed_by_all_processes_together_and_none_sends_inside_a_pause(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notices.common_pace.FORGET_EVERY", 1)  # what is forgotten holds nothing back any more
    time, dice = VirtualTime(), random.Random(20260615)
    platform = CountingApi(time, {40: 3, 41: 7, 120: 5})
    processes = [Process(time, connection, platform) for _ in range(3)]
    pushing = [Replies(one, draw=None, say=wording("zh"), sleep=time.sleep) for one in processes]  # type: ignore[arg-type]
    work: list[Any] = [_letters_among_others(processes[0], time, list(PEOPLE))]
    work += [
        _reply(processes[place], pushing[place], time, dice.uniform(0, 6), dice.choice(PEOPLE + GROUPS))
        for place in (1, 2)
        for _ in range(70)
    ]
    await time.run({asyncio.ensure_future(one) for one in work})
    times = [at for at, _, _ in platform.seen]
    assert len(times) == len(PEOPLE) + 140 + 3  # each of them, and three times 429
    assert _most(times, 1.0) <= 30
    for chat in {chat for _, chat, _ in platform.seen}:
        own = [at for at, whom, _ in platform.seen if whom == chat]
        assert _most(own, 1.0) <= 1
        assert _most(own, 60.0) <= (20 if chat in GROUPS else 60)
    for begins, ends, answered, _ in platform.halts:
        concerned = [at for at, chat, _ in platform.seen if answered not in GROUPS or chat == answered]
        assert [at for at in concerned if begins < at < ends] == []
    time.now += 60
    assert await processes[0].common.letter("1")
    assert connection.execute(text("SELECT count(*) FROM account_pace")).scalar_one() == 2  # the account and this


async def test_replies_of_all_processes_go_before_letters_and_no_turn_is_left_empty(
    connection: Connection,
) -> None:
    time = VirtualTime()
    platform = CountingApi(time, {})
    sender, one, other = (Process(time, connection, platform) for _ in range(3))
    crowd = [
        asyncio.ensure_future(
            _reply(web, Replies(web, draw=None, say=wording("zh"), sleep=time.sleep), time, 1.0, f"9{number}")  # type: ignore[arg-type]
        )
        for number, web in enumerate([one, other] * 14)
    ]
    letters = [asyncio.ensure_future(_letters_among_others(sender, time, list(PEOPLE))) for _ in range(2)]
    await time.run({*crowd, *letters})
    replied = [at for at, chat, _ in platform.seen if len(chat) > 1 and int(chat) >= 90]
    assert max(replied) <= 2.1
    assert time.now == pytest.approx((2 * len(PEOPLE) + 28) / 29, rel=0.15)


async def test_what_a_process_left_open_goes_out_at_the_common_pace(connection: Connection) -> None:
    time = VirtualTime()
    process = Process(time, connection, CountingApi(time, {}))
    sent: list[float] = []

    class Telegram:
        name, pacer = "telegram", process.pacer

        async def send(self, address: str, message: Message, *, key: str) -> str:
            sent.append(time.now)
            return ""

    rows = [
        Inbound(id=n, channel="telegram", key=f"u{n}", address=f"{n}", received_at=BEGAN, reply={"text": "好"})
        for n in range(60)
    ]

    async def write(work: Callable[[Any], Any]) -> Any:
        return rows

    await time.run({asyncio.ensure_future(send_open_replies(write, Telegram(), BEGAN))})  # type: ignore[arg-type]
    assert len(sent) == 60
    assert _most(sent, 1.0) <= 30


async def test_what_one_process_is_told_by_the_platform_the_other_knows_before_its_next_request(url: str) -> None:
    async with TelegramServer() as server:
        turns, apis = [Turns(url), Turns(url), Turns(url + "-that-is-not-there")], []
        for one in turns:
            apis.append(Api(token=server.token, api_url=server.url))
            one.share(apis[-1].pacer, ("telegram", "7"))
            await apis[-1].open()
        first, other, cut_off = apis

        async def say(api: Api, chat: int, method: str = "sendMessage") -> str:
            try:
                await api.call(method, {"chat_id": chat, "text": "签到成功"})
            except CallError as error:
                return error.reason
            return "sent"

        for chat in (1, -1001):
            server.chats.meet(chat, "private" if chat > 0 else "group")
        server.flood("sendMessage", 30, times=2)
        assert [await say(first, -1001), await say(other, -1001), await say(other, 1)] == ["429", "paused", "429"]
        calls = len(server.calls)
        assert [await say(first, 1), await say(first, 2, "sendChatAction")] == ["paused", "paused"]
        await first.pacer.common.letter("1")  # type: ignore[union-attr]
        assert first.pacer.wait_s("1") > 20
        assert len(server.calls) == calls
        assert [await say(cut_off, 3), len(server.calls)] == [
            "no_database",
            calls,
        ]  # nobody knows: nothing is sent
        for api, one in zip(apis, turns, strict=True):
            await api.close()
            await one.close()
