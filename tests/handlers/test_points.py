"""Points and one's own data, as a member sees them."""

from __future__ import annotations

from datetime import timedelta

from db import ledger
from tests.cast import ALICE, BOB, DAY, NOON, OWN_CODE, SUN


async def test_the_last_lines_say_why_and_which_side_they_count_on(say, look):
    await say(ALICE, f"签到 {OWN_CODE}")

    def more(session):
        ledger.spend(
            session, member_id=ALICE, rule_id="REDEEM", cause="redemption:1", points=1, day=DAY, booked_at=NOON
        )
        ledger.book(
            session,
            member_id=ALICE,
            rule_id="PN3",
            cause="dues:1",
            points=-1,
            day=DAY,
            booked_at=NOON,
            in_wallet=False,
        )

    await look(more)
    lines = (await say(ALICE, "积分")).text.splitlines()
    assert lines[0].startswith("积分余额：1 分；今年先锋指数 21.00 分")
    assert "6月15日 +2 参加本支部活动 主题党日：重温入党誓词" in lines
    assert "6月15日 -1 兑换（不影响指数）" in lines
    assert any(line.startswith("6月15日 -1") and line.endswith("（只计指数）") for line in lines)


async def test_six_lines_are_shown_and_the_others_behind_more(say, look):
    def book(session):
        for number in range(11):
            ledger.book(
                session, member_id=ALICE, rule_id="PB2", cause=f"dues:{number}", points=1, day=DAY, booked_at=NOON
            )

    await look(book)
    text = (await say(ALICE, "明细")).text
    assert "最近 4 笔" in text
    assert text.count("6月15日") == 4
    assert len(text.splitlines()) == 6
    await say(ALICE, "4")
    assert len([label for label in (await say(ALICE, "更多")).labels() if "6月15日" in label]) == 5


async def test_points_taken_back_after_they_were_spent_are_a_debt_that_later_points_pay(say, look, clock):
    await say(ALICE, f"签到 {OWN_CODE}")

    def spend(session):
        ledger.spend(
            session, member_id=ALICE, rule_id="REDEEM", cause="redemption:1", points=2, day=DAY, booked_at=NOON
        )

    await look(spend)
    clock.now += timedelta(minutes=1)
    await say(ALICE, f"check_in:{OWN_CODE}:undo")
    message = await say(ALICE, "积分")
    assert message.text.startswith("积分余额：0 分")
    assert "另有 2 分因更正待扣" in message.text
    await say(ALICE, f"签到 {OWN_CODE}")
    assert "待扣" not in (await say(ALICE, "积分")).text


async def test_without_lines_it_says_how_to_get_some(say):
    assert "参加活动签到就有分" in (await say(BOB, "积分")).text


async def test_the_card_names_branch_chats_and_duties(say):
    text = (await say(SUN, "我的")).text
    assert "支部：梁丰社区党支部" in text
    assert "聊天：网页" in text
    assert "职责：梁丰社区党支部书记" in text


async def test_what_is_stored_can_be_taken_along_and_is_only_ones_own(say):
    await say(ALICE, f"签到 {OWN_CODE}")
    text = (await say.all(ALICE, "我的", "1")).text
    assert "姓名：艾丽丝；编号：M101" in text
    assert "积分流水：1 笔；余额：2 分" in text
    assert "艾丽丝" not in (await say.all(BOB, "我的", "1")).text


async def test_a_stranger_may_read_the_privacy_note(say):
    message = await say("phone", "隐私")
    assert "我们保存" in message.text
    assert "me:export" not in {button.action for button in message.buttons}
