"""A finding is appealed, decided by somebody else, and put right within its days."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from db import inspections, rectifications, values
from db.members import Member, Membership
from notices import inspections as notes
from notices.inspection_terms import due_on
from notices.schedule import Moment
from tests.cast import DING, INES, NOON, QIAN, RUI, SHAZHOU
from tests.conftest import ZONE
from tests.handlers.inspections.conftest import DAY, SECOND, after_window, confirm, deductions, inspect


@pytest.mark.parametrize(("choice", "state"), [("维持原结果", "upheld"), ("申诉成立，撤销", "dropped")])
async def test_an_appeal_is_decided_by_the_committee_with_a_reason(say, look, clock, told, finding, choice, state):
    await say.all(QIAN, "整改", "1", "不同意，申诉")
    await say(QIAN, "", kind="image", picture="flag")
    assert (await say(QIAN, "党旗在里屋，照片为证")).text == "已申诉，等审核。有结果我告诉您，审核前不扣分。"
    assert "只能在期限内申诉一次" in (await say(QIAN, f"rectify:appeal:{finding}", kind="button")).text
    after_window(clock)
    assert (await say(DING, "待入账")).text == "现在没有要入账的检查。"
    assert (await told(RUI))[0].startswith("【申诉】沙洲村党支部")
    seen = await say.all(RUI, "待审申诉", "1")
    assert "支部申诉：党旗在里屋，照片为证" in seen.text
    assert (await say(RUI, "看申诉照片")).picture is not None
    await say(RUI, f"inspection_review:see:{finding}", kind="button")
    await say.all(RUI, choice, "到现场看过了")
    assert (await look(lambda s: inspections.by_id(s, int(finding)).state)) == state
    for person in (QIAN, INES):
        assert (await told(person))[-1].endswith("到现场看过了")
    listed = (await say(DING, "待入账")).text
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)).state)
    if state == "upheld":
        assert (listed, card) == ("可以入账的检查，最早的在前：", "open")
    else:
        assert (listed, card) == ("现在没有要入账的检查。", "dropped")
        assert (await say(DING, f"inspection_review:post_yes:{finding}", kind="button")).text.startswith("不入账")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None


async def test_whoever_decides_is_reminded_once_when_the_days_for_it_are_over(say, look, told, finding, cases):
    for number in (finding, cases):
        await say(QIAN, f"rectify:appeal:{number}", kind="button")
        await say(QIAN, "党旗在里屋，请再来看看")
    before = len(await told(RUI))

    async def run(day: int) -> int:
        nine = datetime(2026, 6, day, 9, 20, tzinfo=ZONE)
        return await look(lambda s: notes.remind_deciders(s, Moment(nine, nine, ZONE)))

    # Five working days after 15 June end on the 23rd: the Dragon Boat Festival and its weekend lie between.
    assert [await run(day) for day in (22, 23, 24, 24, 25)] == [0, 0, 2, 2, 0]
    assert (await told(RUI))[before:] == ["【申诉】有 2 件检查申诉过了 5 个工作日还没有审，请您定。"]
    assert (await say(RUI, "inspection_review:appealed", kind="button")).text.startswith("等审核的申诉")
    await say.all(RUI, f"inspection_review:see:{finding}", "维持原结果", "到现场看过了")
    assert await run(24) == 1


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 6, 15), date(2026, 6, 23)),  # the Dragon Boat Festival and its weekend lie between
        (date(2026, 5, 11), date(2026, 5, 18)),  # one weekend
        (date(2026, 9, 28), date(2026, 10, 10)),  # National Day; Saturday 10 October is worked
    ],
)
async def test_the_fifth_working_day_counts_in_full(say, look, clock, day, last):
    clock.now = datetime(day.year, day.month, day.day, 10, tzinfo=ZONE).astimezone(UTC)
    await inspect(say, "5", "1")
    number = await confirm(say)
    clock.now = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=ZONE).astimezone(UTC)
    shown = await say.all(QIAN, "整改", "1")
    assert any("申诉" in label for label in shown.labels())
    clock.now += SECOND
    late = await say(QIAN, f"rectify:appeal:{number}", kind="button")
    assert late.text.startswith("这件不能申诉")
    assert not any("申诉" in label for label in late.labels())
    clock.now -= SECOND
    await say.all(QIAN, f"rectify:appeal:{number}", "我们不同意这个结果")
    assert await look(lambda s: inspections.by_id(s, int(number)).state) == "appealed"


async def test_people_of_the_branch_do_not_decide_so_it_goes_to_the_district(say, look, told, finding):
    def move(session, member_id, to):
        session.execute(
            select(Membership).where(Membership.member_id == member_id)
        ).scalar_one().organization_id = to

    await look(lambda s: move(s, RUI, SHAZHOU))
    await say.all(QIAN, "整改", "1", "2", "我们不同意这个结果")
    assert (await told(RUI)) == []
    assert (await told(DING))[0].startswith("【申诉】")
    seen = await say.all(RUI, "待审申诉", "1")
    assert "不由您审" in seen.text
    await say.all(RUI, f"inspection_review:uphold:{finding}", "我来维持原结果")
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "appealed"
    await say.all(DING, f"inspection_review:dismiss:{finding}", "证据不足，撤销")
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "dropped"


# Putting it right


async def test_a_closing_is_sent_back_and_then_accepted(say, look, clock, told, finding):
    assert (await say.all(QIAN, "整改", "1", "改好了，发照片")).text == "请发一张改好以后的照片。"
    assert (await say(QIAN, "都改好了")).text.startswith("请先发一张")
    await say(QIAN, "", kind="image", picture="after-1")
    assert (await say(QIAN, "党旗挂上了")).text.startswith("已交上去")
    assert (await told(INES))[-1].startswith("【验收】沙洲村党支部")
    seen = await say.all(INES, "检查", "待验收（1）", "1")
    assert "支部说：党旗挂上了" in seen.text
    assert seen.picture is not None
    clock.now = NOON + 14 * DAY  # 29 June, a day before the deadline
    assert (await say.all(INES, "2", "还缺一块牌子")).text.startswith("已退回")
    assert "请在 7 月 2 日前" in (await told(QIAN))[-1]
    await say(QIAN, f"rectify:done:{finding}", kind="button")
    await say(QIAN, "牌子也挂好了", kind="image", picture="after-2")
    assert (await say(INES, f"inspect:accept:{finding}", kind="button")).text == "已验收，告诉支部了。"
    assert "可能已经有人看过了" in (await say(INES, f"inspect:accept:{finding}", kind="button")).text
    assert (await told(QIAN))[-1].startswith("【整改完成】")
    assert (await say(QIAN, "整改")).text == "现在没有要整改的事。"


async def test_a_reviewer_looks_when_the_inspector_is_gone(say, look, told, finding):
    await look(lambda s: setattr(s.get(Member, INES), "status", "left"))
    await say(QIAN, f"rectify:done:{finding}", kind="button")
    await say(QIAN, "党旗挂上了", kind="image", picture="after")
    assert (await told(RUI))[-1].startswith("【验收】")
    assert (await say(DING, f"inspection_review:accept:{finding}", kind="button")).text == "这件由检查人验收。"
    assert (await say.all(RUI, "检查审核", "待验收", "1", "1")).text == "已验收，告诉支部了。"


async def test_a_deadline_is_told_three_days_before_on_the_day_and_above_after(say, look, clock, told, finding):
    async def news(day: datetime) -> list[int]:
        clock.now = day
        before = [len(await told(person)) for person in (QIAN, RUI)]
        assert await look(lambda s: notes.remind(s, clock.now, ZONE)) in (0, 1)
        assert await look(lambda s: notes.remind(s, clock.now, ZONE)) == 0
        return [len(await told(person)) - one for person, one in zip((QIAN, RUI), before, strict=True)]

    nine = datetime(2026, 6, 27, 1, 0, tzinfo=UTC)  # 09:00 of 27 June; the card is due on 30 June
    assert await news(nine - SECOND) == [0, 0]
    assert await news(nine) == [1, 0]
    assert await news(nine + 2 * DAY) == [0, 0]
    assert await news(nine + 3 * DAY) == [1, 0]
    assert (await told(QIAN))[-1].startswith("【整改提醒】沙洲村党支部：党建阵地规范")
    assert await news(nine + 4 * DAY) == [1, 1]
    assert (await told(RUI))[-1].startswith("【整改逾期】")
    assert await news(nine + 9 * DAY) == [0, 0]

    assert (await say.all(DING, "逾期整改")).text == "现在没有要记的逾期整改。"  # the finding is not posted yet
    await say.all(DING, "待入账", "1", "1")
    assert len((await say(RUI, "逾期整改")).buttons) == 2  # a reviewer sees it and cannot post it
    await say.all(DING, "逾期整改", "1")
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 0
    assert (await say(DING, "1")).text == "已记，日期 7 月 1 日。"
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 200
    assert "不能记" in (await say(DING, f"inspection_review:late_yes:{finding}", kind="button")).text
    await say.all(DING, f"inspection_review:correct:{finding}", "当时查错了")
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 0


async def test_the_deadline_stands_still_during_an_appeal(say, look, clock, told, finding):
    await say.all(QIAN, "整改", "1", "2", "我们不同意这个结果")
    clock.now = NOON + 20 * DAY  # 5 July
    for _ in range(2):
        await look(lambda s: notes.remind(s, clock.now, ZONE))
    assert len(await told(QIAN)) == 1  # only the card
    await say.all(RUI, f"inspection_review:uphold:{finding}", "照片很清楚")
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)))
    assert (card.due_on, card.overdue_at) == (date(2026, 7, 8), None)


def test_deadlines_fall_on_working_days():
    assert due_on(date(2026, 6, 15)) == date(2026, 6, 30)
    assert due_on(date(2026, 9, 18)) == date(2026, 10, 8)  # 3 October is a holiday
