"""A reward is asked for, held and fetched, or given back."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, redemptions
from db.pickup_codes import CODE_ALPHABET, new_code, read_code, written_code
from db.rewards import Redemption
from tests.cast import ALICE, BOB, LIANGFENG, MO, NOON
from tests.handlers.rewards.conftest import CUP, NONCE, SCARF, code_in, earn


async def test_redeeming_asks_holds_and_gives_a_code(say, give, balance, stock, look):
    await give(ALICE, 38)
    preview = await say.all(ALICE, "兑换", "1")
    assert preview.text == "用 20 分换 1 个水杯？换后还剩 18 分。换礼品不影响先锋指数。"
    assert preview.labels() == ["1 确认", "2 取消", "0 菜单"]
    assert await balance(ALICE) == 38  # a preview takes nothing
    held = await say(ALICE, "1")
    code = code_in(held)
    assert held.text == f"已为您留好：水杯。取货码 {code}，15 天内到社区党群服务中心出示。过期自动退还积分。"
    assert held.labels() == ["1 看二维码", "2 取消兑换", "0 菜单"]
    assert (await balance(ALICE), await stock(CUP)) == (18, 1)
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (38, 100)}  # the index did not move


async def test_cancel_in_the_preview_takes_nothing(say, give, balance, stock):
    await give(ALICE, 38)
    message = await say.all(ALICE, "兑换", "1", "2")
    assert message.text == "您有 38 分可用。"
    assert (await balance(ALICE), await stock(CUP)) == (38, 2)


async def test_exactly_enough_is_enough_and_one_less_is_not(say, give, balance):
    await give(ALICE, 20)
    await give(BOB, 19)
    assert "换后还剩 0 分" in (await say.all(ALICE, "兑换", "1")).text
    short = await say.all(BOB, "兑换", "1")
    assert short.text == "换水杯要 20 分，您有 19 分，还差 1 分。"
    assert short.labels() == ["1 看近期活动", "2 看别的礼品", "0 菜单"]
    assert (await say(ALICE, "1")).text.startswith("已为您留好")
    assert (await balance(ALICE), await balance(BOB)) == (0, 19)


async def test_pressing_confirm_twice_makes_one_redemption_and_says_how_it_stands(say, give, balance, stock):
    await give(ALICE, 60)
    preview = await say.all(ALICE, "兑换", "1")
    confirm = preview.buttons[0].action
    first = await say(ALICE, confirm, kind="button")
    second = await say(ALICE, confirm, kind="button")
    code = code_in(first)
    assert second.text == f"水杯：取货码 {code}，6 月 30 日（周二）12:00 前到社区党群服务中心领取。"
    assert (await balance(ALICE), await stock(CUP)) == (40, 1)


async def test_twenty_presses_at_once_make_one_redemption(say, give, balance, stock):
    await give(ALICE, 100)
    confirm = (await say.all(ALICE, "兑换", "1")).buttons[0].action
    replies = await asyncio.gather(*(say(ALICE, confirm, kind="button") for _ in range(20)))
    assert sum(reply.text.startswith("已为您留好") for reply in replies) == 1
    assert (await balance(ALICE), await stock(CUP)) == (80, 1)


async def test_two_previews_are_two_redemptions(say, give, balance, stock):
    await give(ALICE, 60)
    await say.all(ALICE, "兑换", "1", "1")
    await say.all(ALICE, "兑换", "1", "1")
    assert (await balance(ALICE), await stock(CUP)) == (20, 0)


async def test_a_new_price_is_shown_before_anything_is_taken(say, give, change, balance):
    await give(ALICE, 38)
    await say.all(ALICE, "兑换", "1")
    await change(CUP, price=25)
    again = await say(ALICE, "1")
    assert again.text == (
        "水杯的价格刚刚改了，现在是 25 分。\n用 25 分换 1 个水杯？换后还剩 13 分。换礼品不影响先锋指数。"
    )
    assert await balance(ALICE) == 38
    assert (await say(ALICE, "1")).text.startswith("已为您留好")
    assert await balance(ALICE) == 13


async def test_the_last_one_goes_to_one_of_sixteen_and_the_others_keep_their_points(say, give, look, stock):
    people = list(range(1001, 1017))

    def join(session: Session) -> None:
        from db.accounts import Chat
        from db.members import Member, Membership

        for person in people:
            session.add(Member(id=person, code=f"M{person}", name=f"同志{person}"))
        session.flush()
        for person in people:
            session.add(Membership(member_id=person, organization_id=LIANGFENG, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"member:{person}", member_id=person, choices={}))
            earn(session, person, 30)

    await look(join)
    previews = [await say(person, "兑换 围巾") for person in people]
    assert all("用 30 分换 1 个围巾？" in preview.text for preview in previews)  # all have read: one left
    replies = await asyncio.gather(*(say(person, "1") for person in people))
    assert sum(reply.text.startswith("已为您留好：围巾") for reply in replies) == 1
    assert sum(reply.text.startswith("围巾已兑完，没有扣您的积分。") for reply in replies) == 15
    left = [await look(lambda s, who=person: ledger.balance(s, who)) for person in people]
    assert sorted(left) == [0] + [30] * 15
    assert await stock(SCARF) == 0


async def test_a_third_piece_has_to_wait_until_one_is_fetched(say, give, balance, change):
    await give(ALICE, 100)
    await change(CUP, stock=9)
    await say.all(ALICE, "兑换", "1", "1")
    await say.all(ALICE, "兑换", "1", "1")
    third = await say.all(ALICE, "兑换", "1", "1")
    assert third.text.startswith("您已有 2 件等着领取，先领取或取消一件")
    assert "1 水杯的取货码" in third.labels()
    assert await balance(ALICE) == 60


async def test_the_cap_of_a_year_counts_what_was_fetched_and_ends_with_the_year(say, give, change, look, clock):
    await give(ALICE, 100)
    await change(CUP, per_member=1)
    await say.all(ALICE, "兑换", "1", "1")
    refused = await say.all(ALICE, "兑换", "1", "1")
    assert refused.text.startswith("水杯每人每年最多 1 个，您今年已经换过。没有扣积分。")
    held = await look(lambda s: s.execute(select(Redemption.id)).scalar_one())
    await look(lambda s: redemptions.hand_over(s, held, keeper_id=MO, now=NOON))
    assert "每人每年最多" in (await say.all(ALICE, "兑换", "1", "1")).text
    clock.now += timedelta(days=200)  # January
    assert (await say.all(ALICE, "兑换", "1", "1")).text.startswith("已为您留好")


async def test_a_cancelled_piece_does_not_count_for_the_year(say, give, change):
    await give(ALICE, 100)
    await change(CUP, per_member=1)
    await say.all(ALICE, "兑换", "1", "1", "2")
    assert (await say.all(ALICE, "兑换", "1", "1")).text.startswith("已为您留好")


async def test_giving_back_returns_points_and_piece_once(say, give, balance, stock, look):
    await give(ALICE, 38)
    held = await say.all(ALICE, "兑换", "1", "1")
    cancel = held.buttons[1].action
    given_up = await say(ALICE, "2")
    assert given_up.text == "已取消兑换：水杯。20 分已退还，积分余额：38 分。"
    assert given_up.labels() == ["1 重新兑换水杯", "9 返回", "0 菜单"]
    again = await say(ALICE, cancel, kind="button")
    assert again.text == "水杯：已取消，20 分已退还。"
    assert (await balance(ALICE), await stock(CUP)) == (38, 2)
    lines = await look(lambda s: [(line.rule_id, line.points, line.in_index) for line in ledger.lines(s, ALICE)])
    assert lines == [("REFUND", 20, False), ("REDEEM", -20, False), ("PB1", 38, True)]


async def test_the_confirm_button_of_a_cancelled_piece_says_so_and_takes_nothing(say, give, balance):
    await give(ALICE, 38)
    preview = await say.all(ALICE, "兑换", "1")
    await say.all(ALICE, "1", "2")
    assert (await say(ALICE, preview.buttons[0].action, kind="button")).text == "水杯：已取消，20 分已退还。"
    assert await balance(ALICE) == 38


async def test_my_codes_can_be_seen_again_with_their_picture(say, give):
    await give(ALICE, 38)
    code = code_in(await say.all(ALICE, "兑换", "1", "1"))
    listed = await say.all(ALICE, "兑换")
    assert "4 我的取货码" in listed.labels()
    mine = await say(ALICE, "4")
    assert mine.text == f"水杯：取货码 {code}，6 月 30 日（周二）12:00 前到社区党群服务中心领取。"
    picture = (await say.all(ALICE, "1", "1")).picture
    assert picture.kind == "qr"
    assert picture.data == {"text": f"p-{code.replace('-', '')}"}
    assert picture.alt == f"取货码 {code} 的二维码"


async def test_somebody_elses_redemption_is_as_unknown_as_none(say, give, look, balance):
    await give(ALICE, 38)
    await say.all(ALICE, "兑换", "1", "1")
    held = await look(lambda s: s.execute(select(Redemption.id)).scalar_one())
    for verb in ("code", "qr", "cancel"):
        stolen = await say(BOB, f"rewards:{verb}:{held}", kind="button")
        absent = await say(BOB, f"rewards:{verb}:999999", kind="button")
        assert stolen == absent
        assert stolen.picture is None
    assert await balance(ALICE) == 18


async def test_points_spent_on_another_phone_are_missed_at_the_confirmation(say, give, balance):
    await give(ALICE, 30)
    await say.all(ALICE, "兑换", "1")
    await say(ALICE, f"rewards:fund:3:15:{NONCE}", kind="button")
    await say.all(ALICE, "兑换", "1")
    assert await balance(ALICE) == 15
    refused = await say(ALICE, f"rewards:take:1:20:{NONCE[::-1]}", kind="button")
    assert refused.text == "换水杯要 20 分，您有 15 分，还差 5 分。"


async def test_a_debt_is_said_and_nothing_can_be_had_with_it(say, give, look):
    await give(ALICE, 20)
    await say.all(ALICE, "兑换", "1", "1")
    await give(ALICE, -5, cause="corrected")
    message = await say(ALICE, "兑换")
    assert message.text == "您有 0 分可用。\n另有 5 分因更正待扣，以后得到的积分先抵扣。"


# Codes


def test_codes_have_no_look_alikes_and_are_read_as_people_write_them():
    assert not set("01OILBSZAEU") & set(CODE_ALPHABET)
    code = new_code()
    assert len(code) == 8
    assert read_code(written_code(code).lower()) == code
    assert read_code(f" {code[:4]}－{code[4:]} ") == code
    assert read_code("7k4m-z9qd") == "7K4M29QD"


@pytest.mark.parametrize(
    "text", ["", "7K4M", "7K4M-29QD9", "7K4M-29Q0", "7K4M-29QO", "😀" * 8, "七七七七七七七七"]
)
def test_what_is_no_code_is_none(text):
    assert read_code(text) is None
