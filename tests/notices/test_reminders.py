"""Reminders of activities: when, to whom, and never two digests a day."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import activities, attendance, occurrences
from db.accounts import Chat
from db.activities import Activity
from db.deliveries import Delivery
from db.members import Member
from notices import reminders
from tests.cast import ALICE, BOB, CHARLIE, DAY, LATER_CODE, LIANGFENG, MO, NOON, QIAN, SUN
from tests.conftest import ZONE

HOUR, DAYS = timedelta(hours=1), timedelta(days=1)
START = NOON + 3 * DAYS + 7 * HOUR  # Thursday 18 June 2026, 19:00


@pytest.fixture
async def evening(look):
    """A lecture of branch 10 in three days; the cast's own activities are out of the way."""

    def add(session):
        for activity in session.execute(select(Activity)).scalars():
            activity.state = "cancelled"
        session.add(
            Activity(
                id=50,
                code="505050",
                organization_id=LIANGFENG,
                scope="branch",
                kinds="party_lecture",
                title="主题党日",
                place="活动室",
                starts_at=START,
                ends_at=START + 2 * HOUR,
                check_in_opens_at=START - HOUR / 2,
                check_in_closes_at=START + 2 * HOUR,
                remote_allowed=True,
            )
        )
        session.flush()

    await look(add)


def another(activity_id, starts_at, **more):
    return Activity(
        id=activity_id,
        code=f"60{activity_id:04}",
        organization_id=LIANGFENG,
        scope="branch",
        kinds="party_lecture",
        title=f"党课{activity_id}",
        place="活动室",
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        check_in_opens_at=starts_at - HOUR / 2,
        check_in_closes_at=starts_at + HOUR,
        **more,
    )


@pytest.fixture
def tick(look):
    """One minute's poll at an instant."""

    async def poll(now):
        await look(lambda s: reminders.plan_activities(s, now, ZONE))
        while await look(lambda s: reminders.tell_due(s, now, ZONE)):
            pass

    return poll


@pytest.fixture
def told(look):
    """What one member was told: (key, message) in order."""

    async def read(member_id):
        rows = await look(
            lambda s: [
                (row.key, row.content, row.expires_at)
                for row in s.execute(
                    select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id)
                ).scalars()
            ]
        )
        return [(key, content["text"], [b[0] for b in content["buttons"]]) for key, content, _ in rows]

    return read


async def test_a_day_and_an_hour_before_to_the_second(evening, tick, told):
    for now, count in [
        (START - DAYS - timedelta(seconds=1), 0),
        (START - DAYS, 1),
        (START - HOUR - timedelta(seconds=1), 1),
        (START - HOUR, 2),
        (START + HOUR, 2),
    ]:
        await tick(now)
        assert len(await told(ALICE)) == count, now
    day, hour = await told(ALICE)
    assert day == (
        "digest:2026-06-17",
        "【提醒】明天 19:00，主题党日，活动室。",
        ["来不了，请假", "看详情"],
    )
    assert hour[:2] == ("reminder:activity:50:hour", "【提醒】快到时间了：主题党日，19:00 开始，活动室。")


async def test_only_people_of_the_branch_are_reminded(evening, tick, told):
    await tick(START - DAYS)
    assert [len(await told(who)) for who in (SUN, BOB, CHARLIE, QIAN)] == [1, 1, 0, 0]


async def test_a_regional_activity_reminds_both_branches(evening, look, tick, told):
    regional = another(51, START, region_id=1)
    regional.scope, regional.title, regional.place = "region", "清洁日", "湖边"
    await look(lambda s: s.add(regional))
    await tick(START - DAYS)
    assert [text for _, text, _ in await told(CHARLIE)] == ["【提醒】明天 19:00，清洁日（区域活动），湖边。"]


async def test_a_mobile_member_gets_a_personal_link_that_others_do_not_have(evening, tick, told, look):
    await tick(START - DAYS)
    assert (await told(MO))[0][2][0] == "远程参加"
    assert "远程参加" not in (await told(ALICE))[0][2]
    content = await look(
        lambda s: s.execute(select(Delivery.content).where(Delivery.member_id == MO)).scalars().one()
    )
    token = content["buttons"][0][1].removeprefix("remote:")
    assert len(token) == 10


async def test_who_asked_for_leave_or_is_there_hears_nothing_more(evening, tick, told, look):
    await tick(START - DAYS)
    await look(
        lambda s: attendance.leave(
            s, activity_id=50, member_id=ALICE, state="asked", reason="出差", at=START - DAYS
        )
    )
    await look(
        lambda s: attendance.record(
            s, activity_id=50, member_id=BOB, mode="onsite", evidence="code", at=START - HOUR
        )
    )
    await tick(START - HOUR)
    assert [len(await told(who)) for who in (ALICE, BOB, SUN)] == [1, 1, 2]


async def test_a_cancelled_activity_reminds_nobody(evening, tick, told, look):
    await tick(START - DAYS - HOUR)
    await look(lambda s: activities.cancel(s, 50))
    await tick(START - DAYS)
    assert await told(ALICE) == []
    states = await look(lambda s: s.execute(select(occurrences.Reminder.state)).scalars().all())
    assert set(states) == {"withdrawn", "waiting"}  # the hour's reminders are looked at when they are due


async def test_a_service_that_was_down_reminds_of_nothing_that_has_begun(evening, tick, told):
    await tick(START - DAYS - HOUR)
    await tick(START)
    assert await told(ALICE) == []


async def test_a_late_start_still_reminds_before_the_beginning(evening, tick, told):
    await tick(START - 3 * HOUR)
    assert [text for _, text, _ in await told(ALICE)] == ["【提醒】今天 19:00，主题党日，活动室。"]


async def test_an_activity_made_an_hour_before_is_told_once(evening, look, tick, told):
    await look(lambda s: s.add(another(51, NOON + HOUR)))
    await tick(NOON)
    await tick(NOON + timedelta(minutes=1))
    assert [key for key, _, _ in await told(ALICE)] == ["reminder:activity:51:hour"]


async def test_one_digest_a_day_holds_everything_of_the_day(evening, look, tick, told):
    await look(lambda s: s.add(another(51, START + 2 * HOUR)))  # due two hours after the first
    await tick(START - DAYS)
    await tick(START - DAYS + 3 * HOUR)
    ((key, text, buttons),) = await told(ALICE)
    assert key == "digest:2026-06-17"
    assert text.splitlines() == [
        "【提醒】近期有 2 个活动：",
        "明天 19:00，主题党日，活动室。",
        "明天 21:00，党课51，活动室。",
    ]
    assert buttons == ["主题党日", "党课51"]


async def test_what_comes_up_after_the_digest_waits_for_the_next_morning(evening, look, tick, told):
    await tick(START - DAYS)
    await look(lambda s: s.add(another(51, START + 2 * HOUR)))
    await tick(START - DAYS + 2 * HOUR)
    assert len(await told(ALICE)) == 1
    morning = START - DAYS + timedelta(hours=12, minutes=30)  # 07:30
    await tick(morning - timedelta(seconds=1))
    assert len(await told(ALICE)) == 1
    await tick(morning)
    assert (await told(ALICE))[1][:2] == ("digest:2026-06-18", "【提醒】今天 21:00，党课51，活动室。")


async def test_planning_again_and_two_processes_add_nothing(evening, tick, told, look):
    for _ in range(3):
        await tick(START - DAYS)
    assert len(await told(ALICE)) == 1
    count = await look(lambda s: len(s.execute(select(occurrences.Reminder.id)).all()))
    assert count == 14  # seven members of branch 10, a day and an hour before


async def test_a_member_who_left_is_not_reminded(evening, tick, told, look):
    await tick(START - DAYS - HOUR)

    def leave(session):
        session.get(Member, ALICE).status = "left"

    await look(leave)
    await tick(START - DAYS)
    assert await told(ALICE) == []


async def test_a_promised_reminder_comes_when_check_in_opens(say, tick, told, clock):
    await say.all(ALICE, f"签到 {LATER_CODE}", "1")
    opens = NOON + timedelta(hours=6, minutes=30)
    await tick(opens - timedelta(seconds=1))
    assert not [key for key, _, _ in await told(ALICE) if key.endswith("opens")]
    await tick(opens)
    ((_, text, buttons),) = [row for row in await told(ALICE) if row[0].endswith("opens")]
    assert text == "【提醒】可以签到了：晚间党课，19:00 开始，社区党员活动室。"
    assert buttons == ["签到"]


async def test_a_reminder_ends_with_the_beginning(evening, tick, look):
    await tick(START - DAYS)
    ends = await look(
        lambda s: s.execute(select(Delivery.expires_at).where(Delivery.member_id == ALICE)).scalars().all()
    )
    assert ends == [START]


async def test_people_with_an_english_chat_are_reminded_in_english(evening, tick, told, look):
    def english(session):
        chat = session.execute(select(Chat).where(Chat.member_id == ALICE)).scalar_one()
        chat.language = "en"

    await look(english)
    await tick(START - DAYS)
    assert (await told(ALICE))[0][1] == "[Reminder] tomorrow 19:00: 主题党日, 活动室."
    assert (await told(BOB))[0][1].startswith("【提醒】")


def test_the_day_of_the_tests_is_what_they_say():
    assert START.astimezone(ZONE).date() == DAY + 3 * DAYS
