"""WeChat brings a message again to another process while the first one is still busy with it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from sqlalchemy import text

from bot.dispatch import Answer, Dispatcher
from bot.writer import Writer
from db.engine import write_engine
from handlers.conversation import Command, Context, Incoming, Reply
from tests.bot.wechat.conftest import BOB, Accounts, Clock
from tests.bot.wechat.server import WeChatServer
from tests.bot.wechat.test_turns import hang_up_after
from tests.conftest import ZONE
from tests.databases import postgresql_copy

pytestmark = pytest.mark.postgres
WAIT_S = 150  # for the other thread


@pytest.fixture
def writers(postgresql_server: str) -> Iterator[list[Writer]]:
    """Of two processes on one database, and one to look at it meanwhile."""
    with postgresql_copy(postgresql_server, f"twice{os.getpid()}") as url, ExitStack() as closing:
        made = [Writer(write_engine(url, workers=2), workers=2) for _ in range(3)]
        for writer in made:
            closing.callback(writer.close)
        yield made


class Late(Dispatcher):
    """Knows its answer, which is committed, but does not come to say it before `says`."""

    def __init__(self, writer: Writer, **more: Any) -> None:
        super().__init__(writer, **more)
        self.says = asyncio.Event()

    async def answer(self, incoming: Incoming) -> Answer:
        answer = await super().answer(incoming)
        await self.says.wait()
        return answer


async def test_a_message_that_two_processes_get_is_done_once_and_answered_once(
    account: Accounts, server: WeChatServer, clock: Clock, writers: list[Writer]
) -> None:
    holds, inside, go_on = threading.Event(), threading.Event(), threading.Event()

    def slow(_: Context) -> Reply:
        if holds.is_set():  # in the first process, which gets every message first
            holds.clear()
            inside.set()
            assert go_on.wait(WAIT_S)
        return Reply("菜单")

    commands = (Command("menu", ("菜单",), slow, strangers=True),)
    first, other = (Late(writer, zone=ZONE, clock=clock, commands=commands) for writer in writers[:2])
    one = await account(dispatcher=first, budget_s=WAIT_S)
    two = await account(dispatcher=other, budget_s=WAIT_S)  # what server.deliver brings comes here
    other.says.set()

    async def dropped(again: Callable[[], Awaitable[Any]]) -> Any:
        """What is heard of a message that is brought again while the first process is inside its handler."""
        letter = server.typed(BOB, "菜单")
        for event in (inside, go_on, first.says):
            event.clear()
        holds.set()
        trying = asyncio.ensure_future(hang_up_after(one, *server.sealed(letter.document)))
        assert await asyncio.to_thread(inside.wait, WAIT_S)
        hearing = asyncio.ensure_future(server.deliver(letter))
        await again()
        go_on.set()
        heard = await hearing
        first.says.set()
        await trying
        await one.idle()
        return heard

    async def waits() -> None:
        """Until the second process waits for a row of the first: this is a new chat."""
        async with asyncio.timeout(WAIT_S):
            while not await _count(writers[2], "SELECT count(*) FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def is_sooner() -> None:
        """Until the second process has answered: this chat is known, and nothing holds it up."""
        async with asyncio.timeout(WAIT_S):
            while await _count(writers[2], "SELECT count(*) FROM inbound") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    assert await dropped(waits) is not None
    assert await dropped(is_sooner) is not None
    letter = server.typed(BOB, "菜单")  # and once the first process has spoken, late, the other is silent
    await hang_up_after(one, *server.sealed(letter.document))
    await one.idle()
    assert await server.deliver(letter) is None
    await two.idle()
    assert [seen.way for seen in server.sent(BOB)] == ["passive", "passive", "customer"]
    ways = await writers[0].write(
        lambda s: s.execute(text("SELECT way, taken_at IS NULL FROM inbound ORDER BY id"))
    )
    assert [tuple(row) for row in ways] == [("passive", False), (None, False), ("customer", False)]


async def _count(writer: Writer, words: str) -> int:
    return await writer.write(lambda session: int(session.execute(text(words)).scalar_one()))
