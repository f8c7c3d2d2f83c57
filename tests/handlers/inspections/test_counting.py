"""An inspection from the visit to the index: what counts, from when, and under which period."""

from __future__ import annotations

from datetime import UTC, date, datetime

from db import negatives, periods_locked, values
from handlers.inspection_making import value_in
from notices import inspections as notes
from scoring import inspected
from tests.cast import DING, INES, NAMES, NOON, QIAN, RUI, SHAZHOU
from tests.conftest import ZONE
from tests.handlers.inspections.conftest import (
    DAY,
    SECOND,
    TODAY,
    actions,
    after_window,
    confirm,
    deductions,
    inspect,
)


async def test_an_indicator_counts_only_after_the_window_and_a_review(say, look, clock, told):
    await inspect(say, "1", "80%")
    preview = await say(INES, "inspect:confirm", kind="button")
    assert preview.text == "已记下（第 1 号），整改卡已发给沙洲村党支部。"
    card = (await told(QIAN))[0]
    assert card.startswith("【整改卡】沙洲村党支部：党建阵地规范")
    assert "80%（要求不少于 100%）" in card
    assert "请在 6 月 30 日前" in card
    assert "可以在 6 月 23 日前" in card
    assert NAMES[INES] not in card

    clock.now = datetime(2026, 6, 23, 15, 59, 59, tzinfo=UTC)
    assert (await say(DING, "待入账")).text == "现在没有要入账的检查。"
    assert (
        "可以申诉到 6 月 23 日（含当天）" in (await say(DING, "inspection_review:post_yes:1", kind="button")).text
    )
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 0
    clock.now += SECOND
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 1
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 0
    assert (await told(RUI)) == ["【待入账】有 1 件检查可以入账，请您审核。"]
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None

    shown = await say.all(RUI, "待入账", "1")
    assert "记到：2026 年第 2 季度。" in shown.text
    assert shown.picture is not None
    assert (await say(RUI, "1")).text.startswith("已入账：沙洲村党支部")
    assert "已入账" in (await say(RUI, "inspection_review:post_yes:1", kind="button")).text
    lines = await look(lambda s: values.history(s, SHAZHOU, "C16", "2026Q2"))
    assert [(one.value, one.collect, one.cause, one.recorded_by) for one in lines] == [
        ("0.8", "inspect", "inspection:1", RUI)
    ]
    assert (await told(QIAN))[-1].startswith("【入账】沙洲村党支部")
    assert (await told(INES))[-1].startswith("【入账】沙洲村党支部")
    assert (await actions(look)) == ["inspection.made", "inspection.posted"]


async def test_negative_cases_take_points_after_posting_and_none_before(say, look, clock, cases):
    own = await say.all(QIAN, "整改", "1")
    assert "2 件" in own.text
    assert "暗访" in own.text
    assert NAMES[INES] not in own.text
    after_window(clock)
    later = date(2026, 6, 24)
    assert await look(lambda s: deductions(s, later)) == 0
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: deductions(s, later)) == 200
    line = await look(lambda s: negatives.posted(s, SHAZHOU, "N04", f"inspection:{cases}"))
    assert (line.day, line.count, line.recorded_by) == (TODAY, 2, DING)

    refused = await say(RUI, f"inspection_review:correct:{cases}", kind="button")
    assert refused.text == "这件事由区委组织部办。"
    corrected = await say.all(DING, "检查审核", "更正入账", "1", "查错了支部")
    assert corrected.text == "已更正，双方都告诉了。"
    assert await look(lambda s: deductions(s, later)) == 0
    rows = await look(lambda s: negatives.lines(s, SHAZHOU, TODAY, TODAY))
    assert [(one.count, one.cause) for one in rows] == [
        (2, f"inspection:{cases}"),
        (-2, f"undo:inspection:{cases}"),
    ]
    again = await say(DING, f"inspection_review:correct:{cases}", kind="button")
    assert again.text == "入账已更正：查错了支部"


async def test_what_is_in_order_needs_no_picture_no_window_and_makes_no_card(say, look, told):
    await say.all(INES, "检查", "1", "B20", "1", "2", "120 平方米", "1", "1", "1", "1")
    assert (await say(INES, "1")).text.startswith("已记下（第 1 号）。沙洲村党支部没有问题")
    assert (await told(QIAN))[0].endswith("没有问题，辛苦了。")
    assert (await say(QIAN, "整改")).text == "现在没有要整改的事。"
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "AV09", "2026")) == "120"


async def test_the_latest_posted_value_counts_and_a_correction_brings_back_the_one_before(
    say, look, clock, finding
):
    await inspect(say, "1", "90%", note="第二次检查，少一块牌子")
    await confirm(say)
    after_window(clock)
    await say.all(DING, "待入账", "1", "1")
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == "0.9"
    await say.all(DING, "inspection_review:correct:2", "数字看错了")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == "0.8"
    await say.all(DING, "inspection_review:correct:1", "也看错了")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == ""
    assert len(await look(lambda s: values.history(s, SHAZHOU, "C16", "2026Q2"))) == 4


async def test_a_locked_period_sends_the_posting_to_the_present_one_and_says_so(say, look, clock, finding, cases):
    clock.now = NOON + 60 * DAY  # 14 August
    for period in ("2026-06", "2026Q2"):
        await look(lambda s, period=period: periods_locked.lock(s, period, clock.now))
    first = await say.all(DING, "待入账", "1")
    assert "检查那一期已经锁定，所以记到：2026 年第 3 季度。" in first.text
    await say(DING, "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q3")) == "0.8"
    second = await say.all(DING, "待入账", "1")
    assert "所以记到：8 月 14 日。" in second.text
    await say(DING, "1")
    line = await look(lambda s: negatives.posted(s, SHAZHOU, "N04", f"inspection:{cases}"))
    assert line.day == date(2026, 8, 14)


def test_figures_are_read_with_their_unit():
    rate, area = inspected.item_on("C16", TODAY), inspected.item_on("AV09", TODAY)
    yes, count = inspected.item_on("GI10", TODAY), inspected.item_on("N04", TODAY)
    assert [value_in(rate, one) for one in ("95%", "９５％", "0.95", "100%", "0%", "101%", "1.01", "95")] == [
        *("0.95", "0.95", "0.95", "1", "0"),
        *(None, None, None),
    ]
    assert [value_in(area, one) for one in ("80㎡", "80.5 平方米", "100000", "100001", "80%", "-3")] == [
        *("80", "80.5", "100000"),
        *(None, None, None),
    ]
    assert [value_in(count, one) for one in ("1", "20 件", "0", "21", "1.5")] == ["1", "20", None, None, None]
    assert [value_in(yes, one) for one in ("true", "false", "是")] == ["true", "false", None]
