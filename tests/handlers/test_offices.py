"""Offices and what only the branch can say is done: named and ended by the secretary, seen by nobody else."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update
from sqlmodel import select

from bot.dispatch import Dispatcher
from db import companions, dues, duty_facts, offices
from db.audit import AuditEvent
from db.dated_facts import DatedFact
from db.members import Membership
from db.offices import Office
from tests.cast import ALICE, BOB, CHARLIE, DAY, LIANGFENG, NOON, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE, Voice


async def held(look):
    found = await look(lambda s: offices.held(s, [LIANGFENG], DAY))
    return {office: list(ids) for office, ids in found.get(LIANGFENG, {}).items()}


async def test_a_secretary_names_and_ends_the_officers_of_the_own_branch(say, look, writer, clock):
    listed = await say(SUN, "支委分工")
    assert listed.labels()[:5] == ["1 副书记", "2 组织委员", "3 宣传委员", "4 纪检委员", "5 党小组长"]
    assert (await say(SUN, "2")).text == "组织委员：还没有登记。有关的提醒发给书记。"
    assert (await say(SUN, "1")).text.startswith("谁担任组织委员？")
    assert (await say(SUN, "查理")).text.startswith("没有找到这位党员")  # of another branch
    assert (await say(SUN, "艾丽丝")).text == "艾丽丝 担任组织委员。对吗？"
    assert await held(look) == {}
    assert "2 组织委员：艾丽丝" in (await say(SUN, "1")).labels()
    assert (await say.all(SUN, "2", "1", "鲍勃")).text == "鲍勃 担任组织委员，艾丽丝 不再担任。对吗？"
    await say(SUN, "1")
    assert await held(look) == {"organization_officer": [BOB]}
    for leader in ("艾丽丝", "鲍勃"):  # of two groups
        await say.all(SUN, "支委分工", "5", "1", leader, "1")
    assert (await held(look))["group_leader"] == [ALICE, BOB]
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, demo=True, abroad=["web"]), clock)
    shown = str(await abroad(SUN, "支委分工", key="a1"))
    assert "鲍同志" in shown
    assert "鲍勃" not in shown
    for forged in (f"offices:yes:organization_officer:{CHARLIE}", "offices:yes:king:101", "offices:yes:king"):
        await say(SUN, forged, kind="button")
    for person in (QIAN, RUI, ALICE):
        await say(person, f"offices:yes:deputy_secretary:{person}", kind="button")
    assert set(await held(look)) == {"organization_officer", "group_leader"}
    assert (await say.all(SUN, "支委分工", "2", "2")).text == "鲍勃 不再担任组织委员。确定吗？"
    assert (await say(SUN, "1")).text.startswith("已登记，不再担任。")
    assert "organization_officer" not in await held(look)
    logged = select(AuditEvent.action).where(AuditEvent.action.startswith("office."))
    assert len(await look(lambda s: list(s.execute(logged)))) == 6  # Qian has named a deputy in the own branch


async def test_the_branch_says_what_is_done_and_an_officer_sees_who_owes(say, look):
    button = "duty:dues_fix:2026"
    assert (await say(ALICE, button, kind="button")).text.startswith("这里给支部书记和负责的委员")
    await look(lambda s: offices.name(s, LIANGFENG, "organization_officer", ALICE, date(2026, 1, 1)))
    assert (await say(ALICE, button, kind="button")).text == "核定党费（2026 年）：都办好了吗？"
    assert (await say(ALICE, "1")).text.startswith("已登记：核定党费（2026 年）。\n要登记的事都登记好了。")
    assert (await say(SUN, "duty:yes:dues_fix:2026", kind="button")).text.startswith(
        "核定党费（2026 年）：之前已经登记"
    )
    assert (await say(SUN, "登记办好")).labels()[:2] == ["1 联系流动党员（2026Q2）", "2 书记项目进展（2026Q2）"]
    for forged in ("duty:yes:dues_fix:2024", "duty:yes:party_lecture:2026Q2", "duty:yes:mobile_contact:2026Q3"):
        await say(SUN, forged, kind="button")
    assert await say(ALICE, "duty:yes:project_quarter:2026Q2", kind="button")  # the secretary's
    periods = {"2026", "2024", "2026Q1", "2026Q2", "2026Q3"}
    done = await look(lambda s: duty_facts.all_done(s, [LIANGFENG, SHAZHOU], periods))
    assert done == {(LIANGFENG, "dues_fix", "2026")}

    about = {"organization_id": LIANGFENG, "in_time": True, "by": SUN, "at": NOON}
    await look(lambda s: dues.tick(s, member_id=BOB, month="2026-05", **about))
    assert "艾丽丝" in (await say(ALICE, "dues:arrears", kind="button")).text
    assert "艾丽丝" not in str(await say(BOB, "dues:arrears", kind="button"))
    assert "2026-05" not in (await say(ALICE, "dues:tick:2026-05", kind="button")).text
    await look(lambda s: companions.put(s, ALICE, "sponsor", [BOB, SUN]))
    exported = (await say(ALICE, "导出我的资料")).text
    assert exported.endswith("登记的分工：组织委员\n名册里登记的入党介绍人 2 位，联系人 0 位")
    await look(lambda s: s.execute(update(Membership).where(Membership.member_id == ALICE).values(to_day=DAY)))
    assert "艾丽丝" not in str(await say(ALICE, "dues:arrears", kind="button"))  # belongs to the branch no more
    assert await held(look) == {}


async def test_an_applicant_has_a_mentor_of_the_branch(say, look):
    await say(SUN, "dated:sure:activist_review:17:2026-01-10", kind="button")
    (fact,) = await look(lambda s: list(s.execute(select(DatedFact.id)).scalars()))
    await say(SUN, f"dated:see:{fact}", kind="button")
    assert (await say(SUN, "3")).text.startswith("谁是 17 的培养联系人？")
    assert (await say(SUN, "查理")).text.startswith("没有找到这位党员")
    seen = await say(SUN, "鲍勃")
    assert seen.text.startswith("已登记。\n积极分子考察")
    assert seen.text.endswith("培养联系人：鲍勃。考察的提醒发给本人。")
    for person in (QIAN, ALICE):
        await say(person, f"dated:mentor:{fact} 艾丽丝", kind="button")
    assert await look(lambda s: companions.mentors(s, [LIANGFENG])) == {(LIANGFENG, "17"): BOB}
    assert await look(lambda s: list(s.execute(select(Office)))) == []
