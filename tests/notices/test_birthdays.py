"""Political birthdays: once a year for everybody, on every day of the calendar."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from db.deliveries import Delivery
from db.members import Member
from notices.birthdays import days_kept, greet, kept_on
from tests.cast import ALICE, BOB, MO

DAY = timedelta(days=1)
MORNING = datetime(2026, 6, 15, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai


def every_day(year):
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += DAY


def test_every_day_of_admission_is_kept_exactly_once_in_every_year():
    admitted = list(every_day(2024))  # 366 days
    for year in (1921, 1999, 2000, 2026, 2027, 2028, 2100):
        kept = Counter((day.month, one) for day in every_day(year) for one in days_kept(day))
        assert kept == Counter((day.month, day.day) for day in admitted), year


def test_the_planned_and_the_asked_day_agree_through_two_centuries():
    for year in range(1921, 2101):
        for admitted in (date(1920, 2, 28), date(1920, 2, 29), date(1920, 3, 1)):
            day = kept_on(admitted, year)
            assert admitted.day in days_kept(day), (admitted, year)


def test_the_leap_day_is_kept_on_the_28th_in_other_years():
    assert kept_on(date(1996, 2, 29), 2026) == date(2026, 2, 28)
    assert kept_on(date(1996, 2, 29), 2028) == date(2028, 2, 29)
    assert days_kept(date(2028, 2, 28)) == (28,)


async def admit(look, **days):
    def change(session):
        for member in session.execute(select(Member)).scalars():
            member.admitted_on = None
        for name, day in days.items():
            session.get(Member, {"alice": ALICE, "bob": BOB, "mo": MO}[name]).admitted_on = day

    await look(change)


async def greeted(look):
    return await look(
        lambda s: [
            (row.member_id, row.key, row.content["text"].splitlines()[0])
            for row in s.execute(select(Delivery).order_by(Delivery.id)).scalars()
        ]
    )


async def test_the_card_counts_the_years_and_names_the_branch(look):
    await admit(look, alice=date(1998, 6, 15), bob=date(1998, 6, 16))
    assert await look(lambda s: greet(s, date(2026, 6, 15), MORNING)) == 1
    ((member_id, key, text),) = await greeted(look)
    assert (member_id, key) == (ALICE, "birthday:2026")
    assert text.startswith("【政治生日】您好，6 月 15 日是您的入党纪念日，今年是第 28 年。梁丰社区党支部向您")


async def test_a_second_run_of_the_day_greets_nobody_again(look):
    await admit(look, alice=date(1998, 6, 15))
    await look(lambda s: greet(s, date(2026, 6, 15), MORNING))
    assert await look(lambda s: greet(s, date(2026, 6, 15), MORNING + DAY)) == 0
    assert len(await greeted(look)) == 1


async def test_only_active_members_are_greeted(look):
    await admit(look, alice=date(1998, 6, 15), mo=date(1998, 6, 15))

    def transfer(session):
        session.get(Member, MO).status = "transferred"

    await look(transfer)
    assert await look(lambda s: greet(s, date(2026, 6, 15), MORNING)) == 1


async def test_nobody_is_greeted_in_the_year_of_admission(look):
    await admit(look, alice=date(2026, 6, 15), bob=date(2025, 6, 15))
    await look(lambda s: greet(s, date(2026, 6, 15), MORNING))
    assert [row[0] for row in await greeted(look)] == [BOB]
    assert "今年是第 1 年" in (await greeted(look))[0][2]


async def test_a_member_of_the_leap_day_is_greeted_once_in_each_of_four_years(look):
    await admit(look, alice=date(1996, 2, 29), bob=date(1996, 2, 28))
    for year in (2025, 2026, 2027, 2028):
        for day in (date(year, 2, 27), date(year, 2, 28), date(year, 3, 1)):
            await look(lambda s, day=day: greet(s, day, MORNING))
    await look(lambda s: greet(s, date(2028, 2, 29), MORNING))
    keys = Counter((member_id, key) for member_id, key, _ in await greeted(look))
    assert keys == {(who, f"birthday:{year}"): 1 for who in (ALICE, BOB) for year in (2025, 2026, 2027, 2028)}


async def test_the_card_names_no_person(look):
    await admit(look, alice=date(1998, 6, 15))
    await look(lambda s: greet(s, date(2026, 6, 15), MORNING))
    assert "艾丽丝" not in (await greeted(look))[0][2]
