"""Rewards and wishes over a channel abroad, where no full name goes, and in English."""

from __future__ import annotations

import re

import pytest
from sqlmodel import select

from bot.dispatch import Dispatcher
from db import ledger
from db.accounts import Chat
from db.wishes import WishClaim
from tests.cast import ALICE, BOB, DAY, KE, NAMES, NOON, SUN
from tests.conftest import ZONE, Voice

CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def abroad(writer, clock):
    """A voice on a channel over which no names go."""
    return Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad={"web"}), clock)


async def earn(look, person: int, points: int) -> None:
    await look(
        lambda s: ledger.book(
            s, member_id=person, rule_id="PB1", cause="test", points=points, day=DAY, booked_at=NOON
        )
    )


def no_names(*messages) -> bool:
    return not any(name in message.text + str(message.buttons) for message in messages for name in NAMES.values())


async def test_the_keeper_compares_a_first_character_and_no_name_goes_abroad(abroad, look):
    await earn(look, ALICE, 20)
    held = await abroad.all(ALICE, "兑换 水杯", "1")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", held.text)[0]
    asked = await abroad(KE, f"核销 {code}")
    assert asked.text.startswith("艾同志：水杯 1 个")
    done = await abroad(KE, "1")
    again = await abroad(KE, f"核销 {code}")
    assert no_names(asked, done, again)


async def test_a_wish_goes_all_the_way_without_a_name(abroad, look):
    seen = [await abroad.all(ALICE, "wishes:new", "一副老花镜", "梁丰社区", "80元", "1")]
    seen += [await abroad(SUN, text) for text in ("心愿审核", "1", "1")]
    seen += [await abroad(BOB, text) for text in ("心愿", "1", "1")]
    assert "联系梁丰社区党支部的书记，" in seen[-1].text
    seen += [await abroad(SUN, "wish_review:see:1")]
    seen += [await abroad(BOB, text) for text in ("wishes:mine", "1", "1", "已经送到")]
    claim = await look(lambda s: s.execute(select(WishClaim.id)).scalar_one())
    seen += [await abroad(ALICE, "wishes:own:1"), await abroad(ALICE, f"wishes:yes:{claim}")]
    assert no_names(*seen)
    assert await look(lambda s: ledger.balance(s, BOB)) == 2


async def test_the_own_full_name_is_refused_in_a_wish_where_the_chat_knows_only_a_short_one(abroad):
    message = await abroad.all(ALICE, "wishes:new", "请帮艾丽丝买菜")
    assert message.text.startswith("心愿是公开的，请不要写姓名")


async def test_everything_is_said_in_english_too(say, look):
    await look(lambda s: s.execute(Chat.__table__.update().values(language="en")))
    await earn(look, ALICE, 40)
    listed = await say(ALICE, "rewards")
    assert listed.text == "You have 40 points to spend."
    held = await say.all(ALICE, "1", "1")
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", held.text)[0]
    assert held.text.startswith(f"Kept for you: 水杯. Pick-up code {code}: show it at")
    replies = [
        await say(ALICE, text) for text in ("rewards:mine", "1", "1", "rewards", "rewards:item:3", "5 points", "1")
    ]
    replies += [await say(KE, text) for text in ("hand over", code, "1", code)]
    replies += [
        await say(ALICE, text) for text in ("wishes", "wishes:new", "reading glasses", "Liangfeng", "80 yuan", "1")
    ]
    replies += [await say(SUN, text) for text in ("wish review", "1", "1")]
    replies += [await say(BOB, text) for text in ("wishes", "1", "1", "1", "1", "it was delivered")]
    replies += [await say(ALICE, text) for text in ("wishes:own", "1", "1")]
    names = [*NAMES.values(), "水杯", "围巾", "义务巡逻队项目", "梁丰社区党支部", "社区党群服务中心"]
    for message in replies:
        text = message.text + " ".join(message.labels())
        for name in names:
            text = text.replace(name, "")
        assert not CHINESE.search(text), text
    assert await look(lambda s: ledger.balance(s, BOB)) == 2
    assert await look(lambda s: ledger.balance(s, ALICE)) == 15
