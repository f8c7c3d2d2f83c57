"""Members pool points for a project."""

from __future__ import annotations

import pytest

from db import ledger
from db.rewards import Reward
from tests.cast import ALICE, BOB, CHARLIE
from tests.handlers.rewards.conftest import PATROL


async def test_several_members_pool_points_for_a_project(say, give, balance, look):
    await give(ALICE, 50)
    await give(CHARLIE, 30)
    asked = await say.all(ALICE, "兑换", "3")
    assert asked.text == (
        "义务巡逻队项目：已筹 460/800 分。\n您有 50 分可用，最多可以支持 50 分。想支持多少？请回复数字，例如：50分"
    )
    preview = await say(ALICE, "４０")
    assert preview.text == "用 40 分支持义务巡逻队项目？支持后还剩 10 分，不能退回。不影响先锋指数。"
    done = await say(ALICE, "1")
    assert done.text == "谢谢您！您支持了 40 分，义务巡逻队项目已筹 500/800 分。积分余额：10 分。"
    assert "已筹 530/800" in (await say.all(CHARLIE, "兑换", "3", "30分", "1")).text
    assert (await balance(ALICE), await balance(CHARLIE)) == (10, 0)
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (50, 100)}


async def test_nine_points_are_written_with_their_unit_because_nine_is_back(say, give):
    await give(ALICE, 50)
    assert (await say.all(ALICE, "兑换", "3", "9")).text == "您有 50 分可用。"
    assert "用 9 分支持" in (await say.all(ALICE, "3", "9分")).text


@pytest.mark.parametrize("text", ["很多", "-5", "2.5", "0分", "😀", "五" * 5000, "1e3", "\u202e5x"])
async def test_what_is_no_number_is_asked_for_again(say, give, balance, text):
    await give(ALICE, 50)
    message = await say.all(ALICE, "兑换", "3", text)
    assert message.text.startswith("请回复 1 以上的整数")
    assert "用 5 分支持" in (await say(ALICE, "5分")).text  # the question still stands
    assert await balance(ALICE) == 50


async def test_more_than_one_has_is_refused_to_the_point(say, give):
    await give(ALICE, 50)
    assert (await say.all(ALICE, "兑换", "3", "51")).text.startswith("51 分太多了，您现在最多可以支持 50 分。")
    assert "用 50 分支持" in (await say(ALICE, "50")).text


async def test_never_more_than_the_goal_still_needs(say, give, change, balance):
    await give(ALICE, 50)
    await give(BOB, 50)
    await change(PATROL, raised=790)
    assert "最多可以支持 10 分" in (await say.all(ALICE, "兑换", "3")).text
    assert (await say(ALICE, "11")).text.startswith("11 分太多了")
    await say(ALICE, "10")
    await say.all(BOB, "兑换", "3", "10")  # both have read: ten are missing
    assert (await say(ALICE, "1")).text.startswith("谢谢您！您支持了 10 分，义务巡逻队项目已筹满 800/800 分。")
    late = await say(BOB, "1")
    assert late.text.startswith("义务巡逻队项目已经筹满 800/800 分，谢谢大家。")
    assert (await balance(ALICE), await balance(BOB)) == (40, 50)
    assert "3 义务巡逻队项目（已筹满 800/800）" in (await say(BOB, "兑换")).labels()


async def test_a_goal_that_came_nearer_meanwhile_is_asked_again(say, give, change, balance):
    await give(ALICE, 50)
    await say.all(ALICE, "兑换", "3", "50")
    await change(PATROL, raised=780)
    message = await say(ALICE, "1")
    assert message.text.startswith("别人刚刚也支持了，目标近了")
    assert "最多可以支持 20 分" in message.text
    assert await balance(ALICE) == 50


async def test_supporting_twice_by_one_button_gives_once(say, give, balance, look):
    await give(ALICE, 50)
    confirm = (await say.all(ALICE, "兑换", "3", "20")).buttons[0].action
    await say(ALICE, confirm, kind="button")
    assert (await say(ALICE, confirm, kind="button")).text.startswith("您已经支持过了：20 分")
    assert await balance(ALICE) == 30
    assert await look(lambda s: s.get(Reward, PATROL).raised) == 480


async def test_without_points_there_is_nothing_to_give(say):
    message = await say.all(ALICE, "兑换", "3")
    assert message.text.endswith("您现在没有可用的积分。")
    assert "1 看近期活动" in message.labels()
