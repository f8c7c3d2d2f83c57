"""`预警` for the owners of colours: lists by page and colour, proof, reason, acknowledgement and plan."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from sqlalchemy import select

from db import audit, negatives, values
from db.accounts import Chat
from db.members import Role
from db.organizations import Organization
from db.pool import WarningEvent
from db.warnings import BranchWarning
from tests.cast import ALICE, CITY, COMMITTEE, DING, LIANGFENG, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.notices.pool_days import evaluate, nine, walk


@pytest.fixture
async def april(look, clock):
    """16 April: March is published; Liangfeng is blue and red, Shazhou yellow."""
    clock.now = nine(4, 16)

    def publish(session):
        for month in ("2026-01", "2026-02"):
            evaluate(session, month, LIANGFENG)
            evaluate(session, month, SHAZHOU)
        evaluate(session, "2026-03", LIANGFENG, rank=10, blue="C02;N03", red="C02")
        evaluate(session, "2026-03", SHAZHOU, rank=10, yellow="bottom_10")
        walk(session, clock.now)

    await look(publish)


async def ids(look, kind):
    return await look(lambda s: s.execute(select(BranchWarning.id).where(BranchWarning.kind == kind)).scalar())


async def test_an_owner_sees_what_waits_for_them_and_then_the_most_severe_of_the_subtree(say, april):
    message = await say(RUI, "预警")
    assert message.text.splitlines() == [
        "杨舍党工委范围内的预警（3 件，未确认的在前）：",
        "红色1个、黄色1个、蓝色1个",
        "1. 梁丰社区党支部：蓝色预警（2026年3月）：C02 支部委员会会议每月至少一次，等2项（等您确认）",
        "2. 梁丰社区党支部：红色预警（2026年3月）：C02 支部委员会会议每月至少一次",
        "3. 沙洲村党支部：黄色预警（2026年3月）：在本领域末位10%",
    ]
    assert message.labels()[-2:] == ["4 按颜色看", "0 菜单"]
    chosen = await say(RUI, "4")
    assert chosen.text == "杨舍党工委范围内看哪一种？等您确认的有 1 件。"
    assert (await say(RUI, "黄色预警")).text.splitlines()[1].startswith("1. 沙洲村党支部：黄色")


async def test_the_list_is_read_page_by_page(say, look, clock):
    clock.now = nine(4, 16)

    def many(session):
        for number in range(1000, 1007):
            session.add(
                Organization(
                    id=number,
                    code=f"X{number}",
                    name=f"第{number}支部",
                    level="branch",
                    field="soe",
                    parent_id=COMMITTEE,
                    path=f"/1/2/{number}/",
                )
            )
        session.flush()
        for number in range(1000, 1007):
            evaluate(session, "2026-03", number, blue="C02")
        walk(session, clock.now)

    await look(many)
    first = await say(RUI, "预警")
    assert len(first.text.splitlines()) == 6
    second = await say(RUI, "更多")
    assert [line[:10] for line in second.text.splitlines()[2:]] == [f"{n}. 第100{n + 3}支部" for n in (1, 2, 3)]
    assert not any("更多" in label for label in second.labels())
    choice = await say(RUI, "warnings:by", kind="button")
    assert choice.labels() == ["1 蓝色预警（7 件）", "2 都知道了", "3 看解除的", "9 返回", "0 菜单"]
    preview = await say(RUI, "2")
    assert preview.text == "等您确认的三色预警有 7 件。全部确认以后，不再提醒您。"
    assert (await say(RUI, "warnings:all:6", kind="button")).text == preview.text  # not what was shown
    assert (await say(RUI, "1")).text == "好的，7 件都不再提醒。办好后我会告诉您。"
    assert (await say(RUI, "warnings:all:7", kind="button")).text == "这件事已经确认过了，或已经解除。"
    states = await look(lambda s: s.execute(select(BranchWarning.state)).scalars().all())
    assert states == ["acknowledged"] * 7


async def test_the_owner_acknowledges_and_nobody_else(say, april, look):
    red = await ids(look, "pool_red")
    for person in (SUN, RUI, OLGA):
        assert (await say(person, f"warnings:ack:{red}", kind="button")).text == "这件事由区委组织部确认。"
    shown = await say(DING, f"warnings:show:{red}", kind="button")
    assert shown.text.splitlines() == [
        "梁丰社区党支部：红色预警（2026年3月）",
        "· 2026年1月、2月、3月，连续3个月未达标：C02 支部委员会会议每月至少一次",
        "提出：今天 09:10。还没有人确认。",
        "由区委组织部督办。",
    ]
    assert shown.labels() == ["1 我知道了", "2 写整改措施", "3 怎么算的", "4 谁知道了", "9 返回", "0 菜单"]
    assert (await say(DING, "1")).text.startswith("好的，不再提醒这件事")
    story = await say(DING, f"warnings:story:{red}", kind="button")
    assert story.text.splitlines() == [
        "红色预警（2026年3月）的经过：",
        "· 今天 09:10 公布",
        "· 今天 09:10 通知了孙书记",
        "· 今天 09:10 通知了丁组织",
        "· 今天 09:10 丁组织确认",
    ]
    assert (await say(QIAN, f"warnings:show:{red}", kind="button")).text == "没有找到这条预警，它可能已经解除。"


async def test_two_owners_at_once_acknowledge_it_once(say, april, look):
    await look(
        lambda s: s.add(Role(member_id=ALICE, organization_id=CITY, role="department", from_day=date(2026, 1, 1)))
    )
    yellow = await ids(look, "pool_yellow")
    answers = await asyncio.gather(
        *(say(person, f"warnings:ack:{yellow}", kind="button") for person in (OLGA, ALICE))
    )
    assert sorted(one.text[:3] for one in answers) == ["好的，", "这件事"]
    events = select(WarningEvent.member_id).where(WarningEvent.what == "acknowledged")
    assert len(await look(lambda s: s.execute(events).all())) == 1
    actions = await look(lambda s: s.execute(select(audit.AuditEvent.action)).scalars().all())
    assert actions == ["warning.acknowledged"]


async def test_the_secretary_plans_with_a_day_and_the_owner_reads_it(say, april, look):
    blue = await ids(look, "pool_blue")
    own = await say(SUN, "预警")
    assert own.text.splitlines()[0] == "要处理的预警（2 件）："
    assert "梁丰" not in own.text
    assert "沙洲" not in own.text
    shown = await say(SUN, "2")
    assert "我知道了" not in "".join(shown.labels())
    assert (await say(SUN, "1")).text.startswith("请写整改措施和完成的日期")
    assert (await say(SUN, "字" * 201)).text.startswith("请写得短一些")
    kept = await say(SUN, "每月第一个周三开支委会，4月30日前补齐记录")
    assert kept.text == "记下了。整改措施：每月第一个周三开支委会，4月30日前补齐记录（4月30日前完成）"
    assert "（4月30日前完成）" in (await say(RUI, f"warnings:show:{blue}", kind="button")).text
    assert (await look(lambda s: s.get(BranchWarning, blue).state)) == "open"
    await say.all(RUI, "预警", "1", "2", "下周去支部看一次")
    assert (await look(lambda s: s.get(BranchWarning, blue).state)) == "acknowledged"
    assert (await say(QIAN, f"warnings:plan:{blue}", kind="button")).text.startswith("没有找到")


async def test_the_reason_walks_down_to_what_was_recorded(say, april, look):
    def record(session):
        for month, value in (("2026-01", "0"), ("2026-03", "0")):
            values.record(
                session,
                organization_id=LIANGFENG,
                indicator_id="C02",
                period=month,
                value=value,
                collect="declare",
                cause="declaration:1",
                recorded_at=nine(4, 4),
            )
        negatives.post(
            session,
            organization_id=LIANGFENG,
            item_id="N03",
            day=date(2026, 3, 12),
            count=1,
            cause="inspection:1",
            recorded_at=nine(3, 13),
            note="台账后补",
        )

    await look(record)
    red, blue, yellow = [await ids(look, f"pool_{colour}") for colour in ("red", "blue", "yellow")]
    why = await say(SUN, f"warnings:why:{red}", kind="button")
    lines = why.text.splitlines()
    assert lines[0].startswith("怎么算：同一个指标连续3个月没有达标，或者连续3个月在本领域末位5%")
    assert lines[1].startswith("依据：赣榆")
    assert lines[2:4] == ["C02 支部委员会会议每月至少一次", "要求：至少 1，3分"]
    assert lines[5:] == [
        "2026年1月：0（申报，4 月 4 日）",
        "2026年2月：没有记录，算未达标",
        "2026年3月：0（申报，4 月 4 日）",
    ]
    choice = await say(SUN, f"warnings:why:{blue}", kind="button")
    assert [label[2:5] for label in choice.labels()[:2]] == ["C02", "N03"]
    assert (await say(SUN, "2")).text.splitlines()[-1] == "3 月 12 日：1次 台账后补"
    assert (await say(QIAN, f"warnings:why:{yellow}", kind="button")).text.splitlines()[-1] == (
        "2026年3月：90.00分，排第10（共10个）"
    )
    assert (await say(SUN, f"warnings:cause:{blue}:C99", kind="button")).text.startswith("没有找到")


async def test_before_publication_the_secretary_sees_what_stands_and_that_it_may_change(say, april, look, clock):
    clock.now = nine(5, 2)
    await look(lambda s: evaluate(s, "2026-04", LIANGFENG, blue="C02"))
    soon = "暂定，还会变：2026年4月的颜色5月16日公布，现在看是：蓝色。"
    message = await say(SUN, "预警")
    assert message.text.splitlines()[-1] == soon
    detail = (await say(SUN, "3")).text
    assert "· 2026年4月未达标：C02 支部委员会会议每月至少一次" in detail
    assert soon in detail
    assert "暂定" not in (await say(QIAN, "预警")).text
    await look(lambda s: walk(s, nine(5, 16)))
    assert "暂定" not in (await say(SUN, "预警")).text


async def test_what_is_over_can_be_read_again(say, april, look, clock):
    clock.now = nine(5, 16)

    def clear(session):
        evaluate(session, "2026-04", LIANGFENG, blue="C02")
        evaluate(session, "2026-04", SHAZHOU)
        walk(session, clock.now)

    await look(clear)
    message = await say(OLGA, "解除的预警")
    assert sorted(line.split("。")[-1] for line in message.text.splitlines()[1:]) == [
        "已解除",
        "已解除",
        "这一期已过",
    ]
    blue = await look(
        lambda s: s.execute(select(BranchWarning.id).where(BranchWarning.period == "2026-04")).scalar_one()
    )
    assert "从2026年3月起一直有。" in (await say(RUI, f"warnings:show:{blue}", kind="button")).text


async def test_in_english(say, april, look):
    def english(session):
        session.execute(select(Chat).where(Chat.member_id == DING)).scalar_one().language = "en"

    await look(english)
    message = await say(DING, "warnings")
    assert message.text.splitlines()[1:3] == [
        "1 red, 1 yellow, 1 blue",
        "1. 梁丰社区党支部: red (March 2026): C02 Branch committee meets at least once a month (waits for you)",
    ]
    detail = (await say(DING, "1")).text
    assert "January 2026, February, March, not met 3 months in a row: C02" in detail
