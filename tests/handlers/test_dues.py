"""Dues: ticks of the secretary, a point in time and none when late, reminders that count only when they arrived."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, update
from sqlmodel import Session, select

from db import dues, occurrences, verify
from db.deliveries import Delivery
from db.dues import DuesReminder
from db.ledger import Entry
from db.members import Membership
from notices import dues as reminding
from tests.cast import ALICE, BOB, CHARLIE, KE, LIANGFENG, MO, NOON, OLGA, QIAN, RUI, SUN
from tests.conftest import ZONE

LAST_SECOND = datetime(2026, 6, 30, 15, 59, 59, tzinfo=UTC)  # 30 June 23:59:59 in the city


async def booked(look, rule_id: str) -> dict[int, int]:
    """Points under the rule by member."""

    def read(session: Session) -> dict[int, int]:
        sums = select(Entry.member_id, func.sum(Entry.points)).where(Entry.rule_id == rule_id)
        return {row[0]: row[1] for row in session.execute(sums.group_by(Entry.member_id))}

    return await look(read)


async def unbroken(look) -> None:
    found = await look(lambda s: [one.title for one in verify.run(s) if one.broken])
    assert [title for title in found if "dues" in title or title.startswith("totals")] == []


def ticked(month: str, *members: int, in_time: bool = False):
    """These members paid for an earlier month, noted then."""

    def write(session: Session) -> None:
        for member_id in members:
            dues.tick(
                session,
                member_id=member_id,
                month=month,
                organization_id=LIANGFENG,
                in_time=in_time,
                by=SUN,
                at=NOON,
            )

    return write


async def test_several_are_ticked_by_their_numbers_and_each_gets_a_point(say, look):
    month = await say(SUN, "党费")
    assert month.text.startswith("2026 年 6 月党费：已登记 0 人，未登记 ")
    whom = await say(SUN, "1")
    assert "1 艾丽丝  2 鲍勃  3 莫流动" in whom.text
    preview = await say(SUN, "1 3")
    assert preview.text == "登记 6 月党费：艾丽丝、莫流动，共 2 人，各加 1 分。"
    assert await booked(look, "PB2") == {}
    assert (await say(SUN, "1")).text.startswith("已登记 2 人。")
    assert await booked(look, "PB2") == {ALICE: 1, MO: 1}
    assert (await say(SUN, "dues:yes:2026-06", kind="button")).text.startswith("没有正在填写的内容")
    assert await booked(look, "PB2") == {ALICE: 1, MO: 1}
    assert "1 鲍勃" in (await say(SUN, "dues:tick:2026-06", kind="button")).text
    assert (await say(ALICE, "党费")).text == "2026 年您的党费：6 月"
    told = await look(lambda s: s.execute(select(Delivery).where(Delivery.member_id == ALICE)).scalars().all())
    assert [row.content["text"] for row in told] == ["6 月党费已登记，+1 分。"]
    await unbroken(look)


async def test_a_tick_is_taken_back_with_a_reason_and_can_be_given_again(say, look):
    await say.all(SUN, "dues:tick:2026-06", "鲍勃", "1")
    asked = await say.all(SUN, "dues:undo:2026-06", "1")
    assert asked.text.startswith("撤回 鲍勃 的 6 月党费登记")
    assert (await say(SUN, "x")).text.startswith("请写清楚原因")
    assert (await say(SUN, "登记错了人")).text.startswith("已撤回：鲍勃。")
    assert await booked(look, "PB2") == {BOB: 0}
    await unbroken(look)
    await say.all(SUN, "dues:tick:2026-06", "鲍勃", "1")
    assert await booked(look, "PB2") == {BOB: 1}
    await unbroken(look)


@pytest.mark.parametrize(("after", "points"), [(0, {BOB: 1}), (1, {})])
async def test_the_last_second_of_the_month_is_in_time_and_the_next_is_not(say, look, clock, after, points):
    clock.now = LAST_SECOND
    await say.all(SUN, "dues:tick:2026-06", "鲍勃")  # the preview, still in June
    clock.now += timedelta(seconds=after)
    await say(SUN, "dues:yes:2026-06", kind="button")
    assert await booked(look, "PB2") == points
    assert await look(lambda s: dues.paid(s, [BOB], "2026-06")) == {BOB: not after}
    if after:
        assert (await say(BOB, "党费")).text == "2026 年您的党费：6 月（补交）"
    await unbroken(look)


async def test_six_months_back_can_be_noted_and_a_seventh_cannot(say):
    assert "共 1 人，不加分" in (await say.all(SUN, "dues:tick:2025-12", "鲍勃")).text
    for month in ("2025-11", "2026-07", "2026-13", "x"):
        assert (await say(SUN, f"dues:tick:{month}", kind="button")).text.startswith("这个月太早了")


async def test_nobody_ticks_for_another_branch(say, look):
    await say.all(QIAN, "dues:tick:2026-06", "鲍勃")
    await say(QIAN, "dues:yes:2026-06", kind="button")
    await say.all(ALICE, "dues:tick:2026-06", "鲍勃")
    await say(ALICE, "dues:yes:2026-06", kind="button")
    assert await look(lambda s: dues.paid(s, [ALICE, BOB], "2026-06")) == {}


async def test_only_a_reminder_that_arrived_takes_a_point(say, look):
    await look(ticked("2026-05", ALICE, SUN, RUI, KE, OLGA))
    day = date(2026, 6, 20)
    assert await look(lambda s: reminding.remind(s, LIANGFENG, day, NOON)) == 2  # Bob and Mo
    assert await look(lambda s: reminding.remind(s, LIANGFENG, day, NOON)) == 0
    assert await look(lambda s: reminding.book_arrived(s, NOON, ZONE)) == 0
    key = "dues_reminder:2026-06-20"

    def send(member_id: int, state: str):
        where = (Delivery.member_id == member_id, Delivery.key == key)
        return lambda s: s.execute(update(Delivery).where(*where).values(state=state))

    await look(send(BOB, "sent"))
    await look(send(MO, "expired"))
    assert await look(lambda s: reminding.book_arrived(s, NOON, ZONE)) == 2
    assert await look(lambda s: reminding.book_arrived(s, NOON, ZONE)) == 0
    assert await booked(look, "PN3") == {BOB: -1}
    states = await look(lambda s: dict(s.execute(select(DuesReminder.member_id, DuesReminder.state)).all()))
    assert states == {BOB: "booked", MO: "void"}
    await unbroken(look)


async def test_whoever_paid_in_time_after_all_or_belongs_nowhere_is_not_late(look):
    await look(ticked("2026-05", ALICE, SUN, RUI, KE, OLGA))

    def moved(session: Session) -> None:
        """Mo left on the last day of May: the month was not his to pay here."""
        session.execute(update(Membership).where(Membership.member_id == MO).values(to_day=date(2026, 5, 31)))

    await look(moved)
    await look(lambda s: reminding.remind(s, LIANGFENG, date(2026, 6, 5), NOON))
    await look(ticked("2026-05", BOB, in_time=True))  # a mistake of the office, put right before it was booked
    await look(lambda s: s.execute(update(Delivery).values(state="sent")))
    await look(lambda s: reminding.book_arrived(s, NOON, ZONE))
    assert await look(lambda s: dict(s.execute(select(DuesReminder.member_id, DuesReminder.state)).all())) == {
        BOB: "void"
    }
    assert await booked(look, "PN3") == {}


async def test_a_branch_that_keeps_no_dues_reminds_nobody(look):
    assert await look(lambda s: reminding.remind(s, LIANGFENG, date(2026, 6, 5), NOON)) == 0


@pytest.mark.parametrize(("months", "flags"), [(2, 0), (3, 1), (4, 0), (5, 1), (6, 1)])
async def test_long_arrears_are_a_flag_to_the_secretary_and_nothing_else(say, look, months, flags):
    kept = ["2026-05", "2026-04", "2026-03", "2026-02", "2026-01", "2025-12"]
    for place, month in enumerate(kept):
        others = (ALICE, MO, SUN, RUI, KE, OLGA)
        await look(ticked(month, *others, *((BOB,) if place >= months else ())))
    await look(lambda s: reminding.remind(s, LIANGFENG, date(2026, 6, 5), NOON))
    await look(lambda s: reminding.remind(s, LIANGFENG, date(2026, 6, 20), NOON))
    rows = await look(lambda s: s.execute(select(Delivery).where(Delivery.member_id == SUN)).scalars().all())
    flagged = [row.content["text"] for row in rows if row.key.startswith("dues_flag")]
    assert len(flagged) == flags
    assert all("鲍勃" not in text for text in flagged)
    arrears = (await say(SUN, "dues:arrears", kind="button")).text
    assert f"鲍勃：{months} 个月" in arrears
    assert ("支部党员大会决定" in arrears) == (months == 6)
    assert await booked(look, "PZ1") == {}


async def test_the_day_of_reminders_goes_over_the_branches_in_parts(look, monkeypatch):
    await look(ticked("2026-05", ALICE))
    monkeypatch.setattr(reminding, "BATCH", 1)
    day = datetime(2026, 6, 20, 2, 0, tzinfo=UTC)
    await look(lambda s: occurrences.record(s, reminding.TASK, day, state="done", ran_at=day))
    looked_at = [await look(lambda s: reminding.remind_next(s, day, ZONE)) for _ in range(4)]
    assert looked_at == [1, 1, 0, 0]
    assert reminding.cron() == "0 10 5,20 * *"


async def test_dues_are_said_in_english_too(say):
    await say(SUN, "English")
    await say(CHARLIE, "English")
    assert (await say(SUN, "dues")).text.startswith("Dues of month 6, 2026: noted for 0")
    assert (await say(CHARLIE, "dues")).text.startswith("No dues of yours are noted in 2026.")
