"""What is coming, and leave from it."""

from __future__ import annotations

from datetime import timedelta

from db import activities, attendance, ledger
from tests.cast import ALICE, BOB, MO, NOON, OWN_CODE, QIAN, SUN
from tests.handlers.activities.conftest import DAY, EVENING


async def test_a_member_sees_own_branch_and_region_in_the_order_of_time(say):
    message = await say(ALICE, "活动")
    assert message.text == "近期活动（14 天内）："
    assert message.labels() == [
        "1 主题党日：重温入党誓词，今天 12:10",
        "2 区域联建：沙洲湖清洁日（区域活动），今天 12:10",
        "3 晚间党课，今天 19:00",
        "0 菜单",
    ]


async def test_nothing_planned_says_so_and_whom_to_ask(say, clock):
    clock.now = NOON + 2 * DAY
    message = await say(ALICE, "活动")
    assert message.text == "14 天内还没有安排活动。"
    assert message.labels() == ["1 找书记", "0 菜单"]


async def test_details_for_a_member_hold_no_code(say):
    message = await say.all(ALICE, "活动", "3")
    assert message.text.splitlines() == [
        "晚间党课",
        "时间：今天 19:00–21:00",
        "地点：社区党员活动室",
        "本支部活动，流动党员可远程参加",
    ]
    assert message.labels() == ["1 来不了，请假", "9 返回", "0 菜单"]


async def test_details_for_the_secretary_hold_the_code(say):
    message = await say.all(SUN, "活动", "1")
    assert f"签到码：{OWN_CODE}" in message.text
    assert message.labels()[:4] == ["1 签到", "2 来不了，请假", "3 签到二维码", "4 到会名单"]


async def test_a_mobile_member_joins_from_the_details(say):
    message = await say.all(MO, "活动", "1")
    assert "2 远程参加" in message.labels()
    assert (await say(MO, "2")).text.startswith("已进入")


async def test_another_branchs_activity_is_as_unknown_as_none(press):
    texts = {
        (await press(ALICE, f"activities:{step}:{number}")).text
        for step in ("show", "leave", "come")
        for number in (3, 999, "x", "")
    }
    assert texts == {"没有找到这个活动，或者它不属于您的支部和区域。"}


# ---- leave


async def test_leave_is_asked_with_a_reason_and_granted(say, told, look):
    asks = await say.all(ALICE, "活动", "3", "1")
    assert asks.labels() == ["1 出差在外", "2 身体不适", "3 家里有事", "9 返回", "0 菜单"]
    assert (await say(ALICE, "要去外地开会")).text == "已请假：晚间党课。书记同意后我告诉您。"
    assert await told(SUN) == ["【请假】晚间党课 有一位党员请假，请您看一看。"]
    request = await say(SUN, "activities:asked:4", kind="button")
    assert request.text == "艾丽丝 请假（晚间党课）：要去外地开会\n还有 0 人待批。"
    assert (await say(SUN, "1")).text == "晚间党课 没有待批的请假。"
    assert await told(ALICE) == ["书记同意了您的请假：晚间党课。"]
    assert (await look(lambda s: attendance.found(s, 4, ALICE)))[0] == "excused"


async def test_a_refusal_is_told_and_the_member_can_still_come(say, told, clock, look):
    await say.all(ALICE, "活动", "3", "1", "1")
    await say.all(SUN, "activities:asked:4", "2")
    assert (await told(ALICE))[0].startswith("书记没有同意您的请假")
    clock.now = EVENING
    assert (await say(ALICE, "签到 5512")).text.startswith("签到成功")
    assert await look(lambda s: ledger.line(s, ALICE, "activity:4").points) == 2


async def test_a_reason_of_sixty_characters_is_the_longest(say):
    await say.all(ALICE, "活动", "3", "1")
    assert (await say(ALICE, "长" * 61)).text == "请写短一些，60 个字以内。"
    assert (await say(ALICE, "长" * 60)).text.startswith("已请假")


async def test_leave_can_be_taken_back(press, look):
    await press(ALICE, "activities:leave:4:ill")
    message = await press(ALICE, "activities:show:4")
    assert "您已请假，等书记同意。" in message.text
    assert "1 又能来了" in message.labels()
    assert (await press(ALICE, "activities:come:4")).text == "好的，期待您来：晚间党课。"
    assert (await press(ALICE, "activities:come:4")).text == "您没有请假，直接来就好：晚间党课。"
    assert (await press(SUN, f"activities:grant:4:{ALICE}")).text == "这个请假已经处理过了，或已撤回。"


async def test_leave_ends_with_the_beginning_to_the_second(press, clock):
    clock.now = EVENING
    assert "已经开始，不能再请假" in (await press(ALICE, "activities:leave:4:ill")).text
    clock.now = EVENING - timedelta(seconds=1)
    assert (await press(ALICE, "activities:leave:4:ill")).text.startswith("已请假")


async def test_a_regional_activity_and_the_secretary_ask_nobody(press, told):
    assert (await press(ALICE, "activities:leave:2:trip")).text == "已请假：区域联建：沙洲湖清洁日。"
    assert (await press(SUN, "activities:leave:4:trip")).text == "已请假：晚间党课。"
    assert await told(QIAN) == await told(SUN) == []


async def test_whoever_has_checked_in_needs_no_leave(say, press):
    await say(ALICE, f"签到 {OWN_CODE}")
    assert (
        await press(ALICE, "activities:leave:1:ill")
    ).text == "您已经签到（主题党日：重温入党誓词），不用请假。"


async def test_leave_of_a_cancelled_activity(press, look):
    await look(lambda s: activities.cancel(s, 4))
    assert (await press(ALICE, "activities:leave:4")).text == "这个活动已取消。"


async def test_only_the_secretary_of_the_branch_decides(press):
    await press(ALICE, "activities:leave:4:ill")
    for person in (ALICE, BOB, QIAN):
        for step in ("asked:4", f"grant:4:{ALICE}", "roll:4", "record:4", "finish:4", "cancel:4", "qr:4"):
            assert "由支部书记办" in (await press(person, f"activities:{step}")).text, step
