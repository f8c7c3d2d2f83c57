"""The standards ledger and the six stars: filled in, checked, put right, summed up; what is missing to each star."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import Session, select

from db import organizations, standards, vetoes
from db.audit import AuditEvent
from db.indices import OrgPowerIndex
from db.standards import StandardEntry
from db.vetoes import VetoEvent
from notices import standards as notes
from scoring.catalogue import shipped
from scoring.star_facts import ledger_of
from tests.at_once import at_once
from tests.cast import ALICE, DAY, DING, LIANGFENG, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices import digests

ITEMS = shipped().ratings.standards_on("urban_community", DAY)
MANDATORY = [item for item in ITEMS if item.mandatory]


@pytest.fixture
def told(look):
    async def asks(person: int) -> list[str]:
        return await look(lambda s: digests.told(s, person))

    return asks


def branch(session: Session, organization_id: int = LIANGFENG):
    return organizations.get(session, organization_id)


def enter(session: Session, item, organization_id: int = LIANGFENG, state: str = "met") -> None:
    session.add(
        StandardEntry(
            organization_id=organization_id,
            item_id=item.id,
            version=item.version,
            required=item.required,
            actual="有",
            state=state,
            filled_by=SUN,
            filled_at=NOON,
        )
    )


async def test_an_item_is_filled_in_checked_put_right_and_counted(say, look, clock, told):
    home = await say(SUN, "达标")
    assert f"未达标，还差 {len(MANDATORY)} 个必达项。达标项 0 / {len(ITEMS)}" in home.text
    assert "必达" in home.labels()[0]
    shown = await say(SUN, "standards:item:SL01", kind="button")
    assert "党旗、制度上墙" in shown.text
    done = await say(SUN, "活动室 30 平方米", kind="image", picture="wx-1")
    assert "等党委核对" in done.text
    waiting = await say.all(RUI, "达标", "待核对")
    assert "梁丰社区党支部 活动室" in waiting.labels()[0]
    seen = await say(RUI, "1")
    assert "30 平方米" in seen.text
    assert seen.picture.kind == "stored"
    await say(RUI, "2")
    noted = await say(RUI, "墙上没有制度")
    assert "7 月 15 日" in noted.text
    assert "墙上没有制度" in (await told(SUN))[-1]
    clock.now += timedelta(days=26)
    assert await look(lambda s: notes.remind_due(s, clock.now, ZONE)) == 0
    clock.now += timedelta(days=1)
    assert await look(lambda s: notes.remind_due(s, clock.now, ZONE)) == 1
    assert await look(lambda s: notes.remind_due(s, clock.now, ZONE)) == 0
    assert "7 月 15 日" in (await told(SUN))[-1]
    await say.all(SUN, "standards:item:SL01", "制度已经上墙")
    await say(RUI, f"standards:met:{LIANGFENG}:SL01:2000-01-01:1", kind="button")  # about the first filling
    assert await look(lambda s: s.get(StandardEntry, (LIANGFENG, "SL01", "2000-01-01")).state) == "filled"
    await say(RUI, f"standards:met:{LIANGFENG}:SL01:2000-01-01:2", kind="button")
    entry = await look(lambda s: s.get(StandardEntry, (LIANGFENG, "SL01", "2000-01-01")).model_dump())
    assert (entry["state"], entry["closed_at"], entry["checked_by"]) == ("met", clock.now, RUI)
    assert f"达标项 1 / {len(ITEMS)}" in (await say(SUN, "达标")).text
    assert "不用再填" in (await say(SUN, "standards:fill:SL01:改一下", kind="button")).text
    acts = await look(lambda s: list(s.execute(select(AuditEvent.action)).scalars()))
    assert acts == ["standard.unmet", "standard.met"]
    taken_back = await say(RUI, f"standards:unmet:{LIANGFENG}:SL01:2000-01-01:2", kind="button")
    assert "差在哪里" in taken_back.text
    await say(RUI, "活动室又被占用了")
    assert await look(lambda s: ledger_of(s, branch(s), DAY).met) == 0


async def test_all_mandatory_items_and_nothing_less_make_a_branch_up_to_standard(say, look):
    await look(lambda s: [enter(s, item) for item in MANDATORY[:-1]])
    assert "未达标，还差 1 个必达项" in (await say(SUN, "达标")).text
    assert "达标 0 / 2（0%）" in (await say(DING, "达标")).text
    await look(lambda s: enter(s, MANDATORY[-1]))
    assert "：已达标" in (await say(SUN, "达标")).text
    rates = await say(DING, "达标")
    assert "港城市委：达标 1 / 2（50%）" in rates.text
    assert "杨舍党工委：1 / 2" in rates.text
    assert "沙洲" not in rates.text, "no branch is named"
    failing = await say(DING, "standards:failing", kind="button")
    assert "1 个支部未达（共 2 个）" in failing.text
    assert "沙洲" not in failing.text
    assert "达标 1 / 2（50%）" in (await say(RUI, "达标")).text


async def test_an_entry_against_an_older_version_of_the_standard_counts_no_more(look):
    def old(session: Session) -> None:
        enter(session, MANDATORY[0])
        session.flush()
        session.get(StandardEntry, (LIANGFENG, MANDATORY[0].id, MANDATORY[0].version)).version = "1999-01-01"

    await look(old)
    assert await look(lambda s: ledger_of(s, branch(s), DAY).met) == 0
    current = {(item.id, item.version) for item in MANDATORY}
    assert await look(lambda s: standards.met_by_item(s, "/", current)) == {}


@pytest.mark.parametrize(
    ("person", "action"),
    [
        (ALICE, "standards:fill:SL01:x"),
        (QIAN, "standards:fill:SLUC1:x"),  # an item of another field
        (SUN, f"standards:met:{LIANGFENG}:SL01:2000-01-01:1"),
        (DING, f"standards:met:{LIANGFENG}:SL01:2000-01-01:1"),
        (OLGA, f"standards:unmet:{LIANGFENG}:SL01:2000-01-01:1:because"),
        (RUI, f"standards:met:{LIANGFENG}:SL01:2000-01-01:9"),
        (RUI, f"standards:met:{SHAZHOU}:SL01:2000-01-01:1"),
        (RUI, f"standards:met:{LIANGFENG}:XX:2000-01-01:1"),
        (RUI, "standards:met:::x:"),
    ],
)
async def test_forged_buttons_do_nothing(say, look, person, action):
    await look(lambda s: enter(s, next(i for i in ITEMS if i.id == "SL01"), state="filled"))
    await say(person, action, kind="button")
    rows = await look(lambda s: [(r.item_id, r.state) for r in s.execute(select(StandardEntry)).scalars()])
    assert rows == [("SL01", "filled")]


async def test_a_check_and_a_new_filling_at_once_leave_nothing_unseen_met(database_url, look):
    """Whatever comes first: an item that stands met is one whose words the reviewer has seen."""
    item = next(i for i in ITEMS if i.id == "SL01")
    await look(lambda s: enter(s, item, state="filled"))

    def checking(session: Session) -> None:
        entry = session.get(StandardEntry, (LIANGFENG, item.id, item.version))
        standards.check(session, entry, 1, "met", by=RUI, now=NOON)

    def filling(session: Session) -> None:
        values = {"organization_id": LIANGFENG, "item_id": item.id, "version": item.version}
        more = {"required": "", "actual": "新的", "picture_id": None, "filled_by": SUN, "filled_at": NOON}
        standards.fill(session, values | more)

    at_once(database_url, checking, filling)
    state, actual = await look(lambda s: s.execute(select(StandardEntry.state, StandardEntry.actual)).one())
    assert (state, actual) in {("met", "有"), ("filled", "新的")}


# ---- six stars ----------------------------------------------------------------------------------------------


def month(session: Session, unmet: str) -> None:
    parts = dict.fromkeys(
        ("political_leadership", "org_coverage", "mass_cohesion", "development_service", "basic_support"), 0
    )
    session.add(
        OrgPowerIndex(
            organization_id=LIANGFENG,
            month="2026-05",
            field="urban_community",
            **parts,
            deduction=0,
            score=0,
            rank=1,
            field_size=1,
            unmet=unmet,
            as_of=date(2026, 5, 31),
            rules="org_power_v1",
        )
    )


async def test_six_stars_say_what_is_missing_to_each(say, look):
    await look(lambda s: month(s, "C11"))
    home = await say(ALICE, "六星")
    assert [button.action for button in home.buttons][-2:] == ["index:fortress", "menu"]
    assert "80 分点亮" in home.text
    assert "作用发挥：未亮（75.00）" in home.labels()[5]
    star = await say(ALICE, "6")
    assert "诉求、心愿按期办结：差 25.00 分" in star.text
    await look(lambda s: s.get(OrgPowerIndex, (LIANGFENG, "2026-05")).__setattr__("unmet", ""))
    assert "作用发挥：亮（100.00）" in (await say(ALICE, "六星")).labels()[5]
    venue = await say(ALICE, "six_stars:venue_star", kind="button")
    assert "达标台账：差 20.00 分" in venue.text
    await look(lambda s: [enter(s, item) for item in ITEMS])
    assert "达标台账" not in (await say(ALICE, "six_stars:venue_star", kind="button")).text


async def test_a_confirmed_veto_event_keeps_a_branch_from_six_stars(say, look):
    assert "一票否决" not in (await say(ALICE, "六星")).text

    def add(session: Session) -> None:
        event = VetoEvent(
            organization_id=LIANGFENG, year=2026, kind="accident", note="事故", reported_by=DING, reported_at=NOON
        )
        assert vetoes.report(session, event)
        assert vetoes.decide(session, event.id, "confirmed", OLGA, NOON)

    await look(add)
    assert "一票否决" in (await say(ALICE, "六星")).text
