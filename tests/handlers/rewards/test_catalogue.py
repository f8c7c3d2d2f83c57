"""The catalogue: what is there, for whom, and what a forged button finds."""

from __future__ import annotations

import pytest

from db.rewards import Reward
from tests.cast import ALICE, CITY, QIAN, SHAZHOU
from tests.handlers.rewards.conftest import CUP, NONCE


async def test_the_catalogue_shows_balance_price_and_stock(say, give):
    await give(ALICE, 38)
    message = await say(ALICE, "兑换")
    assert message.text == "您有 38 分可用。"
    assert message.labels() == [
        "1 水杯（20 分，剩 2）",
        "2 围巾（30 分，剩 1）",
        "3 义务巡逻队项目（任意分，已筹 460/800）",
        "0 菜单",
    ]


async def test_what_is_sold_out_is_said_and_stands_at_the_end(say, give, change):
    await give(ALICE, 38)
    await change(CUP, stock=0)
    assert (await say(ALICE, "兑换")).labels()[-2] == "3 水杯（20 分，已兑完）"
    assert (await say(ALICE, "3")).text.startswith("水杯已兑完，没有扣您的积分。")


@pytest.mark.parametrize(
    "text",
    [
        "rewards:999999",
        "rewards:abc",
        "rewards:item:999999",
        "rewards:item:abc",
        "rewards:item",
        "rewards:item:99999999999999999999",
        "rewards:take:1",
        "rewards:take:1:20",
        f"rewards:take:999999:20:{NONCE}",
        f"rewards:take:1:0:{NONCE}",
        f"rewards:take:1:-20:{NONCE}",
        f"rewards:take:3:20:{NONCE}",
        "rewards:take:1:20:" + "a" * 60,
        f"rewards:fund:1:20:{NONCE}",
        f"rewards:fund:3:0:{NONCE}",
        "rewards:fund:3:5",
        "rewards:give:1:5",
        "rewards:give:abc:5",
        "兑换 999999",
        "兑换 不存在的东西",
        "兑换 😀",
        "兑换 " + "长" * 5000,
        "兑换 \u202e水杯\u200b2",
    ],
)
async def test_what_is_forged_or_mistyped_gets_the_catalogue_and_takes_nothing(say, give, balance, stock, text):
    await give(ALICE, 38)
    message = await say(ALICE, text)
    assert message.text.startswith("没有这个礼品，或者它已经下架。")
    assert "1 水杯（20 分，剩 2）" in message.labels()
    assert (await balance(ALICE), await stock(CUP)) == (38, 2)


async def test_a_page_that_is_not_there_is_the_nearest_one(say):
    for page in ("0", "7", "abc", "99999999999"):
        assert "1 水杯（20 分，剩 2）" in (await say(ALICE, f"rewards:page:{page}", kind="button")).labels()


async def test_five_on_a_page_and_the_rest_on_the_next(say, look, give):
    await give(ALICE, 5)
    await look(
        lambda s: s.add_all(
            Reward(organization_id=CITY, kind="goods", name=f"礼品{n}", price=n, stock=1, received=1)
            for n in range(1, 5)
        )
    )
    first = await say(ALICE, "兑换")
    assert first.labels()[:6] == [
        "1 礼品1（1 分，剩 1）",
        "2 礼品2（2 分，剩 1）",
        "3 礼品3（3 分，剩 1）",
        "4 礼品4（4 分，剩 1）",
        "5 水杯（20 分，剩 2）",
        "6 下一页",
    ]
    second = await say(ALICE, "6")
    assert second.labels() == [
        "1 围巾（30 分，剩 1）",
        "2 义务巡逻队项目（任意分，已筹 460/800）",
        "9 返回",
        "0 菜单",
    ]
    assert "用 2 分换 1 个礼品2？" in (await say(ALICE, "兑换 2")).text  # by its place in the list
    assert "用 2 分换 1 个礼品2？" in (await say(ALICE, "兑换 礼品2")).text


async def test_only_what_the_own_organisations_offer_is_there(say, give, look, balance):
    await look(
        lambda s: s.add(
            Reward(id=50, organization_id=SHAZHOU, kind="goods", name="草帽", price=5, stock=3, received=3)
        )
    )
    await give(ALICE, 38)
    assert "草帽" not in str((await say(ALICE, "兑换")).labels())
    assert "1 草帽（5 分，剩 3）" in (await say(QIAN, "兑换")).labels()
    forged = await say(ALICE, f"rewards:take:50:5:{NONCE}", kind="button")
    assert forged.text.startswith("没有这个礼品")
    assert await balance(ALICE) == 38


async def test_what_was_taken_off_the_list_cannot_be_had_by_an_old_button(say, give, change, balance):
    await give(ALICE, 38)
    await say.all(ALICE, "兑换", "1")
    await change(CUP, active=False)
    assert (await say(ALICE, "1")).text.startswith("没有这个礼品，或者它已经下架。")
    assert await balance(ALICE) == 38
