"""Warnings are told with proof, repeated until acknowledged, taken further up, cleared and told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from db import occurrences, warnings
from db.activities import Activity
from db.members import Member, Role
from notices.troubles import VETO
from notices.warnings import check_next
from tests.cast import LIANGFENG, NAMES, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.warnings.branch import (
    COMMITTEE,
    DAY,
    THEME,
    held,
    nine,
    rows,
    yearly,
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
