"""What a branch declares, until when, and for itself alone."""

from __future__ import annotations

import pytest
from sqlmodel import select

from db import declarations, values
from db.members import Role
from handlers.declared_values import read_words
from scoring.declaring import declarables, due_at, month_of, running
from tests.cast import ALICE, BOB, DAY, LIANGFENG, QIAN, RUI, SHAZHOU, SUN
from tests.handlers.declarations.conftest import audited
from tests.handlers.declaring import at


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
