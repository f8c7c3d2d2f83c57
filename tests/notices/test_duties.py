"""The branch's year in reminders, and one digest a day for everything that has time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlmodel import Session, select

from bot.jobs import JOBS
from db.activities import Activity
from db.deliveries import Delivery
from db.members import Member
from db.occurrences import Reminder
from db.organizations import Organization
from notices import digest, duties, reminders
from notices.channel import Button, Message
from notices.duty_days import ahead, due_on, months_before, shifted, term_ahead, told_lately
from notices.schedule import Task
from notices.working_days import is_working_day
from tests.cast import ALICE, BOB, LIANGFENG, MO, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.digests import noted

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def at(day: date, hour: int = 6, minute: int = 30) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


@pytest.fixture
def session(engine):
    with Session(engine) as made:
        for activity in made.execute(select(Activity)).scalars():
            activity.state = "cancelled"
        made.get(Organization, LIANGFENG).committee_members = 3
        made.flush()
        yield made


def remind(session, day):
    duties.remind(session, [LIANGFENG, SHAZHOU], at(day), ZONE)


def ids_on(day):
    return {duty.id for duty, _ in due_on(day)}


def subjects(session, person=SUN):
    rows = session.execute(select(Reminder.subject).where(Reminder.member_id == person).order_by(Reminder.id))
    return [row.removeprefix("duty:") for row in rows.scalars()]


def meeting(session, kind, day, clock=(9, 0), **more):
    starts = at(day, *clock)
    made = Activity(
        code=f"{day:%m%d}{kind[:3]}",
        organization_id=LIANGFENG,
        scope="branch",
        kinds=kind,
        title=kind,
        place="活动室",
        starts_at=starts,
        ends_at=starts + HOUR,
        check_in_opens_at=starts,
        check_in_closes_at=starts + HOUR,
        **more,
    )
    session.add(made)
    session.flush()
    return made


def test_every_reminder_comes_on_a_working_day_and_its_month_is_not_lost():
    for n in range(366):
        day = date(2026, 1, 1) + n * DAY
        moved = shifted(day)
        assert is_working_day(moved)
        assert (moved == day) == is_working_day(day)
    assert shifted(date(2026, 10, 1)) == date(2026, 10, 8)  # the holiday of the country
    assert shifted(date(2026, 2, 14)) == date(2026, 2, 14)  # a Saturday that is worked in exchange
    assert shifted(date(2026, 8, 15)) == date(2026, 8, 17)


@pytest.mark.parametrize(
    ("duty", "first", "before"),
    [
        ("committee_meeting", date(2026, 7, 15), date(2026, 7, 14)),
        ("committee_meeting", date(2026, 8, 17), date(2026, 8, 14)),  # the 15th is a Saturday
        ("group_meeting", date(2026, 4, 27), date(2026, 4, 26)),  # a Sunday before: three days before the last
        ("member_assembly", date(2026, 6, 1), date(2026, 5, 29)),
        ("party_lecture", date(2026, 8, 10), date(2026, 8, 7)),
        ("org_life_meeting", date(2026, 10, 8), date(2026, 9, 30)),  # 1 October and a week of holidays
        ("heart_talk", date(2026, 6, 1), date(2026, 5, 29)),
        ("dues_fix", date(2027, 1, 5), date(2027, 1, 4)),
        ("mobile_contact", date(2026, 9, 1), date(2026, 8, 31)),
    ],
)
def test_a_duty_is_reminded_of_on_its_day_and_not_before(duty, first, before):
    assert duty in ids_on(first)
    assert duty not in ids_on(before)
    assert duty in ids_on(first + 6 * DAY)  # a service that was down for a week
    assert duty not in ids_on(first + 7 * DAY)


def test_days_before_a_day_of_ones_own():
    ends = date(2026, 9, 30)
    assert [ahead((30, 7, 0), ends, ends - n * DAY, on_the_day=True) for n in (31, 30, 8, 7, 1, 0)] == [
        *(None, 30, None, 7, 7, 0)
    ]
    assert ahead((30, 7, 0), ends, ends + DAY, on_the_day=True) is None
    assert (
        ahead((0,), date(2026, 10, 1), date(2026, 10, 1), on_the_day=True) == 0
    )  # the day itself, holiday or not
    assert months_before(date(2028, 8, 31), 6) == date(2028, 2, 29)
    assert months_before(date(2027, 3, 31), 1) == date(2027, 2, 28)
    assert months_before(date(2027, 1, 15), 1) == date(2026, 12, 15)
    assert term_ahead(date(2026, 12, 31), date(2026, 6, 30)) == 6
    assert term_ahead(date(2026, 12, 31), date(2026, 6, 29)) is None
    assert told_lately(date(2026, 6, 15), date(2026, 6, 15))


def test_what_was_done_or_is_planned_reminds_nobody_and_nothing_comes_twice(session):
    fifteenth = date(2026, 7, 15)
    remind(session, fifteenth - DAY)
    assert subjects(session) == []
    for day in (fifteenth, fifteenth, fifteenth + 2 * DAY):
        remind(session, day)
    assert subjects(session) == [f"committee_meeting:{LIANGFENG}:{fifteenth}"]
    assert noted(session, SUN) == ["这个月还没有开支委会，也没有安排。"]
    meeting(session, "branch_committee_meeting", date(2026, 8, 31))  # planned, even for the last day
    remind(session, date(2026, 8, 17))
    assert [one for one in subjects(session) if "2026-08" in one and "committee" in one] == []
    remind(session, date(2026, 9, 1))
    assert f"mobile_contact:{LIANGFENG}:2026-09-01" in subjects(session)  # Mo lives elsewhere


def test_what_belongs_to_a_period_is_not_said_once_the_period_is_over(session):
    group = {"code": "G1", "name": "第一党小组", "level": "party_group", "parent_id": LIANGFENG}
    session.add(Organization(**group, path="/1/2/10/99/", id=99))
    session.flush()
    last = f"group_meeting:{LIANGFENG}:2026-07-28"
    for day, heard in ((date(2026, 8, 3), False), (date(2026, 7, 27), False), (date(2026, 7, 31), True)):
        remind(session, day)
        assert (last in subjects(session)) is heard, day


def test_terms_probations_and_birthdays_reach_those_whom_they_concern(session):
    session.get(Organization, LIANGFENG).term_ends_on = date(2026, 12, 31)
    alice, bob = session.get(Member, ALICE), session.get(Member, BOB)
    alice.probationary, alice.admitted_on = True, date(2025, 7, 30)
    bob.admitted_on = date(1999, 7, 8)
    session.flush()
    remind(session, date(2026, 6, 30))
    mine = "7 月 1 日是您的政治生日，当天会收到贺卡。"  # everybody of the cast was admitted on one day
    quarter = "本季度还没有登记联系流动党员的支部（1 个）：梁丰社区党支部"
    assert noted(session, RUI) == [
        "梁丰社区党支部：本届委员会 2026 年 12 月 31 日任期届满，请准备换届。",
        mine,
        quarter,
    ]
    assert mine not in noted(session, ALICE)  # on probation
    assert mine not in noted(session, BOB)
    assert f"probation:{ALICE}:2026-07-30:30" in subjects(session, ALICE)
    assert f"probation:{ALICE}:2026-07-30:30:secretary" in subjects(session)
    remind(session, date(2026, 7, 1))
    assert f"birthdays:{LIANGFENG}:2026-07-08" in subjects(session)
    assert noted(session, BOB) == ["7 月 8 日是您的政治生日，当天会收到贺卡。"]
    texts = noted(session, SUN)
    assert "7 月 8 日是 1 位党员的政治生日，当天会收到贺卡。" in texts
    assert not any(name in text for text in texts for name in ("艾丽丝", "鲍勃"))
    alice.status = "left"
    session.flush()
    remind(session, date(2026, 7, 30))
    assert f"probation:{ALICE}:2026-07-30:0" not in subjects(session, ALICE)


def told(session, person=SUN):
    rows = session.execute(select(Delivery).where(Delivery.member_id == person).order_by(Delivery.id)).scalars()
    return [(row.key, row.content["text"], [label for label, *_ in row.content["buttons"]]) for row in rows]


def tick(session, now):
    reminders.plan_activities(session, now, ZONE)
    while reminders.tell_due(session, now, ZONE):
        pass


def later(session, key, now, text="请交材料。", **more):
    message = Message(text, (Button("去交", "menu"),))
    return digest.later(session, member_id=SUN, key=key, message=message, now=now, zone=ZONE, **more)


def test_everything_of_a_day_is_one_message_at_half_past_eight(session):
    day = date(2026, 7, 15)
    meeting(session, "party_lecture", day + DAY)
    remind(session, day)
    assert later(session, "a", at(day, 6))
    assert not later(session, "a", at(day, 7))
    later(session, "short", at(day, 6), expires_at=at(day, 8, 30))
    tick(session, at(day, 8, 29))
    assert told(session) == []
    tick(session, at(day, 8, 30))
    ((key, text, labels),) = told(session)
    assert key == f"digest:{day}"
    assert text.splitlines()[0] == "【提醒】有 3 件事："
    assert sorted(text.splitlines()[1:]) == sorted(
        ["明天 09:00，party_lecture，活动室。", "这个月还没有开支委会，也没有安排。", "请交材料。"]
    )
    assert sorted(labels) == sorted(["party_lecture", "安排一次", "去交"])
    later(session, "b", at(day, 12), "还有一件。")
    tick(session, at(day, 12))
    assert len(told(session)) == 1  # the day has had its digest
    tick(session, at(day + DAY, 7, 30))
    assert told(session)[1][:2] == (f"digest:{day + DAY}", "还有一件。")
    assert "short" not in str(told(session))


def test_a_theme_day_is_heard_of_on_its_days_and_its_theme_a_week_before(session):
    day = date(2026, 7, 22)
    meeting(session, "theme_party_day", day, (14, 0))
    remind(session, day - 8 * DAY)
    assert not any("theme_day" in one for one in subjects(session))
    remind(session, day - 7 * DAY)
    assert f"theme_day:{LIANGFENG}:{day}" in subjects(session)
    steps = (
        (at(day - 3 * DAY, 13, 59), 0),
        (at(day - 3 * DAY, 14, 0), 1),
        (at(day - DAY, 17, 59), 1),
        (at(day - DAY, 18, 0), 2),
        (at(day, 8, 29), 2),
        (at(day, 8, 30), 3),
        (at(day, 13, 0), 4),
    )
    for now, count in steps:
        tick(session, now)
        assert len(told(session, MO)) == count, now
    assert "7 月 22 日（周三）14:00" in told(session, MO)[0][1]
    assert [key for key, *_ in told(session, MO)][:3] == [f"digest:{day - n * DAY}" for n in (3, 1, 0)]


def test_after_an_outage_a_theme_day_is_one_line_and_an_early_one_needs_no_morning(session):
    day = date(2026, 7, 22)
    meeting(session, "theme_party_day", day, (10, 30))
    meeting(session, "theme_party_day", day + DAY, (10, 29))
    tick(session, at(day - 4 * DAY, 12, 0))  # planned; then nothing ran until the morning of the first
    tick(session, at(day, 9, 0))
    ((_, text, _),) = told(session, MO)
    assert text.splitlines()[1:] == [
        "今天 10:30，theme_party_day，活动室。",
        "明天 10:29，theme_party_day，活动室。",
    ]
    rows = session.execute(select(Reminder).where(Reminder.member_id == MO, Reminder.kind == "activity_morning"))
    assert [row.due_at for row in rows.scalars()] == [at(day, 8, 30)]


def test_what_reminds_is_noted_before_the_digests_go_out():
    for task in (job for job in JOBS if isinstance(job, Task)):
        if task.name in ("duties", "declarations_due", "declarations_waiting", "economy_reminders"):
            minute, hour = (int(part) for part in task.cron.split()[:2])
            assert time(hour, minute) < reminders.DIGEST_FROM < digest.GOES_AT, task.name
