"""What the service records by itself: facts of every kind, once a night, only what changed, never over a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlmodel import Session

from bot.jobs import JOBS
from db import occurrences, periods_locked, values
from db.activities import Activity
from db.indices import Negative
from db.letters import Letter, Receipt
from db.members import Member, Membership
from db.organizations import Organization
from db.values import ValueRecord
from db.wishes import Wish, WishClaim
from notices import schedule
from scoring import observing
from scoring.observed import Seen
from scoring.observing import record_next
from scoring.seeing import month_before, see, standing
from tests.cast import ALICE, BOB, CHARLIE, CITY, LIANGFENG, MO, QIAN, SHAZHOU
from tests.conftest import ZONE
from tests.db.city_life import DAY, book, come, hold, net, night, noon, pay, value


@pytest.fixture
def session(engine):
    with Session(engine) as opened:
        yield opened


def test_dues_of_a_month_and_the_months_of_the_year(session):
    pay(session, CHARLIE, date(2026, 4, 30))
    pay(session, QIAN, date(2026, 4, 1))
    pay(session, CHARLIE, date(2026, 5, 31))
    pay(session, QIAN, date(2026, 6, 1))  # too late for May
    night(session, date(2026, 6, 1))
    assert value(session, SHAZHOU, "C15", "2026-05") == "0.5"
    assert value(session, SHAZHOU, "F14", "2026-05") == "1"
    pay(session, QIAN, date(2026, 5, 20), cause="dues:2026-05")
    pay(session, CHARLIE, date(2026, 4, 30), hundredths=-100, cause="undo:dues:2026-04")
    night(session, date(2026, 6, 2))
    assert value(session, SHAZHOU, "C15", "2026-05") == "1"
    assert value(session, SHAZHOU, "F14", "2026-05") == "1"  # May now, and April no more


def test_a_night_writes_only_what_changed_and_never_over_what_a_person_handed_in(session):
    assert night(session, date(2026, 6, 1)) > 0
    assert night(session, date(2026, 6, 2)) == 0
    pay(session, CHARLIE, date(2026, 5, 2))
    assert night(session, date(2026, 6, 3)) == 1
    told = values.history(session, SHAZHOU, "C15", "2026-05")
    assert [(line.value, line.cause[:15], line.collect) for line in told] == [
        ("0", "auto:2026-06-01", "auto"),
        ("0.5", "auto:2026-06-03", "auto"),
    ]
    key = {"organization_id": SHAZHOU, "indicator_id": "C15", "period": "2026-05"}
    values.record(session, **key, value="1", collect="dept", cause="sheet:1", recorded_at=noon(date(2026, 6, 3)))
    pay(session, QIAN, date(2026, 5, 2))
    pay(session, CHARLIE, date(2026, 5, 2), hundredths=-100, cause="undo:dues:2026-05")
    assert night(session, date(2026, 6, 4)) == 0
    assert value(session, SHAZHOU, "C15", "2026-05") == "1"


def test_the_committee_and_its_term_are_known_from_the_roll_or_not_at_all(session):
    night(session, date(2026, 6, 1))
    assert value(session, SHAZHOU, "C01", "2026-05") == "true"  # two members need a secretary only
    assert value(session, LIANGFENG, "C01", "2026-05") is None  # nine need a committee: nobody has told of one
    assert value(session, LIANGFENG, "C07", "2026-05") is None
    branch = session.get(Organization, LIANGFENG)
    branch.committee_members, branch.term_ends_on = 5, date(2026, 5, 30)
    night(session, date(2026, 6, 2))
    assert value(session, LIANGFENG, "C01", "2026-05") == "true"
    assert value(session, LIANGFENG, "C07", "2026-05") == "1"


def test_every_fact_of_a_branch_is_seen_at_the_end_of_a_month(session):
    """On both sides of every border: of the month, of the quarter, of the year, and of the months of contact."""
    shazhou = session.get(Organization, SHAZHOU)
    shazhou.committee_members, shazhou.term_ends_on = 3, date(2027, 1, 31)
    session.get(Member, CHARLIE).probationary = True
    session.get(Member, MO).mode, session.get(Member, BOB).mobile = "exempt", True
    new = session.execute(select(Membership).where(Membership.member_id == CHARLIE)).scalar_one()
    new.from_day = date(2026, 3, 31)  # owes for March, too
    gone = session.execute(select(Membership).where(Membership.member_id == BOB)).scalar_one()
    gone.to_day = date(2026, 5, 31)
    for month, payers in enumerate(((QIAN,), (QIAN, CHARLIE), (QIAN,), (CHARLIE, QIAN), (QIAN,)), start=1):
        for member_id in payers:
            pay(session, member_id, date(2026, month, 28))
    for member_id, day, hours in (
        *((QIAN, date(2025, 12, 31), 6_400), (QIAN, date(2026, 1, 1), 100), (CHARLIE, date(2026, 5, 31), 20)),
        *((QIAN, date(2026, 6, 1), 3_200), (MO, date(2026, 5, 2), 800), (ALICE, date(2026, 5, 2), 4)),
    ):
        book(session, "PB3", member_id, day, hours)
    book(session, "PP2", QIAN, date(2026, 3, 31), 100)
    book(session, "PP2", QIAN, date(2026, 4, 1), 100)
    shazhou.field, session.get(Organization, LIANGFENG).field = "soe", "urban_community"
    for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 4, 1), date(2026, 5, 31), date(2026, 6, 1)):
        come(session, hold(session, LIANGFENG, "volunteering", day, scope="region"), QIAN, day)
    for day in (date(2026, 2, 28), date(2026, 3, 1)):
        come(session, hold(session, SHAZHOU, "heart_talk", day, scope="region"), (BOB, MO)[day.day == 1], day)
    session.flush()
    may, formulas = month_before(date(2026, 6, 30)), {"study_ratio", "volunteer_times", "community_times"}
    both = [session.get(Organization, LIANGFENG), shazhou]
    found = see(session, both, may, ZONE, formulas)
    roll = {"full_members": 1, "committee": 3, "term_ends_on": date(2027, 1, 31)}
    people = {"secretary": True, "heads": 2, "owing": 2, "paid": 1, "dues_months": 3}  # neither March nor May
    did = {"study_hundredths": 120, "volunteer_times": 2, "community_times": 3}
    assert found[SHAZHOU] == Seen(**roll, **people, **did)
    people = {"secretary": True, "full_members": 6, "heads": 5, "owing": 6, "mobile": 1, "contacted": 1}
    assert found[LIANGFENG] == Seen(**people, study_hundredths=4)
    assert standing(session, both, may.last)[SHAZHOU] == Seen(**roll)
    nobody_asks = see(session, both, may, ZONE, set())[SHAZHOU]
    assert nobody_asks == replace(found[SHAZHOU], **dict.fromkeys(did, 0))
    february = month_before(date(2026, 3, 1))
    assert see(session, both, february, ZONE, set())[SHAZHOU].dues_months == 2


def test_study_and_volunteering_close_with_the_quarter(session):
    for member_id, hours in ((CHARLIE, 1700), (QIAN, 1500)):
        book(session, "PB3", member_id, date(2026, 6, 30), hours)
    book(session, "PB3", QIAN, date(2026, 7, 1), 900)  # of the next quarter
    assert night(session, date(2026, 6, 1)) > 0
    assert value(session, SHAZHOU, "C08", "2026Q2") is None
    activity = hold(session, LIANGFENG, "volunteering", date(2026, 6, 20), scope="region")
    come(session, activity, CHARLIE, date(2026, 6, 20))
    book(session, "PP2", CHARLIE, date(2026, 6, 20), 200)  # the hours of the same day
    book(session, "PP2", QIAN, date(2026, 3, 31), 200)  # of the quarter before
    night(session, date(2026, 7, 1))
    assert value(session, SHAZHOU, "C08", "2026Q2") == "1"
    assert value(session, SHAZHOU, "C12", "2026Q2") == "0.5"


def test_service_in_the_community_counts_for_offices_by_the_half_year(session):
    session.get(Organization, SHAZHOU).field = "gov_institution"
    for day in (date(2026, 2, 3), date(2026, 6, 30), date(2026, 7, 1)):
        come(session, hold(session, LIANGFENG, "volunteering", day, scope="region"), QIAN, day)
    own = hold(session, SHAZHOU, "volunteering", date(2026, 3, 3))
    come(session, own, CHARLIE, date(2026, 3, 3))
    night(session, date(2026, 7, 1))
    assert value(session, SHAZHOU, "GI03", "2026H1") == "1"
    assert value(session, LIANGFENG, "GI03", "2026H1") is None  # another field


def test_wishes_are_due_with_their_claims_or_when_nobody_claims_them(session):
    def wish(published, **claim):
        row = Wish(
            organization_id=LIANGFENG,
            wisher_id=ALICE,
            title="灯泡",
            state="published",
            created_at=noon(published),
            published_at=noon(published),
        )
        session.add(row)
        session.flush()
        if claim:
            session.add(WishClaim(wish_id=row.id, member_id=MO, claimed_at=noon(published), **claim))
            session.flush()

    may = date(2026, 5, 1)
    due = noon(may + 20 * DAY)
    wish(may, state="closed", due_at=due, delivered_at=due)
    wish(may, state="delivered", due_at=due, delivered_at=due + timedelta(seconds=1))
    wish(may, state="released", due_at=due, closed_at=due - DAY)  # given back in time: not counted
    wish(may, state="released", due_at=due, closed_at=due)  # taken away because it was due
    wish(may - DAY)  # unclaimed for fifteen days
    wish(may + 29 * DAY)  # still has time
    night(session, date(2026, 6, 1))
    assert value(session, LIANGFENG, "C11", "2026-05") == "0.25"
    assert value(session, SHAZHOU, "C11", "2026-05") == "1"


def test_a_mobile_member_is_in_touch_who_read_or_came_within_three_months(session):
    night(session, date(2026, 6, 1))
    assert value(session, LIANGFENG, "F08", "2026-05") == "0"
    assert value(session, SHAZHOU, "F08", "2026-05") == "1"  # nobody lives elsewhere
    letter = Letter(
        topic_id="law_corner", organization_id=CITY, title="信", body="信", created_at=noon(date(2026, 2, 28))
    )
    session.add(letter)
    session.flush()
    read = Receipt(letter_id=letter.id, member_id=MO, read_at=noon(date(2026, 2, 28)))
    session.add(read)
    assert night(session, date(2026, 6, 2)) == 0
    read.read_at = noon(date(2026, 3, 1))
    assert night(session, date(2026, 6, 3)) == 1
    assert value(session, LIANGFENG, "F08", "2026-05") == "1"


def test_an_overdue_term_is_one_case_a_month_and_taken_back_when_the_roll_says_otherwise(session):
    branch = session.get(Organization, SHAZHOU)
    branch.term_ends_on = date(2026, 5, 30)
    night(session, date(2026, 6, 1))
    night(session, date(2026, 6, 2))
    assert net(session, SHAZHOU, "N06", 5) == 1
    branch.term_ends_on = date(2026, 5, 31)  # a delay was approved
    night(session, date(2026, 6, 3))
    assert net(session, SHAZHOU, "N06", 5) == 0
    branch.term_ends_on = date(2026, 5, 30)
    night(session, date(2026, 6, 4))
    night(session, date(2026, 6, 5))
    assert net(session, SHAZHOU, "N06", 5) == 1
    lines = session.execute(select(Negative.count, Negative.day).where(Negative.item_id == "N06")).all()
    assert [tuple(line) for line in lines] == [(count, date(2026, 5, 31)) for count in (1, -1, 1)]


def test_a_missed_meeting_is_posted_before_the_lock_and_taken_back_after_a_late_record(session):
    hold(session, SHAZHOU, "theme_party_day", date(2026, 4, 10))
    few = hold(session, SHAZHOU, "theme_party_day", date(2026, 5, 10), attended=3)  # of eight: not held
    for day in range(1, 14):
        night(session, date(2026, 6, day))
    assert net(session, SHAZHOU, "N13", 5) == 0  # it may still be made up
    night(session, date(2026, 6, 14))
    assert net(session, SHAZHOU, "N13", 5) == 1
    session.get(Activity, few).attended = 4
    night(session, date(2026, 7, 1))
    assert net(session, SHAZHOU, "N13", 5) == 0


def test_a_meeting_that_was_made_up_by_the_fourteenth_is_not_missed(session):
    for day in (date(2026, 4, 10), date(2026, 6, 14)):
        hold(session, SHAZHOU, "theme_party_day", day)
    hold(session, LIANGFENG, "theme_party_day", date(2026, 4, 10))
    hold(session, LIANGFENG, "theme_party_day", date(2026, 6, 15))
    night(session, date(2026, 6, 14))
    note = select(Negative.organization_id, Negative.note).where(Negative.note.startswith("theme"))
    assert [tuple(row) for row in session.execute(note)] == [(LIANGFENG, "theme_party_day 2026-05")]


def test_in_a_locked_period_nothing_is_recorded_but_what_is_taken_back(session):
    branch = session.get(Organization, SHAZHOU)
    branch.term_ends_on = date(2026, 5, 30)
    night(session, date(2026, 6, 14))
    cases = net(session, SHAZHOU, "N13", 5)
    assert cases > 0
    periods_locked.lock(session, "2026-05", noon(date(2026, 6, 15)))
    pay(session, CHARLIE, date(2026, 5, 2))
    hold(session, SHAZHOU, "theme_party_day", date(2026, 5, 10))
    session.get(Organization, LIANGFENG).term_ends_on = date(2026, 5, 30)
    assert night(session, date(2026, 6, 15)) == 1
    assert net(session, SHAZHOU, "N13", 5) == cases - 1
    assert value(session, SHAZHOU, "C15", "2026-05") == "0"
    assert net(session, LIANGFENG, "N06", 5) == 0


def test_the_night_goes_through_the_whole_city_in_parts(session, monkeypatch):
    monkeypatch.setattr(observing, "BATCH", 1)
    task = next(job for job in JOBS if job.name == observing.TASK)
    when = datetime(2026, 6, 1, 15, 40, tzinfo=UTC)  # 23:40 in Shanghai
    begun = when - DAY
    occurrences.record(session, task.name, begun, ran_at=begun, state="begun")
    assert schedule.run_due(session, [task], when, ZONE) == 1
    assert [record_next(session, when, ZONE) for _ in range(4)] == [1, 1, 0, 0]
    seen = session.execute(select(ValueRecord.organization_id, ValueRecord.period).distinct()).all()
    assert sorted(tuple(row) for row in seen) == [(LIANGFENG, "2026-05"), (SHAZHOU, "2026-05")]
    assert occurrences.unfinished(session, task.name) is None
    assert session.get(Organization, CITY).field is None  # nodes without a field have no values
