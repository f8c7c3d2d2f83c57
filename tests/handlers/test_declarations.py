"""申报, 审核申报, 抽查: the whole life of a declared value, as secretary, reviewer and district see it."""

from __future__ import annotations

import asyncio

import pytest
from sqlmodel import select

from db import declarations, periods_locked, spot_checks, values
from db.audit import AuditEvent
from db.members import Role
from db.values import ValueRecord
from handlers.declared_values import read_words
from notices import spot_checks as draws
from notices.declaration_days import keep_the_days
from scoring.catalogue import shipped
from scoring.declaring import declarables, due_at, month_of, running
from scoring.periods import last_ended
from tests.cast import ALICE, BOB, DAY, DING, INES, LIANGFENG, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.handlers.declaring import Story, at


@pytest.fixture
def story(say, look, clock):
    """3 June: the declarations for May are open."""
    clock.now = at(6, 3)
    return Story(say, look, clock)


async def days_pass(look, now):
    """Let the jobs of the calendar do all that is due at `now`."""
    while await look(lambda s: keep_the_days(s, now, ZONE)):
        pass


async def audited(look, action):
    return await look(lambda s: s.execute(select(AuditEvent).where(AuditEvent.action == action)).scalars().all())


# Declaring


async def test_a_meeting_is_declared_with_a_picture_and_handed_in_once(story, say, look):
    shown = await say(SUN, "申报")
    assert shown.text == "梁丰社区党支部：2026 年 5 月还有 2 件要报，6 月 5 日前交。"
    assert shown.labels()[:2] == [
        "1 支部委员会会议每月至少一次（2026 年 5 月）要报",
        "2 主题党日每月一次（2026 年 5 月）要报",
    ]
    assert shown.labels()[6].startswith("7 还有")
    asked = await say(SUN, "1")
    assert asked.text.splitlines() == [
        "支委会开了几次？只算正式通知、有记录的。",
        "2026 年 5 月一共多少？请打数字，如：2。没有就打“没有”。",
        "系统里没有这段时间开会的记录。",
    ]
    assert asked.labels() == ["9 返回", "0 菜单"]  # a typed 1 is the figure, not a button
    assert "没看懂" in (await say(SUN, "很多")).text
    assert (await say(SUN, "2次")).text.startswith("记下了：2。请发一张照片")
    assert (await say(SUN, "照片在抽屉里")).text.startswith("要有一张照片才能申报。")
    preview = await story.picture(SUN, "会议记录在册")
    assert preview.text.splitlines() == [
        "请核对：梁丰社区党支部，支部委员会会议每月至少一次，2026 年 5 月：2。",
        "说明：会议记录在册",
        "这个数达标。交上去后由党委审核。",
    ]
    assert preview.picture.kind == "stored"
    send = preview.buttons[0].action
    assert (await say(SUN, "1")).text.startswith("已交：支部委员会会议每月至少一次。")
    assert (await story.press(SUN, send)).text == "这一份已经交了，或者已经放下了。"
    row = await story.row(LIANGFENG, "C02")
    assert (row.value, row.state, row.version, row.closing) == ("2", "submitted", 1, "2026-05")
    assert len(await audited(look, "declaration.declared")) == 1
    assert await look(lambda s: values.latest(s, LIANGFENG, "C02", "2026-05")) is None


async def test_it_can_be_changed_until_it_is_decided_and_every_version_is_kept(story, look):
    await story.declare(SUN, LIANGFENG, "C02", "1")
    changed = await story.declare(SUN, LIANGFENG, "C02", "3")
    assert changed.text.startswith("已交")
    row = await story.row(LIANGFENG, "C02")
    kept = await look(lambda s: [one.value for one in declarations.versions(s, row.id)])
    assert (row.version, kept) == (2, ["1", "3"])
    stale = await story.press(RUI, f"declaration_review:yes:{row.id}:1")
    assert stale.text.startswith("支部刚改过，请看新的这一份：")
    assert (await story.row(LIANGFENG, "C02")).state == "submitted"
    await story.approve(RUI, LIANGFENG, "C02")
    refused = await story.press(SUN, f"declare:ask:{LIANGFENG}:C02:2026-05")
    assert "已通过，已计入。" in refused.text


async def test_what_was_not_done_needs_no_picture(story, say):
    await story.press(SUN, f"declare:ask:{LIANGFENG}:C02:2026-05")
    preview = await say(SUN, "没有")
    assert "没有达标，不得分，也不用照片" in preview.text
    await say(SUN, "1")
    assert (await story.row(LIANGFENG, "C02")).value == "0"


@pytest.mark.parametrize(("now", "taken"), [(at(6, 5, 23, 59), True), (at(6, 6, 0, 0), False)])
async def test_the_fifth_is_the_last_day(story, say, now, taken):
    await story.press(SUN, f"declare:ask:{LIANGFENG}:C02:2026-05")
    await say(SUN, "2")
    await story.picture(SUN)
    story.clock.now = now
    done = await say(SUN, "1")
    assert done.text.startswith("已交" if taken else "2026 年 5 月的申报到 6 月 5 日为止，现在不能报了。")


@pytest.mark.parametrize(("now", "taken"), [(at(6, 10, 23, 59), True), (at(6, 11, 0, 0), False)])
async def test_what_was_returned_can_be_handed_in_until_the_tenth(story, now, taken):
    await story.declare(SUN, LIANGFENG, "C02", "2")
    story.clock.now = at(6, 7)
    row = await story.row(LIANGFENG, "C02")
    await story.press(RUI, f"declaration_review:no:{row.id}:1")
    assert "已退回：支部委员会会议每月至少一次" in (await story.say(RUI, "照片看不清")).text
    assert (await story.row(LIANGFENG, "C02")).state == "returned"
    assert (await story.told(SUN))[-1].splitlines()[-2:] == ["原因：照片看不清", "请在 6 月 10 日前改好再报。"]
    story.clock.now = now
    await story.declare(SUN, LIANGFENG, "C02", "2")
    row = await story.row(LIANGFENG, "C02")
    assert (row.state, row.version) == (("submitted", 2) if taken else ("returned", 1))


@pytest.mark.parametrize(
    ("form", "typed", "recorded"),
    [
        *[("rate", one, "0.95") for one in ("95%", "0.95", "95", "９５％", "百分之95", "19/20")],
        *[("rate", one, "1") for one in ("100", "1", "100%")],
        ("rate", "1%", "0.01"),
        ("rate", "2/3", "0.6666"),  # never rounded up
        *[("rate", one, None) for one in ("101", "3/2", "1/0", "很高", "-5")],
        *[("count", one, "3") for one in ("3", "三次", "３ 次", "3 times")],
        ("count", "没有", "0"),
        *[("count", one, None) for one in ("10000", "1.5", "两三次")],
        *[("statement", one, "true") for one in ("达到", "yes", "true")],
        ("statement", "没有", "false"),
        ("statement", "大概", None),
    ],
)
def test_figures_are_read_as_people_type_them(form, typed, recorded):
    assert read_words(typed, form) == recorded


def test_what_is_due_follows_the_lists_and_the_founding_day():
    june = month_of(DAY)
    due = {(one.what.id, one.period.text) for one in due_at("urban_community", june, None)}
    assert {("C02", "2026-06"), ("C03", "2026Q2"), ("C09", "2026Q2"), ("F01", "2026-06")} <= due
    assert not {one for one, _ in due} & {"C01", "F03", "F08", "F14", "F15", "GI06"}
    young = {one.what.id for one in due_at("urban_community", june, june.first)}
    assert "C02" in young
    assert "C03" not in young
    december = {one.what.id for one in due_at("urban_community", month_of(DAY.replace(month=12)), None)}
    assert {"C06", "F03", "F04"} <= december
    assert ("C06", "2026") in {(one.what.id, one.period.text) for one in running("soe", DAY, None)}
    assert next(one for one in declarables("soe", DAY) if one.id == "C09").also == ("F08",)


# Forged buttons


async def test_nobody_declares_for_another_branch(story, say):
    forged = await story.press(QIAN, f"declare:ask:{LIANGFENG}:C02:2026-05")
    assert forged.text == "没有找到这一项，或者它不归您申报。"
    await story.press(SUN, f"declare:value:{LIANGFENG}:C02:2026-05:2")
    await story.picture(SUN)
    draft = await story.look(lambda s: s.execute(select(declarations.DeclarationDraft.id)).scalar_one())
    assert (await story.press(QIAN, f"declare:send:{draft}")).text == "这一份已经交了，或者已经放下了。"
    assert "职责" in (await say(ALICE, "申报")).text
    for wrong in ("C01:2026-05", "C02:2026-13", "C02:2027-01", "C02:2026Q1", "XX:2026-05"):
        assert "没有找到" in (await story.press(SUN, f"declare:ask:{LIANGFENG}:{wrong}")).text


async def test_a_reviewer_of_another_committee_and_the_declarer_decide_nothing(story, look):
    def roles(session):
        session.add(
            Role(member_id=BOB, organization_id=SHAZHOU, role="committee_reviewer", from_day=DAY.replace(month=1))
        )
        session.add(
            Role(member_id=RUI, organization_id=LIANGFENG, role="secretary", from_day=DAY.replace(month=1))
        )

    await look(roles)
    await story.declare(SUN, LIANGFENG, "C02", "2")
    await story.declare(RUI, LIANGFENG, "C04", "1")
    assert "没有找到这份申报" in (await story.approve(BOB, LIANGFENG, "C02")).text
    assert "要由别人审核" in (await story.approve(RUI, LIANGFENG, "C04")).text
    assert "没有找到" in (await story.press(BOB, f"declaration_review:all:{LIANGFENG}")).text
    states = {(await story.row(LIANGFENG, one)).state for one in ("C02", "C04")}
    assert states == {"submitted"}


# Reviewing


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


# Corrections


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
