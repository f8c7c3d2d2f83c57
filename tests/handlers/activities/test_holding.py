"""Around an activity: its code, its list, records by hand; and its end."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from bot.dispatch import Dispatcher
from db import activity_drafts, attendance, audit, ledger, remote_seats
from db.accounts import Chat
from db.activities import Activity
from db.members import Member
from notices.presence import ask_due
from tests.cast import ALICE, BOB, CHARLIE, KE, MO, NOON, OWN_CODE, QIAN, SUN
from tests.conftest import ZONE, Voice
from tests.handlers.activities.conftest import DAY, END, EVENING, HOUR, MINUTE, START


async def test_the_code_is_shown_as_a_picture_to_scan(press):
    message = await press(SUN, "activities:qr:1")
    assert message.picture.kind == "qr"
    assert message.picture.data == {"text": f"c-{OWN_CODE}"}
    assert OWN_CODE in message.picture.alt


async def test_the_list_so_far(say, press):
    await say(ALICE, f"签到 {OWN_CODE}")
    await press(BOB, "activities:leave:1:ill")
    message = await press(SUN, "activities:roll:1")
    assert message.text.splitlines() == [
        "主题党日：重温入党誓词：可参加 7 人，现场 1，远程 0，请假 0。",
        "有表决权 7 人，在场 1 人（远程在线 0），要 4 人，还差 3 人。",
        "到场：艾丽丝",
        "还没来：鲍勃、莫流动、孙书记、芮审核、柯保管、欧部门",
    ]
    assert message.labels()[:2] == ["1 看请假（1 人待批）", "2 补记一人"]


async def test_no_list_of_members_leaves_the_country(writer, clock, look):
    await look(lambda s: s.add(Chat(channel="abroad", address="7", member_id=SUN, choices={})))
    voice = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad=("abroad",)), clock)
    abroad = {"channel": "abroad", "kind": "button"}
    listed = await voice("7", "activities:roll:1", **abroad)
    assert listed.text.splitlines()[-1] == "名单请在微信或网页上看。"
    assert "鲍勃" not in listed.text
    whom = await voice("7", "activities:record:1", **abroad)
    assert whom.text == "补记谁？请写姓名。"
    assert whom.labels() == ["9 返回", "0 菜单"]


async def test_a_member_is_recorded_by_hand_with_evidence(press, say, look, told):
    names = await press(SUN, "activities:record:1")
    assert names.labels()[:6] == ["1 艾丽丝", "2 鲍勃", "3 莫流动", "4 孙书记", "5 芮审核", "6 柯保管"]
    assert (await say(SUN, "7")).labels()[0] == "1 欧部门"
    how = await press(SUN, f"activities:record:1:m{ALICE}")
    assert how.labels()[:2] == ["1 到场了，漏签", "2 请假"]
    assert (await say(SUN, "1")).text == "艾丽丝 到场的依据是？例如：手机没电，现场签了名。"
    assert (await say(SUN, "手机没电")).text == "已补记：艾丽丝 到场（主题党日：重温入党誓词），+2 分。"
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (2, 100)}
    assert await told(ALICE) == ["书记为您补记了到场：主题党日：重温入党誓词。+2 分。"]
    again = await press(SUN, f"activities:mark:1:{ALICE}:onsite")
    assert again.text == "这位党员已经有记录了，或者不在这个活动里。"
    event = (await look(lambda s: s.execute(select(audit.AuditEvent)).scalars().all()))[-1]
    assert (event.action, event.actor_id) == ("attendance.recorded", SUN)
    assert "手机没电" in event.detail


async def test_a_typed_name_finds_its_member(press, say):
    await press(SUN, "activities:record:1")
    assert (await say(SUN, "鲍勃")).text.startswith("鲍勃（主题党日")
    await press(SUN, "activities:record:1")
    assert (await say(SUN, "王二小")).text.startswith("没有记录的人里，没有叫这个名字的")
    assert (await say(SUN, "查理")).text.startswith("没有记录的人里")  # of another branch


async def test_making_up_later_pays_nothing_and_is_no_attendance(press, say, look, clock):
    clock.now = END + DAY
    await press(SUN, f"activities:mark:1:{ALICE}:make_up")
    assert (await say(SUN, "看了记录")).text.startswith("已补记：艾丽丝 事后补学")
    assert await look(lambda s: ledger.balance(s, ALICE)) == 0
    finished = await press(SUN, "activities:finish:1:yes")
    assert "到场 0 人" in finished.text


async def test_evidence_is_needed_and_bounded(press, say):
    await press(SUN, f"activities:mark:1:{ALICE}:leave")
    assert (await say(SUN, "长" * 101)).text == "请写短一些，100 个字以内。"
    assert (await say(SUN, "住院")).text == "已记请假：艾丽丝（主题党日：重温入党誓词）。"


async def test_forged_marks_change_nothing(press, look):
    for forged in (
        f"mark:1:{CHARLIE}:onsite:x",
        "mark:1:x:onsite:x",
        f"mark:1:{ALICE}:paid:x",
        "mark:1",
        "record:1:p99",
    ):
        await press(SUN, f"activities:{forged}")
    assert await look(lambda s: attendance.roll(s, 1)) == []


async def test_records_are_made_from_the_opening_to_thirty_days_after(press, clock):
    clock.now = EVENING - 31 * MINUTE
    assert "签到还没开始" in (await press(SUN, "activities:record:4")).text
    clock.now = EVENING + 30 * DAY
    assert "补记谁" in (await press(SUN, "activities:record:4")).text
    clock.now = EVENING + 30 * DAY + timedelta(seconds=1)
    assert "30 天以上" in (await press(SUN, "activities:record:4")).text


# ---- the end


async def finish(press, count, say):
    for person in (ALICE, BOB, MO, SUN)[:count]:
        await say(person, f"签到 {OWN_CODE}")
    return await press(SUN, "activities:finish:1:yes")


async def test_half_of_the_branch_makes_it_count(press, say, clock, look):
    clock.now = START + HOUR
    asked = await press(SUN, "activities:finish:1")
    assert asked.text == "现在结束 主题党日：重温入党誓词 吗？已签到 0 人，远程进入 0 人。结束后不能再签到。"
    done = await finish(press, 4, say)
    assert done.text == "已结束：主题党日：重温入党誓词。应到 7 人，到场 4 人，过半，计入支部活动。"
    assert (await look(lambda s: s.get(Activity, 1).state)) == "held"
    clock.now += MINUTE
    assert "已在 13:10 结束" in (await say(KE, f"签到 {OWN_CODE}")).text
    assert (await press(SUN, "activities:finish:1:yes")).text == "已结束，到会过半，计入支部活动。"


async def test_a_committee_meeting_is_not_said_to_count(press, say, clock, look):
    await look(
        lambda s: s.execute(update(Activity).where(Activity.id == 1).values(kinds="branch_committee_meeting"))
    )
    clock.now = START + HOUR
    done = await finish(press, 4, say)
    assert done.text == "已结束：主题党日：重温入党誓词。到场 4 人。这类活动不算一年里的支部活动次数。"
    for place in ("finish", "roll", "show"):
        assert "计入支部活动" not in (await press(SUN, f"activities:{place}:1")).text
        assert "已结束。这类活动不算" in (await press(SUN, f"activities:{place}:1")).text


async def test_fewer_than_half_does_not_count_until_the_forgotten_one_is_recorded(press, say, clock, look):
    clock.now = START + HOUR
    assert "没有过半，不计入" in (await finish(press, 3, say)).text
    assert (await look(lambda s: s.get(Activity, 1).state)) == "not_held"
    await press(SUN, f"activities:mark:1:{SUN}:onsite")
    await say(SUN, "我主持的")
    row = await look(lambda s: s.get(Activity, 1))
    assert (row.state, row.should_attend, row.attended) == ("held", 7, 4)


async def test_to_a_regional_activity_those_who_came_are_those_who_were_due(press, say, look, clock):
    clock.now = START + MINUTE
    await say(CHARLIE, "签到 7000")
    assert "应到 1 人，到场 1 人" in (await press(QIAN, "activities:finish:2:yes")).text


async def test_nothing_ends_before_it_began_and_nothing_is_called_off_after(press, clock):
    assert (await press(SUN, "activities:finish:1:yes")).text.startswith("活动还没开始，不能结束")
    clock.now = START
    assert (await press(SUN, "activities:cancel:1:yes")).text.startswith("活动已经开始，不能取消")


async def test_calling_off_asks_first_and_tells_everybody(press, told, look):
    asked = await press(SUN, "activities:cancel:4")
    assert asked.text == "取消 晚间党课 吗？原定：今天 19:00。会通知所有能参加的人。"
    assert await look(lambda s: s.get(Activity, 4).state) == "planned"
    assert (await press(SUN, "activities:cancel:4:yes")).text.startswith("已取消：晚间党课")
    assert await told(ALICE) == ["【通知】晚间党课 取消了，不用来。原定：今天 19:00。"]
    assert await told(SUN) == await told(CHARLIE) == []
    assert (await press(SUN, "activities:cancel:4:yes")).text == "这个活动已取消。"


async def test_ending_early_waits_for_those_who_are_still_answering(say, press, clock, look):
    token = await look(lambda s: remote_seats.seat_for(s, 1, MO, NOON).token)
    await say(MO, f"远程 {token}")
    clock.now = START + 100 * MINUTE
    await look(lambda s: ask_due(s, clock.now))
    assert "10 分钟后自动算好" in (await press(SUN, "activities:finish:1:yes")).text
    assert await look(lambda s: s.get(Activity, 1).should_attend) is None
    assert (await say(MO, "我在")).text.startswith("好的，已确认您在场")


async def test_the_last_ones_are_listed_for_late_records(say, clock):
    clock.now = END + DAY
    message = await say.all(SUN, "活动", "2")
    assert message.text == "最近 30 天开过的活动："
    assert message.labels()[:2] == ["1 晚间党课（6 月 15 日）", "2 主题党日：重温入党誓词（6 月 15 日）"]
    clock.now = END + 40 * DAY
    assert (await say.all(SUN, "活动", "2")).text == "最近 30 天没有开过活动。"


async def test_codes_of_long_ago_are_free_again(look, say, clock):
    assert await look(lambda s: activity_drafts.retire_codes(s, NOON + 3 * HOUR)) == 3
    assert await look(lambda s: activity_drafts.retire_codes(s, NOON + 3 * HOUR)) == 0
    assert (await say(ALICE, f"签到 {OWN_CODE}")).text.startswith("没有找到这个签到码")


async def test_someone_on_leave_in_another_branch_sees_nothing_here(press, look):
    await look(lambda s: setattr(s.get(Member, CHARLIE), "mobile", True))
    assert (await press(CHARLIE, "activities:show:1")).text.startswith("没有找到这个活动")
