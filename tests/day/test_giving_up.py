"""WeChat gives up after three tries; the person then says it again, and it counts once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.wechat.server import OUT_OF_ORDER
from tests.cast import ALICE
from tests.day.conftest import MakeDatabase
from tests.day.nursery import Nursery
from tests.day.people import OWN_CODE
from tests.day.phones import WeChatPhone
from tests.day.stage import stage

WORDS = f"签到 {OWN_CODE}"
POINTS = "SELECT points FROM entry WHERE cause LIKE 'activity:%'"


@pytest.mark.parametrize("committed", [False, True])
async def test_what_wechat_gave_up_counts_once_when_it_is_said_again(
    sqlite: MakeDatabase, nursery: Nursery, tmp_path: Path, committed: bool
) -> None:
    async with stage("wechat", sqlite(tmp_path), tmp_path, nursery) as one:
        assert isinstance(one.phone, WeChatPhone)
        server, openid = one.phone.server, one.phone.openid(ALICE)
        await one.phone.say(ALICE, f"绑定 {one.city.codes['alice']}")
        if committed:
            server.lost_answers = 3  # the service does it, and nobody ever hears so
        else:
            await one.service.kill()
        assert await server.say(openid, WORDS) is None
        assert server.words(openid)[-1] == OUT_OF_ORDER
        if committed:
            await one.service.kill()
        await one.service.start()
        await one.service.ready()
        again = await one.phone.say(ALICE, WORDS)
        assert ("已经签到" if committed else "签到成功") in again.words
        assert one.truth.rows(POINTS) == [(2,)]
