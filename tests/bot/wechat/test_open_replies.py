"""A reply is open until all of it has gone out: a process that dies before that leaves the rest to the next one."""

from __future__ import annotations

import asyncio

from notices.channel import Message, Picture
from tests.bot.wechat.conftest import ALICE, PNG, Accounts, EchoDispatcher
from tests.bot.wechat.server import WeChatServer


async def test_a_reply_stays_open_until_its_picture_has_gone(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    drawn = asyncio.Event()

    async def draw(_: Picture) -> bytes:
        await drawn.wait()
        return PNG

    wechat = await account(draw=draw)
    echo.reply = lambda _: Message("指数 71.50 分", picture=Picture("chart", {"option": {}}, "雷达图"))
    assert await server.click(ALICE, "index") == "指数 71.50 分"
    for _ in range(100):
        await asyncio.sleep(0)
    assert echo.taken_ids == []
    drawn.set()
    await wechat.idle()
    assert echo.taken_ids == [1]
