"""Dates in chat: noted without a name, seen by the own secretary alone, done or dropped once."""

from __future__ import annotations

from sqlalchemy import delete
from sqlmodel import select

from bot.dispatch import Dispatcher
from db.audit import AuditEvent
from db.dated_facts import DatedFact
from tests.cast import ALICE, DAY, LIANGFENG, NOON, QIAN, RUI, SUN
from tests.conftest import ZONE, Voice


def actions(message):
    return [button.action for button in message.buttons]


async def test_a_secretary_notes_sees_and_ends_the_dates_of_the_own_branch(say, look, writer, clock):
    first = await say(SUN, "期限")
    assert first.text.startswith("支部现在没有登记期限")
    for wrong in ("张卫民", "ZHANGWM", "Z-1", "1234567"):
        asked = await say.all(SUN, "期限", "1", "1", wrong)
        assert asked.text.startswith("代号是最多 4 个字母"), wrong
    asked = await say(SUN, "zwm")
    assert asked.text == "ZWM 是哪天递交申请书的？例如：6月10日"
    for wrong in ("后天", "2024-06-13"):
        assert (await say(SUN, wrong)).text.startswith("没有看懂"), wrong
    shown = await say(SUN, "6月10日")
    assert shown.text == "入党申请谈话，ZWM，2026.6.10。\n下一次提醒：2026.6.24。对吗？"
    assert (await say(SUN, "1")).text.startswith("已登记。\n支部登记的期限，共 1 项")
    again = await say(SUN, "dated:sure:intake_talk:ZWM:2026-06-01", kind="button")
    assert again.text.startswith("ZWM 的这一项已经登记过了")
    forged = ("2026-06-16", "2024-01-01", "nonsense")
    for day in forged:
        refused = await say(SUN, f"dated:sure:intake_talk:LI:{day}", kind="button")
        assert refused.text == "要登记哪一项？", day
    refused = await say(SUN, "dated:sure:lost_contact:LI:2026-06-01", kind="button")
    assert refused.text == "要登记哪一项？"  # the roll's own kind
    assert (await say(SUN, "dated:sure:activist_review:17:2026-01-10", kind="button")).text.startswith("已登记。")

    about = {"organization_id": LIANGFENG, "kind": "lost_contact", "member_id": ALICE}
    await look(lambda s: s.add(DatedFact(**about, day=DAY, noted_at=NOON)))
    assert "艾丽丝" in str(await say(SUN, "期限"))
    assert "名册里的日期：最近联系 2026-06-15" in (await say(ALICE, "导出我的资料")).text
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, demo=True, abroad=["web"]), clock)
    assert "最近联系 艾同志（2026.6.15）" in str(await abroad(SUN, "期限", key="a1"))
    assert "艾丽丝" not in str(await abroad(SUN, "1", key="a2"))
    await look(lambda s: s.execute(delete(DatedFact).where(DatedFact.member_id == ALICE)))

    talk, review = await look(lambda s: list(s.execute(select(DatedFact.id).order_by(DatedFact.id)).scalars()))
    for step in ("see", "done", "drop", "dropped"):  # another branch's secretary, and others, reach none of them
        for person in (QIAN, RUI, ALICE):
            assert "ZWM" not in str(await say(person, f"dated:{step}:{talk}", kind="button"))
    listed = await say(SUN, "期限")
    assert actions(listed)[:3] == [f"dated:see:{review}", f"dated:see:{talk}", "dated:new"]
    await say.all(SUN, "2", "2")
    assert (await say(SUN, "1")).text.startswith("已删除。")
    await say.all(SUN, "期限", "1")
    assert (await say(SUN, "1")).text.startswith("已登记，从今天重新计时。\n支部登记的期限，共 1 项")
    assert (await say(SUN, f"dated:done:{review}", kind="button")).text.startswith("没有找到这一项")

    rows = await look(
        lambda s: [
            (one.kind, one.label, str(one.day), one.state) for one in s.execute(select(DatedFact)).scalars()
        ]
    )
    assert sorted(rows) == [
        ("activist_review", "17", "2026-01-10", "replaced"),
        ("activist_review", "17", "2026-06-15", "open"),
        ("intake_talk", "ZWM", "2026-06-10", "dropped"),
    ]
    logged = await look(lambda s: list(s.execute(select(AuditEvent.action)).scalars()))
    assert [one for one in logged if one.startswith("dated.")] == [
        *("dated.noted", "dated.noted", "dated.dropped", "dated.done")
    ]
