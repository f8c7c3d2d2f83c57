"""Checking in, as a member sees it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from db import activities, ledger
from db.activities import Activity
from db.indices import PioneerIndex
from db.ledger import Entry
from db.members import Membership
from scoring.replay import replay
from scoring.update import prepare, store
from tests.cast import (
    ALICE,
    BOB,
    CHARLIE,
    DAY,
    LATER_CODE,
    NOON,
    OTHER_CODE,
    OWN_CODE,
    REGION_CODE,
    SHAZHOU,
)
from tests.conftest import ZONE


def labels(message):
    return message.labels()


async def test_own_branch_activity_pays_two(say, look):
    message = await say(ALICE, f"签到 {OWN_CODE}")
    assert message.text.startswith("签到成功：主题党日：重温入党誓词（12:00）。本支部活动 +2 分。")
    assert "积分余额：2 分" in message.text
    assert labels(message) == ["1 撤销（10 分钟内）", "2 看明细", "0 菜单"]
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (2, 100)}


async def test_regional_activity_pays_three_and_nothing_more(say, look):
    for person in (ALICE, CHARLIE):
        assert "区域活动 +3 分" in (await say(person, f"签到{REGION_CODE}")).text
        assert await look(lambda s, who=person: ledger.totals(s, who, 2026)) == {"PP1": (3, 100)}


async def test_second_check_in_pays_nothing_and_says_when_the_first_was(say, look, clock):
    await say(ALICE, f"签到 {OWN_CODE}")
    clock.now += timedelta(minutes=5)
    message = await say(ALICE, f"签到 {OWN_CODE}")
    assert message.text == "您今天 12:00 已经签到（主题党日：重温入党誓词），不用再签。"
    assert await look(lambda s: ledger.balance(s, ALICE)) == 2


async def test_a_list_of_open_activities_is_picked_from_by_number(say):
    message = await say(ALICE, "签到")
    assert message.text == "现在可以签到的活动："
    assert labels(message) == [
        "1 主题党日：重温入党誓词（本支部，12:10，社区党员活动室）",
        "2 区域联建：沙洲湖清洁日（区域活动，12:10，社区党员活动室，+3 分）",
        "0 菜单",
    ]
    assert "区域活动 +3 分" in (await say(ALICE, "２")).text


async def test_another_branch_is_as_unknown_as_a_wrong_code(say, look):
    wrong_branch = await say(ALICE, f"签到 {OTHER_CODE}")
    wrong_code = await say(ALICE, "签到 1234")
    assert wrong_branch.text == wrong_code.text
    assert await look(lambda s: ledger.balance(s, ALICE)) == 0


async def test_check_in_opens_to_the_second(say, clock):
    opens = NOON + timedelta(hours=6, minutes=30)
    clock.now = opens - timedelta(seconds=1)
    early = await say(ALICE, f"签到 {LATER_CODE}")
    assert early.text.startswith("还没到签到时间，18:30 开始")
    assert "1 提醒我" in labels(early)
    clock.now = opens
    assert (await say(ALICE, f"签到 {LATER_CODE}")).text.startswith("签到成功")


async def test_check_in_closes_to_the_second(say, clock):
    closes = NOON + timedelta(hours=2, minutes=10)
    clock.now = closes
    assert (await say(ALICE, f"签到 {OWN_CODE}")).text.startswith("签到成功")
    clock.now = closes + timedelta(seconds=1)
    assert "已在 14:10 结束" in (await say(BOB, f"签到 {OWN_CODE}")).text


async def test_undo_within_ten_minutes_takes_the_points_back(say, look, clock):
    await say(ALICE, f"签到 {OWN_CODE}")
    clock.now += timedelta(minutes=10)
    assert (await say(ALICE, "1")).text == "已撤销签到：主题党日：重温入党誓词。积分余额：0 分。"
    again = await say(ALICE, "1")
    assert "+2 分" in again.text
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (2, 100)}
    assert len(await look(lambda s: ledger.lines(s, ALICE))) == 3


async def test_undo_after_ten_minutes_is_refused(say, look, clock):
    await say(ALICE, f"签到 {OWN_CODE}")
    clock.now += timedelta(minutes=10, seconds=1)
    assert "已超过 10 分钟" in (await say(ALICE, "1")).text
    assert await look(lambda s: ledger.balance(s, ALICE)) == 2


async def test_twenty_taps_at_once_pay_once(say, look):
    replies = await asyncio.gather(*(say(ALICE, f"签到 {OWN_CODE}") for _ in range(20)))
    assert sum(reply.text.startswith("签到成功") for reply in replies) == 1
    assert await look(lambda s: ledger.balance(s, ALICE)) == 2


async def test_a_redelivery_gives_the_same_reply_and_no_second_effect(say, look):
    first = await say.answer(ALICE, f"签到 {OWN_CODE}", key="same")
    second = await say.answer(ALICE, f"签到 {OWN_CODE}", key="same")
    assert first.message == second.message
    assert (first.first, second.first) == (True, False)
    assert await look(lambda s: ledger.balance(s, ALICE)) == 2


async def test_times_of_another_day_are_said_with_the_day(say, clock):
    clock.now = NOON - timedelta(days=3)
    early = await say(ALICE, f"签到 {LATER_CODE}")
    assert early.text.startswith("还没到签到时间，6 月 15 日 18:30 开始")
    assert "6 月 15 日 18:30" in (await say(ALICE, "1")).text
    clock.now = NOON + timedelta(days=3)
    assert "签到已在 6 月 15 日 " in (await say(ALICE, f"签到 {LATER_CODE}")).text


async def test_a_check_in_before_midnight_belongs_to_the_day_on_which_the_activity_begins(say, look, clock):
    evening = datetime(2026, 6, 15, 15, 50, tzinfo=UTC)  # 23:50 in the city
    monday, tuesday = DAY, DAY + timedelta(days=1)

    def prepared(session):
        activity = activities.by_code(session, LATER_CODE)
        late = {"starts_at": evening + timedelta(minutes=20), "ends_at": evening + timedelta(hours=1)}
        opened = {"check_in_opens_at": evening, "check_in_closes_at": evening + timedelta(hours=1)}
        session.execute(update(Activity).where(Activity.id == activity.id).values(**late, **opened))
        moving = update(Membership).where(Membership.member_id == ALICE)
        session.execute(moving.values(to_day=tuesday))  # a night later she belongs to the other branch
        session.add(Membership(member_id=ALICE, organization_id=SHAZHOU, from_day=tuesday))

    def line(session):
        return session.execute(select(Entry.day, Entry.organization_id)).one()

    def both_ways(session):
        store(session, prepare(session, monday, zone=ZONE))
        same = prepare(session, monday, zone=ZONE, lines=True).rows
        scores = replay(session, monday, zone=ZONE).members
        again = dict(zip(scores.ids.tolist(), scores.result.score.tolist(), strict=True))[ALICE]
        return same, again == session.get(PioneerIndex, (ALICE, 2026)).score

    await look(prepared)
    clock.now = evening
    assert "签到成功" in (await say(ALICE, f"签到 {LATER_CODE}")).text
    assert await look(line) == (tuesday, SHAZHOU)
    assert await look(both_ways) == (0, True), "totals, raw lines and the replay of that evening agree"
