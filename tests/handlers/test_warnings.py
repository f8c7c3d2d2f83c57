"""`预警` as a secretary, a reviewer and a member see it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from db import audit
from db.accounts import Chat
from db.activities import Activity
from db.warnings import BranchWarning
from notices.warnings import check_warnings
from tests.cast import ALICE, LIANGFENG, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE

DAY = timedelta(days=1)
LATE_JUNE = NOON + 15 * DAY  # Tuesday 30 June 2026, 12:00


@pytest.fixture
async def behind(look, clock):
    """30 June: nothing was held this year, and the cast's own activities are out of the way."""

    def cancel(session):
        for activity in session.execute(select(Activity)).scalars():
            activity.state = "cancelled"

    await look(cancel)
    clock.now = LATE_JUNE
    await look(lambda s: check_warnings(s, LATE_JUNE, ZONE))


async def test_a_member_has_no_warnings(say):
    assert "职责" in (await say(ALICE, "预警")).text


async def test_nothing_to_do_says_so(say):
    message = await say(SUN, "预警")
    assert message.text == "现在没有要您处理的预警。"
    assert message.labels() == ["1 活动", "0 菜单"]


async def test_the_secretary_sees_the_own_branch_only(say, behind):
    message = await say(SUN, "预警")
    assert message.text.splitlines()[:2] == [
        "要处理的预警（5 件）：",
        "1. 今年活动 0 次，还差 6 次（少于 6 次一票否决），离年底还有 184 天。按现在的速度到年底是 0 次。",
    ]
    assert "梁丰" not in message.text
    assert len((await say(QIAN, "预警")).text.splitlines()) == 5  # without a committee: four


async def test_acknowledging_is_done_once_and_written_down(say, behind, look):
    detail = await say.all(SUN, "预警", "1")
    assert detail.text.splitlines()[1] == "提出：今天 12:00。还没有人确认。"
    assert detail.labels() == ["1 安排一次活动", "2 我知道了", "3 怎么算的", "9 返回", "0 菜单"]
    assert (await say(SUN, "2")).text == "好的，不再提醒这件事。办好后我会告诉您。"
    button = f"warnings:ack:{(await look(lambda s: s.execute(select(BranchWarning.id).order_by(BranchWarning.id)).scalars().first()))}"
    assert (await say(SUN, button, kind="button")).text == "这件事已经确认过了，或已经解除。"
    actions = await look(lambda s: s.execute(select(audit.AuditEvent.action)).scalars().all())
    assert actions.count("warning.acknowledged") == 1
    assert "（已知道）" in (await say(SUN, "预警")).text


async def test_all_at_once(say, behind):
    assert (await say(SUN, "warnings:ack:all", kind="button")).text.startswith("好的，5 件都不再提醒")
    assert (await say(SUN, "warnings:ack:all", kind="button")).text == "这件事已经确认过了，或已经解除。"


async def test_the_rule_is_explained_with_its_source(say, behind):
    message = await say.all(SUN, "预警", "1", "3")
    assert "一年要有 6 次活动" in message.text
    assert "6 月 30 日不足 3 次、9 月 30 日不足 5 次、12 月 1 日不足 6 次" in message.text
    assert "依据：张家港" in message.text
    overdue = await say.all(SUN, "预警", "2", "3")
    assert "主题党日不少于12次" in overdue.text
    assert "依据：本服务建议；每月一次见《支部工作条例》" in overdue.text


async def test_planning_is_one_step_away(say, behind):
    assert (await say.all(SUN, "预警", "1", "1")).text == "安排哪种活动？"


async def test_people_above_see_their_subtree_and_cannot_acknowledge(say, behind, look):
    for person in (RUI, OLGA):
        message = await say(person, "预警")
        assert "范围内的预警（9 件，未确认的在前）：" in message.text
        assert "梁丰社区党支部：今年活动 0 次" in message.text
        assert len(message.text.splitlines()) <= 6
        assert "5 更多" in message.labels()
        detail = await say(person, "1")
        assert detail.labels() == ["1 怎么算的", "9 返回", "0 菜单"]
    first = await look(lambda s: s.execute(select(BranchWarning.id).order_by(BranchWarning.id)).scalars().first())
    assert "由支部书记确认" in (await say(RUI, f"warnings:ack:{first}", kind="button")).text


async def test_another_branchs_warning_is_as_unknown_as_a_forged_one(say, behind, look):
    other = await look(
        lambda s: (
            s.execute(select(BranchWarning.id).where(BranchWarning.organization_id == SHAZHOU)).scalars().first()
        )
    )
    texts = {
        (await say(SUN, f"warnings:{step}:{number}", kind="button")).text
        for step in ("show", "ack", "why")
        for number in (other, 99999, "x", "")
    }
    assert texts == {"没有找到这条预警，它可能已经解除。"}


async def test_a_warning_that_is_over_says_so_behind_its_old_button(say, behind, look):
    first = await look(
        lambda s: (
            s.execute(select(BranchWarning.id).where(BranchWarning.organization_id == LIANGFENG)).scalars().first()
        )
    )
    await look(lambda s: setattr(s.get(BranchWarning, first), "state", "cleared"))
    assert "已解除。" in (await say(SUN, f"warnings:show:{first}", kind="button")).text
    assert "已经解除" in (await say(SUN, f"warnings:ack:{first}", kind="button")).text


async def test_in_english(say, behind, look):
    def english(session):
        session.execute(select(Chat).where(Chat.member_id == SUN)).scalar_one().language = "en"

    await look(english)
    assert (await say(SUN, "warnings")).text.startswith(
        "Warnings to act on (5):\n1. 0 activities this year, 6 to go"
    )
    assert "12 theme Party days" in (await say.all(SUN, "2", "3")).text


async def test_a_single_warning_has_no_list_to_go_back_to(say, behind, look):
    def all_but_one_are_over(session):
        found = session.execute(select(BranchWarning).where(BranchWarning.organization_id == LIANGFENG)).scalars()
        for warning in list(found)[1:]:
            warning.state = "cleared"

    await look(all_but_one_are_over)
    shown = await say(SUN, "预警")
    assert shown.labels() == ["1 安排一次活动", "2 我知道了", "3 怎么算的", "0 菜单"]
