"""Declarations are reviewed, drawn for a second look, and locked."""

from __future__ import annotations

import asyncio

import pytest
from sqlmodel import select

from db import periods_locked, spot_checks, values
from db.members import Role
from db.values import ValueRecord
from notices import spot_checks as draws
from tests.cast import BOB, DAY, DING, INES, LIANGFENG, QIAN, RUI, SUN
from tests.handlers.declarations.conftest import audited, days_pass
from tests.handlers.declaring import at


async def test_the_reviewer_sees_the_picture_approves_and_the_value_counts_at_once(story, say, look):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    assert (await say(RUI, "审核申报")).labels()[0] == "1 梁丰社区党支部（1 件）"
    await say(RUI, "1")
    seen = await say(RUI, "1")
    assert seen.picture.kind == "stored"
    assert seen.labels()[:2] == ["1 通过", "2 退回"]
    assert (await say(RUI, "1")).text.startswith("已通过：支部委员会会议每月至少一次。")
    assert await look(lambda s: values.latest(s, LIANGFENG, "C02", "2026-05")) == "2"
    row = await story.row(LIANGFENG, "C02")
    lines = await look(
        lambda s: [(one.cause, one.collect) for one in values.history(s, LIANGFENG, "C02", "2026-05")]
    )
    assert lines == [(f"declaration:{row.id}", "declare")]
    assert (await story.told(SUN))[-1].startswith("申报通过了 1 件：")
    assert len(await audited(look, "declaration.approved")) == 1
    assert await look(lambda s: spot_checks.of_month(s, "2026-05")) is not None  # the seed stands before


async def test_only_what_was_seen_is_approved_together(story, say, look):
    for thing in ("C02", "C04"):
        await story.declare(SUN, LIANGFENG, thing, "2")
    first = await story.row(LIANGFENG, "C02")
    assert all(
        "都通过" not in label
        for label in (await story.press(RUI, f"declaration_review:branch:{LIANGFENG}")).labels()
    )
    await story.press(RUI, f"declaration_review:see:{first.id}")
    listed = await story.press(RUI, f"declaration_review:branch:{LIANGFENG}")
    assert "3 看过的 1 件都通过" in listed.labels()
    preview = await say(RUI, "3")
    assert preview.text.startswith("梁丰社区党支部，这 1 件都通过？")
    assert (await say(RUI, "1")).text.startswith("通过了 1 件，已告诉书记。")
    assert [(await story.row(LIANGFENG, one)).state for one in ("C02", "C04")] == ["approved", "submitted"]


async def test_ten_taps_of_two_reviewers_decide_once(story, look):
    await look(
        lambda s: s.add(
            Role(member_id=BOB, organization_id=2, role="committee_reviewer", from_day=DAY.replace(month=1))
        )
    )
    await story.declare(SUN, LIANGFENG, "C02", "2")
    row = await story.row(LIANGFENG, "C02")
    button = f"declaration_review:yes:{row.id}:1"
    await asyncio.gather(*(story.press(who, button) for who in (RUI, BOB) * 5))
    assert len(await look(lambda s: s.execute(select(ValueRecord.id)).all())) == 1
    assert len(await audited(look, "declaration.approved")) == 1


@pytest.mark.parametrize(("now", "state"), [(at(6, 14, 23, 59), "approved"), (at(6, 15, 0, 0), "submitted")])
async def test_nothing_is_approved_from_the_fifteenth_on(story, now, state):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    story.clock.now = now  # the job has not run yet: the day decides
    await story.approve(RUI, LIANGFENG, "C02")
    assert (await story.row(LIANGFENG, "C02")).state == state


# The draw, the second look, the lock


async def test_the_seed_is_fixed_before_and_told_with_the_draw(story, say, look):
    await days_pass(look, at(6, 1, 0, 10))
    for thing in ("C02", "C04"):
        await story.declare(SUN, LIANGFENG, thing, "2")
        await story.approve(RUI, LIANGFENG, thing)
    row = await look(lambda s: spot_checks.of_month(s, "2026-05"))
    first, before = await say(SUN, "抽查"), (await say(SUN, "怎么抽的")).text
    assert "11 日抽签" in first.text
    assert row.commitment in before
    assert row.seed not in first.text + before
    assert row.commitment not in first.text, "the first screen says what to do"
    await days_pass(look, at(6, 10, 23, 59))
    assert (await look(lambda s: spot_checks.of_month(s, "2026-05"))).drawn_at is None
    await days_pass(look, at(6, 11, 0, 0))
    after = await look(lambda s: spot_checks.of_month(s, "2026-05"))
    assert (after.candidates, after.drawn, after.commitment) == (2, 1, row.commitment)
    told = await say(SUN, "抽查")
    assert "2 件申报里抽中 1 件" in told.text
    assert told.text.endswith("请备好这几件的原件，组织部会来核对。")
    assert row.seed not in told.text
    assert row.seed in (await say(SUN, "1")).text, "behind 怎么抽的"
    assert (await say(QIAN, "抽查")).text.endswith("没有抽中您这里的，不用准备。")
    assert await look(lambda s: draws.draw(s, "2026-05", DAY, at(6, 11, 1))) is False  # once


async def test_a_failed_second_look_takes_the_value_back_even_in_a_locked_period(story, say, look):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    await story.approve(RUI, LIANGFENG, "C02")
    story.clock.now = at(6, 16)
    await days_pass(look, at(6, 16))
    assert await look(lambda s: periods_locked.is_locked(s, "2026-05"))
    row = await story.row(LIANGFENG, "C02")
    assert row.recheck == "drawn"
    assert (await story.press(RUI, f"spot_check:see:{row.id}")).picture is None  # not the district: only the draw
    assert (await say(DING, "抽查")).labels()[0].startswith(f"1 {row.id} 号：梁丰社区党支部 C02")
    assert (await say(DING, "1")).picture.kind == "stored"
    await say(DING, "2")
    failed = await say(DING, "会议记录是后补的")
    assert failed.text.startswith(f"{row.id} 号已收回")
    assert await look(lambda s: values.latest(s, LIANGFENG, "C02", "2026-05")) == ""
    assert "有异议请找区委组织部" in (await story.told(SUN))[-1]
    assert (await story.told(RUI))[-1].startswith("梁丰社区党支部的申报复核没过")
    assert (await say(DING, "1")).text.startswith("已请检查员核实（N03）")
    assert "N03" in (await story.told(INES))[-1]
    assert len(await audited(look, "declaration.clawed_back")) == 1
    assert (await story.row(LIANGFENG, "C02")).state == "failed"


async def test_what_is_approved_after_the_draw_is_always_looked_at(story, look):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    story.clock.now = at(6, 11, 9)
    await days_pass(look, at(6, 11, 9))
    await story.approve(RUI, LIANGFENG, "C02")
    row = await story.row(LIANGFENG, "C02")
    assert (row.state, row.recheck, row.candidate) == ("approved", "late", False)
    await story.press(DING, f"spot_check:pass:{row.id}")
    assert (await story.row(LIANGFENG, "C02")).recheck == "passed"


async def test_the_lock_ends_it_and_tells_whose_declarations_lapsed(story, look):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    await days_pass(look, at(6, 14, 23, 59))
    assert not await look(lambda s: periods_locked.is_locked(s, "2026-05"))
    await days_pass(look, at(6, 15, 0, 1))
    assert (await story.row(LIANGFENG, "C02")).state == "lapsed"
    assert (await story.told(SUN))[-1].startswith("这 1 件到锁定时还没审完，不计：")
    await days_pass(look, at(7, 20))
    locked = await look(lambda s: periods_locked.locked(s, ["2026-05", "2026-06", "2026Q2", "2026H1", "2026"]))
    assert locked == {"2026-05", "2026-06", "2026Q2", "2026H1"}


async def test_after_an_outage_every_month_is_locked_in_turn(look):
    await days_pass(look, at(6, 20))
    await days_pass(look, at(9, 3))
    assert await look(lambda s: periods_locked.last_locked(s)) == "2026-07"
    assert (await look(lambda s: spot_checks.of_month(s, "2026-07"))).drawn_at is not None


async def test_the_same_rate_is_asked_once_and_recorded_for_both(story, look):
    story.clock.now = at(7, 3)
    await story.declare(SUN, LIANGFENG, "C09", "100%", "2026Q2")
    await story.approve(RUI, LIANGFENG, "C09", "2026Q2")
    assert await look(lambda s: values.latest(s, LIANGFENG, "C09", "2026Q2")) == "1"
    assert await look(lambda s: values.latest(s, LIANGFENG, "F08", "2026-06")) == "1"
