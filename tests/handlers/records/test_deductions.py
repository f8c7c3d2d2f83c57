"""Who loses points is heard, has time to answer, and is judged by somebody else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from db import ledger
from tests.cast import ALICE, BOB, CHARLIE, DING, MO, NAMES, RUI, SUN
from tests.handlers.records.conftest import PICTURE, over, proposal_id, state, whole


async def test_who_loses_points_is_heard_for_five_working_days(say, look, clock, told, lines):
    activity = await over(look, {ALICE: "onsite", MO: "leave"}, kinds="theme_party_day")
    await say(SUN, "recording:new:PN1")
    absent = await say(SUN, f"recording:activity:{activity}", kind="button")
    assert [NAMES[BOB] in " ".join(absent.labels()), NAMES[MO] in " ".join(absent.labels())] == [True, False]
    preview = await say.all(SUN, "鲍勃", "1")
    assert "五" in (await say(SUN, "records:minus")).text
    assert "5 个工作日内可以说明情况" in preview.text
    await say(SUN, "recording:yes", kind="button")
    one = await proposal_id(look)
    # 15 June 2026 is a Monday and 19 June is the Dragon Boat holiday: the fifth working day is Tuesday the 23rd
    assert "6 月 23 日（含）前可以说明情况" in (await told(BOB))[-1]
    assert (await say(ALICE, f"objection:{one}", kind="button")).text.startswith("没有找到")
    assert "只能说明一次" in (await say(BOB, f"objection:{one}", kind="button")).text
    assert (await say(BOB, "那天我在医院陪护母亲")).text == "已记下，审核的人会看到。"
    assert "您已经说明" in (await say(BOB, f"objection:{one}", kind="button")).text
    clock.now = datetime(2026, 6, 23, 15, 59, 59, tzinfo=UTC)  # a second before midnight in the city
    shown = await say(RUI, f"record_review:record:{one}", kind="button")
    assert "本人说明：那天我在医院陪护母亲" in shown.text
    assert shown.labels()[0] == "1 不通过"
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(BOB, "PN1") == []
    clock.now += timedelta(seconds=1)
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(BOB, "PN1") == [(-2, 100, date(2026, 6, 12))]
    assert await look(lambda s: ledger.purse(s, BOB)) == (0, 0)  # the index is lowered, the wallet is not
    assert await whole(look) == []


async def test_an_answer_after_the_last_day_is_too_late_and_a_refusal_tells_both(say, look, clock, told):
    await say.all(SUN, "recording:new:PN5", "鲍勃", "昨天", "拒绝参加防汛值守", "1", "1")
    one = await proposal_id(look)
    clock.now = datetime(2026, 6, 23, 16, 0, tzinfo=UTC)
    assert "说明的时间已经过了" in (await say(BOB, f"objection:{one}", kind="button")).text
    await say.all(RUI, f"record_review:no:{one}", "已有合理原因")
    assert await state(look) == "refused"
    assert (await told(BOB))[-1].startswith("不扣分了")
    assert (await told(SUN))[-1].endswith("没有通过：已有合理原因")


async def test_a_leave_counts_as_not_made_up_only_after_the_time_for_late_records(say, look, clock):
    activity = await over(look, {ALICE: "onsite", MO: "leave"}, kinds="theme_party_day", ago=timedelta(days=30))
    await say(SUN, "recording:new:PN2")
    assert (await say(SUN, f"recording:activity:{activity}", kind="button")).text.startswith("请在下面的活动里选")
    clock.now += timedelta(seconds=1)
    assert f"1 {NAMES[MO]}" in (await say(SUN, f"recording:activity:{activity}", kind="button")).labels()


async def test_a_zero_clear_is_proposed_by_the_committee_and_confirmed_by_the_district(
    say, look, clock, told, lines
):
    start = await say(RUI, "recording:new:PZ1")
    assert start.text.startswith("请写党员的姓名")
    assert (await say(RUI, "查理")).text == "是哪一种？"
    await say.all(RUI, "参加邪教活动", "昨天", "经公安机关查实")
    assert (await say(RUI, "1")).text.startswith("还没有收到图片")  # evidence is not optional here
    await say(RUI, "", **PICTURE)
    await say(RUI, "recording:yes", kind="button")
    one = await proposal_id(look)
    assert (await told(CHARLIE))[-1].startswith("有人提出按“一票否决")
    clock.now += timedelta(days=14)
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(CHARLIE, "PZ1") == []  # never the one who proposed it
    await say(DING, f"record_review:yes:{one}", kind="button")
    assert await lines(CHARLIE, "PZ1") == [(0, 100, date(2026, 6, 14))]
    assert "已清零" in (await say(CHARLIE, "指数")).text or "0.00" in (await say(CHARLIE, "指数")).text
    assert (await told(CHARLIE))[-1].startswith("一票否决")
