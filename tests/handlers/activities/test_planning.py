"""An activity is made in chat, checked and confirmed."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from db import activities, activity_drafts, audit
from db.members import Role
from tests.cast import ALICE, LIANGFENG, NOON, SUN
from tests.handlers.activities.conftest import DAY, HOUR, MINUTE, newest


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
