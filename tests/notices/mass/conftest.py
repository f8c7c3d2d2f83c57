"""A letter to people with WeChat and web chats."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db import mass
from db.letters import Letter
from db.mass import MassReport
from notices.channel import Channels
from notices.lease import SenderLease
from notices.mass import MassSender
from notices.tenure import Tenure
from tests.notices.mass.wechat import BRANCH, FakeWeChat
from tests.notices.sending import FakeChannel, bind, engine, queued, rows


@pytest.fixture
def city(writer, clock, look):
    """`await city(wechat, ...)`: a letter to people with WeChat and web chats; `.step()`, `.plan()`, `.rows()`."""

    async def make(wechat: FakeWeChat, people: tuple[int, ...] = BRANCH, **more: Any) -> Any:
        web = FakeChannel()
        lease = SenderLease(alone=True, hold_s=math.inf)
        one_by_one = engine(writer, clock, wechat, web, lease=lease)
        channels = Channels({"wechat": wechat, "web": web})
        tenure = Tenure(writer.write, lease, channels, clock)
        sender = MassSender(tenure, channels, clock, ZoneInfo("Asia/Shanghai"))

        def fill(session: Any) -> int:
            for member_id in people:
                bind(session, member_id, "wechat")
            return queued(session, **{"lane": 2, "author_id": None, **more})

        letter_id = await look(fill)

        async def plan() -> None:
            while await one_by_one.drain_once():
                pass

        async def found() -> list[Any]:
            return [row for row in await look(rows) if row.member_id in people]

        async def report(sent: int, status: str = "send success", job: str = "job0") -> None:
            word = MassReport(
                channel="wechat", platform_id=job, status=status, total=len(people), sent=sent, reported_at=clock()
            )
            await look(lambda s: mass.book(s, word))
            await sender.step()

        await plan()
        return SimpleNamespace(
            id=letter_id, web=web, step=sender.step, plan=plan, rows=found, report=report, letter=lambda s: s.get(Letter, letter_id)
        )  # fmt: skip

    return make
