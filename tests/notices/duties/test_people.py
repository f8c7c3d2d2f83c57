"""Who is reminded: the officer, or the secretary where nobody holds the office, and after a time those above."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update

from db import attendance, companions, dated_facts, dues, duty_facts, offices
from db.dated_facts import DatedFact
from db.members import Member
from db.organizations import Organization
from notices import duties
from tests.cast import ALICE, BOB, CHARLIE, COMMITTEE, LIANGFENG, MO, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.digests import noted
from tests.notices.duties.year import (
    DAY,
    at,
    duties_of,
    hold,
    meeting,
    remind,
    subjects,
)


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
