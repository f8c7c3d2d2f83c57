"""`活动`: what is coming, leave, and everything that a secretary does around an activity."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from bot.dispatch import Dispatcher
from db import activities, activity_drafts, attendance, audit, ledger, remote_seats
from db.accounts import Chat
from db.activities import Activity
from db.deliveries import Delivery
from db.members import Member, Role
from notices.presence import ask_due
from tests.cast import ALICE, BOB, CHARLIE, KE, LIANGFENG, MO, NOON, OWN_CODE, QIAN, SUN
from tests.conftest import ZONE, Voice

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START, END = NOON + 10 * MINUTE, NOON + 130 * MINUTE  # of activity 1
EVENING = NOON + 7 * HOUR  # of activity 4


@pytest.fixture
def press(say):
    return lambda person, action: say(person, action, kind="button")


@pytest.fixture
def told(look):
    async def read(member_id):
        return await look(
            lambda s: [
                row.content["text"]
                for row in s.execute(
                    select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id)
                ).scalars()
            ]
        )

    return read


async def newest(look):
    return await look(lambda s: s.execute(select(Activity).order_by(Activity.id.desc())).scalars().first())


# ---- what is coming


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


# ---- making one


async def make(say, *texts):
    return await say.all(SUN, "活动", "4", *texts)


async def test_an_activity_is_made_in_chat(say, look):
    assert (await make(say)).labels()[0] == "1 主题党日"
    assert (await say(SUN, "1")).labels() == ["1 就叫“主题党日”", "9 返回", "0 菜单"]
    assert (await say(SUN, "主题党日：学党章")).text.startswith("什么时候？")
    assert (await say(SUN, "6月20日 19:00")).labels()[0] == "1 梁丰社区党群服务中心"
    assert (await say(SUN, "1")).labels()[:2] == ["1 可以远程", "2 只在现场"]
    preview = await say(SUN, "1")
    assert preview.text.splitlines() == [
        "请核对：主题党日：学党章（主题党日）",
        "时间：6 月 20 日（周六）19:00–21:00",
        "地点：梁丰社区党群服务中心",
        "本支部活动，流动党员可远程参加",
    ]
    assert preview.labels() == ["1 确认", "2 改时间", "3 改为区域活动", "4 放弃", "9 返回", "0 菜单"]
    made = await say(SUN, "1")
    activity = await newest(look)
    assert made.text == f"已安排：主题党日：学党章。签到码 {activity.code}。将提前一天和一小时提醒 7 人。"
    assert (activity.scope, activity.kinds, activity.remote_allowed, activity.organization_id) == (
        "branch",
        "theme_party_day",
        True,
        LIANGFENG,
    )
    assert activity.starts_at == NOON + 5 * DAY + 7 * HOUR
    assert (activity.check_in_opens_at, activity.check_in_closes_at) == (
        activity.starts_at - 30 * MINUTE,
        activity.ends_at,
    )
    assert len(activity.code) == 6
    assert await look(lambda s: activity_drafts.draft_of(s, SUN)) is None
    actions = await look(lambda s: s.execute(select(audit.AuditEvent.action)).scalars().all())
    assert "activity.made" in actions


async def test_members_can_check_in_to_it_when_it_opens(say, look, clock):
    await make(say, "3", "1", "明天19点到20点半", "会议室", "2", "1")
    activity = await newest(look)
    assert activity.place == "会议室"
    assert not activity.remote_allowed
    assert activity.ends_at - activity.starts_at == 90 * MINUTE
    clock.now = activity.check_in_opens_at
    assert (await say(ALICE, f"签到 {activity.code}")).text.startswith("签到成功：党课")


async def test_a_regional_one_invites_the_region_and_can_be_turned_back(say, look):
    await make(say, "7", "清洁日", "周六 9:00", "湖边", "2")
    preview = await say(SUN, "3")
    assert "区域活动" in preview.text
    assert "3 改为本支部活动" in preview.labels()
    await say(SUN, "1")
    activity = await newest(look)
    assert (activity.scope, activity.region_id) == ("region", 1)
    found = await look(lambda s: activities.invited(s, activities.by_id(s, activity.id), "/1/2/20/"))
    assert found


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("不知道", "我没看明白时间"),
        ("明天", "我没看明白时间"),
        ("6月31日 19:00", "我没看明白时间"),
        ("今天 11:59", "这个时间已经过去了"),
        ("2028-01-01 9:00", "这个时间太远了"),
        ("明天19:00到19:10", "活动要在 15 分钟到 12 小时之间"),
        ("明天 8:00-21:00", "活动要在 15 分钟到 12 小时之间"),
        ("😀", "我没看明白时间"),
        ("长" * 5000, "我没看明白时间"),
    ],
)
async def test_a_time_that_cannot_be_is_asked_again(say, said, answer):
    assert (await make(say, "1", "1", said)).text.startswith(answer)
    assert (await say(SUN, "明天19点")).text.startswith("在哪里")


async def test_long_titles_and_places_are_asked_again(say):
    assert (await make(say, "1", "长" * 41)).text == "名称长了一点，请在 40 个字以内。"
    assert (await say(SUN, "长" * 40)).text.startswith("什么时候")
    assert (await say.all(SUN, "明天19点", "长" * 61)).text == "地点长了一点，请在 60 个字以内。"
    assert (await say(SUN, "长" * 60)).text.startswith("在外地的流动党员")


async def test_an_election_is_on_site_whatever_is_pressed(say, press, look):
    preview = await make(say, "10", "1", "明天19点", "1")
    assert "可远程" not in preview.text
    assert "可远程" not in (await press(SUN, "activities:remote:yes")).text
    await say(SUN, "1")
    assert not (await newest(look)).remote_allowed


async def test_a_very_short_one_is_on_site(say):
    assert "请核对" in (await make(say, "1", "1", "明天19:00到19:20", "1")).text


async def test_the_time_can_be_changed_from_the_preview(say):
    await make(say, "1", "1", "明天19点", "1", "1")
    assert (await say(SUN, "2")).text.startswith("什么时候")
    assert "后天 20:00" not in (await say(SUN, "后天20点")).text  # two days ahead it is named by its date
    assert "6 月 17 日（周三）20:00" in (await say(SUN, "activities:preview", kind="button")).text


async def test_old_buttons_of_a_plan_that_is_done_make_nothing(say, press, look):
    await make(say, "1", "1", "明天19点", "1", "1", "1")
    first = await newest(look)
    for step in ("confirm", "preview", "remote:yes", "scope:region", "title_usual", "place_usual", "ask_when"):
        message = await press(SUN, f"activities:{step}")
        assert message.text == "这次安排已经过期或办完了。要重新安排吗？", step
    assert (await newest(look)).id == first.id


async def test_a_plan_can_be_dropped(say, look):
    await make(say, "1", "1", "明天19点", "1", "1")
    assert (await say(SUN, "4")).text == "好的，没有安排。"
    assert (await newest(look)).id == 4


async def test_a_preview_left_lying_past_its_time_is_not_confirmed(say, clock, look):
    await make(say, "1", "1", "今天 12:30", "1", "1")
    clock.now = NOON + 30 * MINUTE
    assert (await say(SUN, "1")).text.startswith("这个时间已经过去了")
    assert (await newest(look)).id == 4


async def test_an_unknown_kind_asks_for_the_kind(press):
    assert (await press(SUN, "activities:kind:party")).text == "安排哪种活动？"


async def test_members_cannot_make_one(press, look):
    for step in ("new", "kind:theme_party_day", "title:X", "confirm", "past"):
        assert "由支部书记办" in (await press(ALICE, f"activities:{step}")).text, step
    assert (await newest(look)).id == 4


async def test_a_secretary_whose_term_ended_confirms_nothing(say, look):
    await make(say, "1", "1", "明天19点", "1", "1")

    def end(session):
        role = session.execute(select(Role).where(Role.member_id == SUN)).scalar_one()
        role.to_day = date(2026, 6, 15)

    await look(end)
    assert "由支部书记办" in (await say(SUN, "1")).text
    assert (await newest(look)).id == 4


# ---- around it


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
