"""Binding a chat, as a stranger and as a member see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db import accounts
from handlers.binding import CODE_LASTS, WRONG_MAX, grouped, invite
from tests.cast import ALICE, BOB, OWN_CODE
from tests.notices.sending import FakeChannel, engine


@pytest.fixture
def code_for(look, clock):
    """A fresh code of a member."""

    async def give(member_id):
        return await look(lambda s: invite(s, member_id, clock.now))

    return give


async def test_a_stranger_gets_help_but_no_data(say):
    for words in ("你好", "积分", "签到", "points", "红信", "0", "menu", "check_in:8841", "me:export"):
        message = await say("phone", words)
        assert "绑定码" in message.text
        assert "艾丽丝" not in message.text


async def test_a_code_binds_however_it_is_written(say, code_for):
    forms = ("绑定 {}", "绑定{}", "/start {}", "/bind {}", "{}", "bind {}")
    for number, form in enumerate(forms):
        code = await code_for(ALICE)
        written = form.format(grouped(code) if number % 2 else code)
        message = await say(f"phone{number}", written)
        assert message.text.startswith("绑定成功。艾丽丝，您好！您在：梁丰社区党支部。"), written
        assert message.labels()[:3] == ["1 签到", "2 我的积分", "3 红信订阅"]


async def test_a_used_code_does_not_bind_again(say, code_for):
    code = await code_for(ALICE)
    await say("first", f"绑定 {code}")
    message = await say("second", f"绑定 {code}")
    assert message.text == "这个绑定码不对或已过期（有效 10 分钟，只能用一次）。还可以试 4 次。"


async def test_a_code_lasts_ten_minutes_to_the_second(say, code_for, clock):
    in_time, too_late = await code_for(ALICE), await code_for(BOB)
    clock.now += CODE_LASTS - timedelta(seconds=1)
    assert "绑定成功" in (await say("a", f"绑定 {in_time}")).text
    clock.now += timedelta(seconds=1)
    assert "绑定成功" not in (await say("b", f"绑定 {too_late}")).text


async def test_five_wrong_codes_end_the_tries_for_an_hour_even_for_the_right_one(say, code_for, clock):
    for left in range(WRONG_MAX - 1, 0, -1):
        assert f"还可以试 {left} 次" in (await say("phone", "绑定 0000-0000")).text
    assert "一小时后" in (await say("phone", "绑定 0000-0000")).text
    assert "一小时后" in (await say("phone", f"绑定 {await code_for(ALICE)}")).text
    clock.now += timedelta(hours=1)
    assert "绑定成功" in (await say("phone", f"绑定 {await code_for(ALICE)}")).text


async def test_a_second_chat_shares_the_points_and_is_announced(say, code_for):
    await say("phone", f"绑定 {await code_for(ALICE)}")
    await say("phone", f"签到 {OWN_CODE}")
    message = await say("tablet", f"绑定 {await code_for(ALICE)}")
    assert "这是您的第 3 个聊天" in message.text
    assert "积分余额：2 分" in (await say("tablet", "积分")).text
    assert "已经签到" in (await say("tablet", f"签到 {OWN_CODE}")).text


async def test_a_stolen_binding_is_cut_off_from_the_other_chat(say, code_for, look):
    await say("thief", f"绑定 {await code_for(ALICE)}")
    thief = await look(lambda s: accounts.chat_at(s, "web", "thief").id)
    assert "已断开" in (await say(ALICE, f"unbind:other:{thief}")).text
    assert "绑定码" in (await say("thief", "积分")).text


async def test_nobody_cuts_off_the_chat_of_somebody_else(say, look):
    of_bob = await look(lambda s: accounts.chat_at(s, "web", f"member:{BOB}").id)
    assert "不在您的账号上" in (await say(ALICE, f"unbind:other:{of_bob}")).text
    assert "鲍勃" in (await say(BOB, "我的")).text


async def test_unbinding_asks_first_and_keeps_everything(say, code_for):
    await say(ALICE, f"签到 {OWN_CODE}")
    assert "要解绑" in (await say(ALICE, "解绑")).text
    assert "积分余额：2" in (await say(ALICE, "积分")).text
    await say(ALICE, "解绑")
    assert (await say(ALICE, "1")).text.startswith("已解绑")
    assert "绑定码" in (await say(ALICE, "积分")).text
    await say(ALICE, f"绑定 {await code_for(ALICE)}")
    assert "积分余额：2" in (await say(ALICE, "积分")).text


async def test_a_bound_chat_does_not_change_its_member_without_unbinding(say, code_for):
    message = await say(ALICE, f"绑定 {await code_for(BOB)}")
    assert "请先解绑" in message.text
    assert "艾丽丝" in (await say(ALICE, "菜单")).text


async def test_a_scanned_activity_checks_a_member_in_and_asks_a_stranger_to_bind(say):
    assert (await say(ALICE, f"c-{OWN_CODE}", kind="scan")).text.startswith("签到成功")
    assert "请先绑定" in (await say("phone", f"c-{OWN_CODE}", kind="follow")).text


async def test_a_member_who_left_is_told_that_the_account_is_closed(say, look):
    from db.members import get

    await look(lambda s: setattr(get(s, BOB), "status", "left"))
    assert "不能使用" in (await say(BOB, "积分")).text


async def test_the_language_can_be_switched_and_back(say):
    assert (await say(ALICE, "English")).text == "All right, English from now on."
    assert (await say(ALICE, "points")).text.startswith("Balance: 0 points")
    assert (await say(ALICE, "中文")).text == "好的，以后用中文。"


async def test_how_to_get_another_code_is_told(say):
    wrong = await say("phone", "绑定 0000-0000")
    assert wrong.labels() == ["1 重新输入", "2 请书记再发一个"]
    assert "打电话或当面告诉支部书记" in (await say("phone", "2")).text


async def test_a_new_chat_is_announced_in_the_old_one_and_never_in_itself(say, code_for, writer, clock):
    await say("thief", "English")
    await say("thief", f"绑定 {await code_for(ALICE)}")
    clock.now += timedelta(minutes=1)
    await say("thief", "menu")  # the chat heard from last is usually the way to a member
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    (address, message), *more = web.sent
    assert (address, more) == (f"member:{ALICE}", [])
    assert message.text.startswith("有一个新的聊天（网页）刚刚绑定了您的账号")
    assert message.labels() == ["1 不是我，断开它"]


async def test_what_warns_of_a_chat_is_not_handed_over_in_it_either(say, code_for, writer, clock, look):
    await say("thief", f"绑定 {await code_for(ALICE)}")
    await look(lambda s: accounts.disable(s, "web", f"member:{ALICE}", "blocked"))
    await engine(writer, clock, FakeChannel()).drain_once()
    assert "新的聊天" not in (await say("thief", "菜单")).text
    assert "有一个新的聊天（网页）刚刚绑定了您的账号" in (await say(ALICE, "菜单")).text
