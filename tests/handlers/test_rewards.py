"""Points for goods and projects, as a member sees it."""

from __future__ import annotations

import asyncio
import re
from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import ledger, redemptions
from db.pickup_codes import CODE_ALPHABET, new_code, read_code, written_code
from db.rewards import Redemption, Reward
from tests.cast import ALICE, BOB, CHARLIE, CITY, DAY, LIANGFENG, MO, NOON, QIAN, SHAZHOU

CUP, SCARF, PATROL = 1, 2, 3
NONCE = "0123456789ab"


def earn(session: Session, member_id: int, points: int, cause: str = "test") -> None:
    ledger.book(session, member_id=member_id, rule_id="PB1", cause=cause, points=points, day=DAY, booked_at=NOON)


@pytest.fixture
def give(look):
    """`await give(ALICE, 38)`: that member has earned so many points."""

    async def gives(member_id: int, points: int, cause: str = "test"):
        await look(lambda s: earn(s, member_id, points, cause))

    return gives


@pytest.fixture
def change(look):
    """`await change(CUP, price=25)`: the reward is altered by the office."""

    async def changes(reward_id: int, **values):
        def alter(session: Session) -> None:
            reward = session.get(Reward, reward_id)
            for name, value in values.items():
                setattr(reward, name, value)

        await look(alter)

    return changes


@pytest.fixture
def balance(look):
    async def asks(member_id: int) -> int:
        return await look(lambda s: ledger.balance(s, member_id))

    return asks


@pytest.fixture
def stock(look):
    async def asks(reward_id: int) -> int:
        return await look(lambda s: s.get(Reward, reward_id).stock)

    return asks


def code_in(message) -> str:
    return re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", message.text)[0]


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


async def test_what_is_sold_out_is_said_and_stands_at_the_end(say, give, change):
    await give(ALICE, 38)
    await change(CUP, stock=0)
    assert (await say(ALICE, "兑换")).labels()[-2] == "3 水杯（20 分，已兑完）"
    assert (await say(ALICE, "3")).text.startswith("水杯已兑完，没有扣您的积分。")


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


# Projects


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
