"""Warnings: raised at the right day, repeated until acknowledged, taken further up, cleared and told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from db import occurrences, warnings
from db.activities import Activity
from db.deliveries import Delivery
from db.members import Member, Role
from db.organizations import Organization
from notices.troubles import VETO, Branch, troubles
from notices.warnings import check_next, check_warnings
from scoring.catalogue import shipped
from scoring.fortress_facts import Activity as Fact
from tests.cast import LIANGFENG, NAMES, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE

DAY = timedelta(days=1)
LECTURE, THEME, ASSEMBLY, COMMITTEE = (
    "party_lecture",
    "theme_party_day",
    "member_assembly",
    "branch_committee_meeting",
)


def nine(month, day, year=2026):
    """09:00 in Shanghai."""
    return datetime(year, month, day, 1, 0, tzinfo=UTC)


def fact(day, kind=THEME, *, attended=10, scope="branch"):
    return Fact(day, scope, frozenset({kind}), 20, attended)


def kinds(as_of, *facts, **more):
    found = troubles(shipped(), Branch(activities=facts, **more), as_of)
    return {one.kind for one in found}


def veto_on(as_of, count, founded_on=None):
    facts = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(count)]
    found = troubles(shipped(), Branch(founded_on, facts), as_of)
    return next((one.proof for one in found if one.kind == VETO), None)


@pytest.mark.parametrize(
    ("day", "enough"),
    [(date(2026, 6, 30), 3), (date(2026, 9, 30), 5), (date(2026, 12, 1), 6), (date(2026, 12, 31), 6)],
)
def test_a_checkpoint_warns_with_one_too_few(day, enough):
    assert veto_on(day, enough) is None
    assert veto_on(day, enough - 1) is not None


def test_between_the_checkpoints_an_even_pace_with_one_to_spare_is_enough():
    assert veto_on(date(2026, 3, 31), 0) is None  # the first three months say nothing
    assert veto_on(date(2026, 4, 1), 0) is not None
    assert veto_on(date(2026, 4, 1), 1) is None
    assert veto_on(date(2026, 6, 29), 2) is None  # floor(6 x 180 / 365)
    assert veto_on(date(2026, 6, 29), 1) is not None


def test_the_proof_holds_the_figures_of_the_sentence():
    assert veto_on(date(2026, 10, 5), 4) == {
        "activities": 4,
        "needed": 6,
        "missing": 2,
        "expected": 5,
        "due": 5,
        "last": "2026-12-31",
    }


def test_a_young_branch_owes_its_share():
    founded = date(2026, 7, 1)  # needs 3
    assert veto_on(date(2026, 12, 1), 3, founded) is None
    assert veto_on(date(2026, 12, 1), 2, founded)["needed"] == 3
    assert veto_on(date(2026, 9, 20), 0, founded) is None  # too young to have a pace


def test_six_are_enough_however_early():
    assert veto_on(date(2026, 12, 31), 6) is None


def test_only_distinct_days_that_half_came_to_count():
    day = date(2026, 3, 3)
    found = troubles(
        shipped(),
        Branch(
            activities=[fact(day), fact(day, LECTURE), fact(day + DAY, attended=9), fact(day + 2 * DAY, COMMITTEE)]
        ),
        date(2026, 6, 30),
    )
    assert found[0].proof["activities"] == 1


def test_a_theme_day_is_missed_from_the_25th_of_its_month_on():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    assert kinds(date(2026, 5, 24), *enough) == set()
    assert kinds(date(2026, 5, 25), *enough) == {"overdue_theme_day"}
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 5, 2))) == set()
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 4, 30))) == {"overdue_theme_day"}
    assert kinds(date(2026, 5, 25), *enough, fact(date(2026, 5, 2), attended=9)) == {"overdue_theme_day"}


def test_what_is_arranged_within_the_period_raises_no_warning():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    planned = [(date(2026, 5, 31), frozenset({THEME}))]
    assert kinds(date(2026, 5, 25), *enough, planned=planned) == set()
    later = [(date(2026, 6, 1), frozenset({THEME}))]
    assert kinds(date(2026, 5, 25), *enough, planned=later) == {"overdue_theme_day"}


def test_assembly_and_lecture_are_missed_five_days_before_the_quarter_ends():
    enough = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)]
    assert kinds(date(2026, 6, 24), *enough) == set()
    assert kinds(date(2026, 6, 25), *enough, fact(date(2026, 6, 1))) == {"overdue_assembly", "overdue_lecture"}
    held = [fact(date(2026, 4, 1), ASSEMBLY), fact(date(2026, 6, 25), LECTURE), fact(date(2026, 6, 1))]
    assert kinds(date(2026, 6, 25), *enough, *held) == set()


def test_a_committee_is_owed_only_by_branches_that_have_one():
    facts = [fact(date(2026, 1, 1) + n * DAY, "volunteering") for n in range(6)] + [fact(date(2026, 5, 2))]
    assert kinds(date(2026, 5, 25), *facts, full_members=6) == set()
    assert kinds(date(2026, 5, 25), *facts, full_members=7) == {"overdue_committee"}


def test_a_branch_owes_nothing_for_a_period_in_which_it_was_founded():
    assert kinds(date(2026, 5, 25), founded_on=date(2026, 5, 2)) == set()
    assert kinds(date(2026, 5, 25), founded_on=date(2026, 5, 1)) == {"overdue_theme_day"}


# ---- with the database


@pytest.fixture
async def quiet_city(look):
    """Branch 10 with six activities in January and nothing else; branch 20 is closed."""

    def change(session):
        for activity in session.execute(select(Activity)).scalars():
            activity.state = "cancelled"
        session.get(Organization, SHAZHOU).closed_on = date(2026, 1, 1)
        for n in range(6):
            session.add(held(100 + n, nine(1, 5) + n * DAY))
        session.flush()

    await look(change)


def held(activity_id, starts_at, kind="volunteering", **more):
    return Activity(
        id=activity_id,
        code=f"{900000 + activity_id}",
        organization_id=LIANGFENG,
        scope="branch",
        kinds=kind,
        title="活动",
        place="活动室",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=2),
        check_in_opens_at=starts_at,
        check_in_closes_at=starts_at + timedelta(hours=2),
        **{"state": "held", "should_attend": 7, "attended": 4, **more},
    )


@pytest.fixture
def check(look):
    return lambda now: look(lambda s: check_warnings(s, now, ZONE))


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


async def rows(look):
    return await look(
        lambda s: [
            (row.kind, row.period, row.state)
            for row in s.execute(select(warnings.BranchWarning).order_by(warnings.BranchWarning.id)).scalars()
        ]
    )


async def test_the_secretary_is_told_once_with_proof_and_steps(quiet_city, check, told, look):
    assert await check(nine(5, 24)) == 0
    assert await check(nine(5, 25)) == 1
    assert await check(nine(5, 25)) == 0
    assert await told(SUN) == [
        "【提醒】支部有 2 件事要安排：\n5 月还没有开主题党日，离月底还有 6 天。\n5 月还没有开支委会，离月底还有 6 天。"
    ]
    assert await told(QIAN) == []


async def test_the_veto_sentence_reads_as_it_was_promised(look, check, told, quiet_city):
    await look(lambda s: [s.delete(s.get(Activity, 100 + n)) for n in range(4, 6)])
    await look(
        lambda s: [s.add(held(120 + n, nine(10, 1) - n * DAY, k, attended=7)) for n, k in enumerate((COMMITTEE,))]
    )
    await check(nine(10, 5))
    assert await told(SUN) == [
        "【提醒】今年活动 4 次，还差 2 次（少于 6 次一票否决），离年底还有 87 天。按现在的速度到年底是 5 次。"
    ]


async def yearly(look):
    """Leave branch 10 with one activity in the year, so that the veto forecast stays open."""
    await look(lambda s: [s.delete(s.get(Activity, 100 + n)) for n in range(1, 6)])


async def test_an_open_warning_nags_each_week_and_is_escalated_once(quiet_city, check, told, look):
    await yearly(look)
    await check(nine(6, 1))  # behind an even pace, before the first checkpoint
    counts = {}
    for n in range(1, 23):
        await check(nine(6, 1) + n * DAY)
        counts[n] = (len(await told(SUN)), len(await told(RUI)))
    assert (counts[6], counts[7], counts[13], counts[14]) == ((1, 0), (2, 0), (2, 0), (3, 1))
    assert (counts[20], counts[21]) == ((3, 1), (4, 1))
    assert "梁丰社区党支部：今年活动 1 次" in (await told(RUI))[0]


async def test_acknowledged_means_no_more_nagging_until_a_checkpoint_comes(quiet_city, check, told, look):
    await yearly(look)
    await check(nine(6, 1))
    warning = (await look(lambda s: warnings.live(s)))[0]
    assert await look(lambda s: warnings.acknowledge(s, warning.id, SUN, nine(6, 2)))
    assert not await look(lambda s: warnings.acknowledge(s, warning.id, SUN, nine(6, 3)))
    for n in range(1, 24):
        await check(nine(6, 1) + n * DAY)
    assert (len(await told(SUN)), len(await told(RUI))) == (1, 0)
    for day, heard in ((nine(6, 29), 0), (nine(6, 30), 1), (nine(7, 1), 1)):
        await check(day)
        assert len(await told(RUI)) == heard, day
    assert "梁丰社区党支部：今年活动 1 次" in (await told(RUI))[0]


async def test_the_last_working_day_of_a_month_takes_what_is_missing_to_the_committee(quiet_city, check, told):
    await check(nine(5, 25))
    await check(nine(5, 28))
    assert await told(RUI) == []
    await check(nine(5, 29))  # a Friday; the month ends on Sunday
    await check(nine(5, 31))
    (text,) = await told(RUI)
    assert text.splitlines()[1:] == [
        "梁丰社区党支部：5 月还没有开主题党日，离月底还有 2 天。",
        "梁丰社区党支部：5 月还没有开支委会，离月底还有 2 天。",
    ]


@pytest.mark.parametrize(("back", "heard"), [(nine(6, 1), 1), (nine(6, 7), 1), (nine(6, 8), 0), (nine(9, 2), 0)])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_month_that_ended_in_an_outage_is_taken_to_the_committee_within_a_week(
    quiet_city, check, told, look, back, heard
):
    await check(nine(5, 25))
    await look(
        lambda s: s.add(held(300, nine(5, 26), THEME))
    )  # told of both; one of them is held, then all is down
    for _ in range(2):
        await check(back)
    over = [one for one in await told(RUI) if "5 月" in one]
    assert [one.splitlines()[1:] for one in over] == [
        ["梁丰社区党支部：5 月没有开支委会，这个月已经过去。"]
    ] * heard
    assert not any("已经过去" in one for one in await told(SUN))


async def test_a_later_checkpoint_asks_again(quiet_city, check, look):
    async def veto_state(now):
        await check(now)
        return next(state for kind, _, state in await rows(look) if kind == VETO)

    await yearly(look)
    assert await veto_state(nine(7, 1)) == "open"
    warning = (await look(lambda s: warnings.live(s)))[0]
    await look(lambda s: warnings.acknowledge(s, warning.id, SUN, nine(7, 2)))
    assert await veto_state(nine(9, 29)) == "acknowledged"
    assert await veto_state(nine(9, 30)) == "open"


async def test_recovery_is_told_and_the_row_is_cleared(quiet_city, check, told, look):
    await check(nine(5, 25))
    await look(lambda s: s.add(held(300, nine(5, 26), THEME)))
    await check(nine(5, 27))
    assert (await told(SUN))[1] == "【预警解除】5 月的主题党日已经开了。辛苦了。"
    assert ("overdue_theme_day", "2026-05", "cleared") in await rows(look)
    assert ("overdue_committee", "2026-05", "open") in await rows(look)


async def test_an_activity_without_half_of_its_people_clears_nothing(quiet_city, check, look):
    await check(nine(5, 25))
    await look(lambda s: s.add(held(300, nine(5, 26), THEME, attended=3)))
    await check(nine(5, 27))
    assert ("overdue_theme_day", "2026-05", "open") in await rows(look)


async def test_a_period_that_is_over_ends_its_warning_without_praise(quiet_city, check, told, look):
    await check(nine(5, 25))
    await check(nine(6, 1))
    assert {state for _, _, state in await rows(look)} == {"ended"}
    assert not [text for text in await told(SUN) if "解除" in text]


async def test_trouble_that_comes_back_opens_the_same_row_again(quiet_city, check, told, look):
    await check(nine(5, 25))
    await look(lambda s: s.add(held(300, nine(5, 26), THEME)))
    await check(nine(5, 27))

    def take_back(session):
        session.get(Activity, 300).approved = False

    await look(take_back)
    await check(nine(5, 28))
    assert [row for row in await rows(look) if row[0] == "overdue_theme_day"] == [
        ("overdue_theme_day", "2026-05", "open")
    ]
    assert "主题党日" in (await told(SUN))[-1]


async def test_without_a_secretary_the_committee_hears_of_it_at_once(quiet_city, check, told, look):
    await look(lambda s: [s.delete(r) for r in s.execute(select(Role).where(Role.member_id == SUN)).scalars()])
    await check(nine(5, 25))
    assert await told(SUN) == []
    assert (await told(RUI))[0].startswith("【预警】有 2 件支部的事还没有办好")
    await check(nine(5, 26))
    assert len(await told(RUI)) == 1


async def test_probationary_members_do_not_make_a_committee(quiet_city, check, look):
    def probationary(session):
        session.get(Member, SUN).probationary = True

    assert len(NAMES) - 4 == 7  # four belong elsewhere
    await look(probationary)
    await check(nine(5, 25))
    assert [row[0] for row in await rows(look)] == ["overdue_theme_day"]


async def test_the_year_is_the_citys(quiet_city, check, look):
    """An activity at 23:59:59 on 31 December in Shanghai belongs to that year, a second later to the next."""
    edge = datetime(2025, 12, 31, 15, 59, 59, tzinfo=UTC)
    await look(lambda s: [s.delete(s.get(Activity, 100 + n)) for n in range(6)])
    await look(lambda s: [s.add(held(400, edge)), s.add(held(401, edge + timedelta(seconds=1)))])
    await check(nine(7, 1))
    proof = (await look(lambda s: warnings.live(s)))[0].proof
    assert '"activities": 1' in proof


async def test_the_daily_check_goes_through_the_city_in_parts(look, monkeypatch):
    monkeypatch.setattr("notices.warnings.BATCH", 1)
    now = nine(6, 30)
    assert await look(lambda s: check_next(s, now, ZONE)) == 0  # nothing is under way
    await look(lambda s: occurrences.record(s, "warnings", now, ran_at=now))
    assert [await look(lambda s: check_next(s, now, ZONE)) for _ in range(4)] == [1, 1, 0, 0]
    branches = await look(lambda s: [one.organization_id for one in warnings.live(s)])
    assert set(branches) == {LIANGFENG, SHAZHOU}


async def test_on_the_last_day_it_says_so(quiet_city, check, told):
    await check(nine(5, 31))
    assert (await told(SUN))[0].splitlines()[1] == "5 月还没有开主题党日，今天是这个月最后一天。"
