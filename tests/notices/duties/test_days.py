"""When a duty is due, and what of it is over, done or planned already."""

from __future__ import annotations

from datetime import date

import pytest

from db.members import Member
from db.offices import OFFICES
from db.organizations import Organization
from notices import duty_days
from notices.duty_days import ahead, behind, due_on, falls_on, months_before, shifted, term_ahead, told_lately
from notices.duty_look import REVIEWER
from notices.working_days import is_working_day
from tests.cast import ALICE, BOB, LIANGFENG, RUI, SUN
from tests.notices.digests import noted
from tests.notices.duties.year import (
    DAY,
    ids_on,
    meeting,
    remind,
    subjects,
)


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
