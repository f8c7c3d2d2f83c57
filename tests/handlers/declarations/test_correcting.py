"""A locked figure is corrected with a reason and by two people."""

from __future__ import annotations

import asyncio

from db import values
from db.members import Role
from scoring.catalogue import shipped
from scoring.periods import last_ended
from tests.cast import BOB, DAY, DING, LIANGFENG, SUN
from tests.handlers.declarations.conftest import days_pass
from tests.handlers.declaring import at


async def test_a_correction_needs_a_lock_a_reason_and_two_people(story, say, look):
    await look(
        lambda s: s.add(
            Role(member_id=BOB, organization_id=1, role="district_org_department", from_day=DAY.replace(month=1))
        )
    )
    line = "B10 C02 2026-05 1 补查会议记录属实"
    assert "还没锁定" in (await say.all(DING, "更正数值", "1", line)).text
    await days_pass(look, at(6, 15, 1))
    story.clock.now = at(6, 16)
    preview = await say.all(DING, "更正数值", "1", line)
    assert preview.text.splitlines()[1:] == ["原来 （空），改成 1。", "原因：补查会议记录属实"]
    await say(DING, "1")
    assert "另一位" in (await say.all(DING, "更正数值", "1")).text
    one = (await say(BOB, "更正数值")).buttons[0].action
    button = one.replace("see", "yes")
    assert "另一位" in (await story.press(DING, button)).text
    await asyncio.gather(*(story.press(BOB, button) for _ in range(4)))
    lines = await look(lambda s: [one.cause for one in values.history(s, LIANGFENG, "C02", "2026-05")])
    assert len(lines) == 1
    assert lines[0].startswith("correction:")
    assert await look(lambda s: values.latest(s, LIANGFENG, "C02", "2026-05")) == "1"


async def test_a_correction_is_asked_one_thing_after_the_other(story, say):
    story.clock.now = at(6, 16)
    assert "请打编号或名称" in (await say.all(DING, "更正数值", "1")).text
    assert "没有编号是 火星" in (await say(DING, "火星")).text
    both = await say(DING, "党支部")
    assert {"1 梁丰社区党支部", "2 沙洲村党支部"} <= set(both.labels())
    things = await say(DING, "2")
    while not any("C03" in label for label in things.labels()):
        assert len(things.buttons) <= 9
        things = await say(DING, "更多")
    assert "没有找到“不存在”" in (await say(DING, "不存在")).text
    periods = await say(DING, "C02")
    assert periods.labels()[:2] == ["1 2026 年 5 月", "2 2026 年 4 月"]
    assert "2026-06 还没锁定" in (await say(DING, "2026-06")).text
    assert "没有 C02 在 2026Q1" in (await say(DING, "2026Q1")).text
    assert "现在是 （空）" in (await say(DING, "2026-03")).text
    assert "“许多”不是" in (await say(DING, "许多")).text
    assert "请打原因" in (await say(DING, "1")).text, "a typed figure is no number of a button"
    assert "请打原因" in (await say(DING, "补")).text
    preview = await say(DING, "补查会议记录属实")
    assert preview.text == "沙洲村党支部，C02，2026-03：\n原来 （空），改成 1。\n原因：补查会议记录属实"
    assert "另一位同志确认" in (await say(DING, "1")).text


async def test_a_statement_is_picked_and_forged_steps_lead_to_the_beginning(story, say):
    story.clock.now = at(6, 16)
    stated = next(one for one in shipped().indicators_on("urban_community", DAY) if one.statement)
    here = f"{LIANGFENG}:{stated.id}:{last_ended(stated.period, at(3, 31).date()).text}"
    asked = await story.press(DING, f"correction:period:{here}")
    assert asked.labels()[:3] == ["1 达到", "2 没有达到", "3 收回数值"]
    await say(DING, "3")
    assert "改成 （空）" in (await say(DING, "补查会议记录属实")).text
    forged = (
        *("correction:thing:90", "correction:thing:x", "correction:period:10:XX", "correction:period:1:C02"),
        *("correction:value:10:C02:2026-06:1", "correction:why:10:C02:2026-06:1:补查属实", "correction:why:::::"),
    )
    for action in forged:
        assert "更正哪个支部" in (await story.press(DING, action)).text, action


async def test_a_period_from_before_the_service_can_be_corrected_and_an_open_one_cannot(story, say):
    story.clock.now = at(6, 14)
    told = [
        (await say.all(DING, "更正数值", "1", f"B10 C02 2026-{month} 1 补查属实")).text for month in ("03", "05")
    ]
    assert ["改成 1" in text for text in told] == [True, False]
    assert "还没锁定" in told[1]
    story.clock.now = at(6, 15)
    assert "改成 1" in (await say.all(DING, "更正数值", "1", "B10 C02 2026-05 1 补查属实")).text


async def test_words_below_a_preview_are_its_note_and_do_not_lose_the_picture(story, say):
    await say.all(SUN, "申报", "1", "2")
    await story.picture(SUN)
    preview = await say(SUN, "会议记录在册，大家都到了")
    assert "说明：会议记录在册，大家都到了" in preview.text
    assert (await say(SUN, "1")).text.startswith("已交：支部委员会会议每月至少一次。")


async def test_after_the_deadline_what_has_a_value_from_elsewhere_is_not_called_missed(story, say, look, clock):
    clock.now = at(6, 8)
    await look(
        lambda s: values.record(
            s,
            organization_id=LIANGFENG,
            indicator_id="C02",
            period="2026-05",
            value="1",
            collect="declare",
            cause="correction:1",
            recorded_at=clock.now,
        )
    )
    labels = [
        label
        for skip in (0, 6, 12)
        for label in (await say(SUN, f"declare:of:{LIANGFENG}:{skip}", kind="button")).labels()
    ]
    found = [label for label in labels if "2026 年 5 月" in label]
    assert [label.rpartition("）")[2] for label in found] == ["已有数", "过期未报"]
