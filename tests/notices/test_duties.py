"""The branch's year in reminders, and one digest a day for everything that has time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

from bot.jobs import JOBS
from db import attendance, companions, dated_facts, dues, duty_facts, offices
from db.activities import Activity
from db.dated_facts import DatedFact
from db.deliveries import Delivery
from db.members import Member
from db.occurrences import Reminder
from db.offices import OFFICES
from db.organizations import Organization
from notices import digest, duties, duty_days, reminders
from notices.channel import Button, Message
from notices.duty_days import ahead, behind, due_on, falls_on, months_before, shifted, term_ahead, told_lately
from notices.duty_look import REVIEWER
from notices.schedule import Task
from notices.working_days import is_working_day
from tests.cast import ALICE, BOB, CHARLIE, COMMITTEE, LIANGFENG, MO, QIAN, RUI, SHAZHOU, SUN
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


def test_every_duty_keeps_its_own_example_and_names_somebody():
    for duty in duty_days.duties()[0]:
        day, told_on = duty.example["day"], duty.example["told"]
        assert falls_on((*duty.days, *duty.up), day), duty.id
        assert duty.told_on(day) == told_on, duty.id
        assert (duty, day) in list(due_on(told_on)), duty.id
        assert (duty, day) in list(due_on(told_on + 6 * DAY)), duty.id
        assert (duty, day) not in [
            *due_on(told_on - DAY),
            *due_on(told_on + 7 * DAY),
            *due_on(told_on + 100 * DAY),
        ]
        assert duty.status in ("rule", "local", "ours"), duty.id
        assert all((duty.to, duty.source)), duty.id
        assert {*duty.to, *duty.up_to} <= {
            *OFFICES,
            "secretary",
            "branch_committee",
            "contact",
            "unpaid",
            REVIEWER,
        }
        assert bool(duty.up) == bool(duty.up_to), duty.id
    leap = duty_days.duty_of("group_meeting")
    assert leap.told_on(date(2028, 2, 26)) == date(2028, 2, 28)
    assert falls_on(["last-0", "02-29"], date(2028, 2, 29))
    assert not falls_on(["last-0"], date(2028, 2, 28))


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
    # A day later the holidays begin, which end on 7 October; thirty days later is a Friday.
    late = [behind((1, 30), ends, ends + n * DAY) for n in (7, 8, 14, 15, 29, 30, 36, 37)]
    assert late == [None, 1, 1, None, None, 30, 30, None]
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


def hold(session, office, person, organization_id=LIANGFENG):
    offices.name(session, organization_id, office, person, date(2026, 1, 1))


def duties_of(session, person):
    """Ids of the duties that the person was told of so far."""
    return {one.partition(":")[0] for one in subjects(session, person)}


def test_an_officer_hears_what_is_the_officers_and_the_secretary_what_is_nobodys(session):
    group = {"code": "G1", "name": "第一党小组", "level": "party_group", "parent_id": LIANGFENG}
    session.add(Organization(**group, path="/1/2/10/99/", id=99))
    session.flush()
    session.get(Organization, LIANGFENG).committee_members = None  # the offices show that there is a committee
    hold(session, "publicity_officer", ALICE)
    remind(session, date(2026, 7, 15))
    assert duties_of(session, SUN) == {"group_meeting"}  # two are no committee
    hold(session, "discipline_officer", MO)
    hold(session, "group_leader", BOB, 99)
    hold(session, "organization_officer", CHARLIE, COMMITTEE)  # of the committee above: not this branch's
    for day in (date(2026, 8, 10), date(2026, 8, 17)):  # lecture; committee and group meeting
        remind(session, day)
    assert duties_of(session, ALICE) == {"party_lecture", "committee_meeting"}
    assert duties_of(session, MO) == {"committee_meeting"}
    assert duties_of(session, BOB) == {"group_meeting"}
    assert duties_of(session, SUN) == {"group_meeting", "committee_meeting"}
    assert duties_of(session, CHARLIE) == set()
    remind(session, date(2026, 8, 28))  # three days before the last: the secretary hears of the groups, too
    assert f"group_meeting:{LIANGFENG}:2026-08-28" in subjects(session, SUN)
    offices.end(session, LIANGFENG, "publicity_officer", date(2026, 11, 1))
    remind(session, date(2026, 11, 10))
    assert f"party_lecture:{LIANGFENG}:2026-11-10" in subjects(session, SUN)


def test_what_only_the_branch_can_say_is_done_goes_further_up_until_it_says_so(session):
    hold(session, "organization_officer", ALICE)
    session.execute(update(Member).where(Member.id == MO).values(mobile=False))
    remind(session, date(2027, 1, 5))
    assert noted(session, ALICE)[-1] == "新的一年，请在 1 月底前核定每位党员的党费。"
    assert duty_facts.done(session, SHAZHOU, "dues_fix", "2027", QIAN, at(date(2027, 1, 6)))
    assert not duty_facts.done(session, SHAZHOU, "dues_fix", "2027", QIAN, at(date(2027, 1, 6)))
    for day, heard in ((date(2027, 1, 31), 0), (date(2027, 2, 1), 1), (date(2027, 2, 2), 1)):  # the 31st: a Sunday
        remind(session, day)
        lines = [one for one in noted(session, RUI) if "核定党费" in one]
        assert lines == ["还没有登记核定党费的支部（1 个）：梁丰社区党支部"] * heard, day


def test_a_contact_person_hears_of_members_out_of_reach_and_nobody_of_those_who_were_reached(session):
    companions.put(session, MO, "contact", [BOB])
    known = {
        "organization_id": LIANGFENG,
        "kind": "lost_contact",
        "member_id": MO,
        "noted_at": at(date(2026, 3, 1)),
    }
    session.add(DatedFact(**known, day=date(2026, 7, 1)))
    session.flush()
    remind(session, date(2026, 9, 1))
    assert "mobile_contact" not in duties_of(session, BOB) | duties_of(session, SUN)
    dated_facts.from_roll(session, MO, LIANGFENG, "lost_contact", date(2026, 6, 30), at(date(2026, 8, 1)))
    session.flush()
    remind(session, date(2026, 9, 1))
    assert "mobile_contact" in duties_of(session, BOB) & duties_of(session, SUN)


def test_dues_of_the_month_remind_whoever_owes_them_and_nobody_where_none_are_kept(session):
    def pay(person, month):
        about = {"member_id": person, "month": month, "organization_id": LIANGFENG}
        dues.tick(session, **about, in_time=True, by=SUN, at=at(date(2026, 7, 1)))

    def told_of(day, words="7 月的党费"):
        remind(session, day)
        return {one for one in (ALICE, BOB, SUN) if any(words in text for text in noted(session, one))}

    assert told_of(date(2026, 7, 1)) == set()
    pay(ALICE, "2026-06")
    hold(session, "organization_officer", BOB)
    assert told_of(date(2026, 7, 1)) == {ALICE, BOB, SUN}
    assert "6 月还有 6 位党员没有登记党费。" in noted(session, BOB)
    pay(ALICE, "2026-07")
    before = len(noted(session, ALICE)), len(noted(session, BOB))
    meeting(session, "theme_party_day", date(2026, 7, 10), (14, 0))
    for day in (date(2026, 7, 9), date(2026, 7, 10), date(2026, 7, 24)):  # the 25th is a Saturday
        remind(session, day)
    mine = [text for text in noted(session, BOB) if "7 月的党费" in text]
    assert len(mine) == 2
    remind(session, date(2026, 7, 27))
    remind(session, date(2026, 7, 27) + 4 * DAY)
    assert len([text for text in noted(session, BOB) if "7 月的党费" in text]) == 3
    assert [text for text in noted(session, ALICE)[before[0] :] if "党费" in text] == []


def test_a_probation_goes_to_its_sponsors_and_a_month_late_to_the_committee(session):
    alice = session.get(Member, ALICE)
    alice.probationary, alice.admitted_on = True, date(2028, 2, 29)  # a year later: 28 February
    companions.put(session, ALICE, "sponsor", [BOB, CHARLIE])
    session.flush()
    text = "您介绍的一位预备党员，预备期 2029 年 2 月 28 日满一年。"
    for day, count in ((date(2029, 2, 27), 1), (date(2029, 2, 28), 2), (date(2029, 3, 1), 2)):
        remind(session, day)  # on the 27th the reminder of a week before is still to be made up for
        assert noted(session, BOB).count(text) == noted(session, CHARLIE).count(text) == count, day
    late = "梁丰社区党支部：一位预备党员的预备期 2029 年 2 月 28 日已满一年，还没有登记转正。延长的不算。"
    for day, heard in ((date(2029, 3, 29), False), (date(2029, 3, 30), True)):
        remind(session, day)
        assert (late in noted(session, RUI), late in noted(session, SUN)) == (heard, heard), day


def test_talks_remind_of_members_who_had_none_until_one_is_planned(session):
    talk = meeting(session, "heart_talk", date(2026, 3, 2))
    about = {"activity_id": talk.id, "evidence": "secretary", "at": talk.starts_at}
    attendance.record(session, member_id=ALICE, mode="onsite", **about)
    attendance.leave(
        session, activity_id=talk.id, member_id=BOB, state="excused", reason="出差", at=talk.starts_at
    )
    remind(session, date(2026, 6, 1))
    assert "今年还有 6 位党员没有谈心谈话的记录，也没有安排。" in noted(session, SUN)  # Bob was on leave
    coming = meeting(session, "heart_talk", date(2026, 12, 31))
    december = at(date(2026, 12, 15))
    duties.remind(session, [LIANGFENG], december, ZONE)
    assert not any("谈心谈话" in one for one in noted(session, RUI))
    coming.state = "cancelled"
    session.flush()
    duties.remind(session, [LIANGFENG, SHAZHOU], december, ZONE)
    assert "今年谈心谈话还没有都谈到的支部（2 个）：梁丰社区党支部、沙洲村党支部" in noted(session, RUI)


def test_a_term_that_is_over_is_told_once(session):
    session.get(Organization, LIANGFENG).term_ends_on = date(2026, 6, 30)
    session.flush()
    for day, heard in (
        (date(2026, 6, 30), 0),
        (date(2026, 7, 1), 1),
        (date(2026, 7, 7), 1),
        (date(2026, 7, 20), 1),
    ):
        remind(session, day)
        assert len([one for one in noted(session, RUI) if "已届满" in one]) == heard, day


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
