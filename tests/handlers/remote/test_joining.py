"""Joining from afar, as a mobile member sees it: by which link, from when to when."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from db import ledger, remote_seats
from db.accounts import Chat
from db.activities import Activity
from db.members import Member
from tests.cast import ALICE, BOB, CHARLIE, MO, NOON, OWN_CODE
from tests.handlers.remote.conftest import END, MIDDLE, SECOND


async def test_joining_says_what_will_be_asked(say, token, look):
    message = await say(MO, f"远程 {token}")
    assert message.text == (
        "已进入：主题党日：重温入党誓词（12:00）。期间会随机问 2 次“您还在吗”，"
        "每次 10 分钟内回复“我在”。都应答了，结束后记为远程出席，+2 分。"
    )
    assert await look(lambda s: ledger.balance(s, MO)) == 0  # nothing before the end


async def test_the_link_works_in_small_letters_and_as_a_button(say, token):
    assert (await say(MO, f"remote:{token}", kind="button")).text.startswith("已进入")
    assert (await say(MO, f"远程 {token.lower()}")).text.startswith("您 12:00 已经进入")


async def test_without_a_token_the_coming_ones_are_offered(say):
    message = await say(MO, "远程")
    assert message.labels() == [
        "1 主题党日：重温入党誓词，今天 12:10",
        "2 晚间党课，今天 19:00",
        "0 菜单",
    ]
    assert (await say(MO, "1")).text.startswith("已进入：主题党日")


async def test_members_who_live_here_check_in_on_site(say):
    message = await say(ALICE, "远程")
    assert message.text.startswith("远程参加是给在外地的流动党员用的")
    assert "1 签到" in message.labels()


async def test_a_seat_of_somebody_who_moved_back_opens_nothing(say, token, look):
    await look(lambda s: setattr(s.get(Member, MO), "mobile", False))
    assert (await say(MO, f"远程 {token}")).text.startswith("远程参加是给在外地的")


async def test_another_members_link_is_as_unknown_as_a_wrong_one(say, token):
    texts = {(await say(who, f"远程 {token}")).text for who in (ALICE, BOB, CHARLIE)}
    texts |= {(await say(MO, f"远程 {wrong}")).text for wrong in ("ABCDEFGHJK", "1", "x" * 300, "😀")}
    assert len(texts) == 1
    assert texts.pop().startswith("没有找到这个远程链接，或者它不是给您的")


async def test_an_activity_that_is_on_site_only_says_so(say, token, look):
    await look(lambda s: setattr(s.get(Activity, 1), "remote_allowed", False))
    assert (await say(MO, f"远程 {token}")).text == "主题党日：重温入党誓词 不能远程参加。请联系支部书记。"


async def test_an_election_is_never_joined_from_afar(say, token, look):
    await look(lambda s: setattr(s.get(Activity, 1), "kinds", "member_assembly;term_election"))
    assert "有选举，不能远程参加" in (await say(MO, f"远程 {token}")).text
    assert "1 晚间党课，今天 19:00" in (await say(MO, "远程")).labels()


async def test_the_door_opens_to_the_second(say, look, clock):
    token = await look(lambda s: remote_seats.seat_for(s, 4, MO, NOON).token)
    opens = NOON + timedelta(hours=6, minutes=30)
    clock.now = opens - SECOND
    assert (await say(MO, f"远程 {token}")).text.startswith("还没到时间，今天 18:30 起可以进入")
    clock.now = opens
    assert (await say(MO, f"远程 {token}")).text.startswith("已进入：晚间党课")


async def test_the_door_closes_in_the_middle_to_the_second(say, token, clock, look):
    clock.now = MIDDLE + SECOND
    assert (await say(MO, f"远程 {token}")).text.startswith("主题党日：重温入党誓词 的远程进入已在 13:10 截止")
    clock.now = MIDDLE
    assert (await say(MO, f"远程 {token}")).text.startswith("已进入")


async def test_after_the_end_and_after_calling_off(say, token, clock, look):
    clock.now = END + SECOND
    assert (await say(MO, f"远程 {token}")).text == "主题党日：重温入党誓词 已经结束。"
    await look(lambda s: setattr(s.get(Activity, 1), "state", "cancelled"))
    assert "已取消" in (await say(MO, f"远程 {token}")).text


async def test_who_checked_in_on_site_need_not_join(say, token):
    await say(MO, f"签到 {OWN_CODE}")
    assert (await say(MO, f"远程 {token}")).text == "您已经签到（主题党日：重温入党誓词），不用再远程进入。"


async def test_in_english(say, token, look):
    await look(
        lambda s: setattr(s.execute(select(Chat).where(Chat.member_id == MO)).scalar_one(), "language", "en")
    )
    assert (await say(MO, f"remote {token}")).text.startswith("You have joined 主题党日")
