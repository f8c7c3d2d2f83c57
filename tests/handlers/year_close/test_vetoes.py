"""What may still change a closed year: an event that takes the stars, an objection, a correction by two people."""

from __future__ import annotations

from datetime import date, timedelta

from sqlmodel import Session, select

from db import vetoes, year_results
from db.vetoes import VetoEvent
from db.year_close import YearClose, YearResult
from notices import year_close as notes
from scoring import update
from tests.at_once import at_once
from tests.cast import ALICE, BOB, DING, LIANGFENG, RUI
from tests.conftest import ZONE
from tests.handlers.year_close.conftest import CHANG, JANUARY, WEI, close_it, finish


async def test_a_veto_event_takes_the_stars_and_not_the_score(say, look, clock, city, told):
    await city()
    await say(DING, "year_close:open:yes", kind="button")
    await say(DING, "否决事项")
    kinds = await say(DING, "B10")
    assert "列入软弱涣散党组织" in kinds.labels()[0]
    await say(DING, "1")
    assert "写明依据" in (await say(DING, "有")).text
    noted = await say(DING, "区委组织部 2026 年第 7 号文件")
    assert "等另一位同志确认" in noted.text
    event = await look(lambda s: s.execute(select(VetoEvent.id)).scalar())
    for person, why in ((DING, "另一位同志"), (CHANG, "没有找到")):
        assert why in (await say(person, f"vetoes:yes:{event}", kind="button")).text
    await say(RUI, f"vetoes:yes:{event}", kind="button")  # no role for it
    assert await look(lambda s: vetoes.confirmed(s, 2026)) == {}
    assert "1 条否决事项" in (await say(DING, "year_close:confirm", kind="button")).text
    assert "第 7 号文件" in (await say(WEI, f"vetoes:see:{event}", kind="button")).text
    assert "无星" in (await say(WEI, "1")).text
    await say(WEI, f"vetoes:no:{event}", kind="button")
    await say(DING, "vetoes:note:10:weak_lax", kind="button")
    assert "已经登记过" in (await say(DING, "再登记一次同样的事")).text
    assert await look(lambda s: vetoes.confirmed(s, 2026)) == {LIANGFENG: ["weak_lax"]}
    await say(RUI, "year_close:stand:2:yes", kind="button")
    clock.now = JANUARY + timedelta(days=8)
    await say(DING, "year_close:confirm:yes", kind="button")
    await finish(look, notes.freeze_next, clock.now)
    line = await look(lambda s: year_results.of_year(s, 2026, organization_id=LIANGFENG).model_dump())
    assert (line["score"], line["stars"], line["veto"]) == (90_00, 0, True)
    assert "列入软弱涣散党组织" in (await say(ALICE, "星级")).text
    await say(DING, "vetoes:note:20:accident", kind="button")
    assert "已登记" in (await say(DING, "今年一月的事故报告")).text
    years = await look(lambda s: s.execute(select(VetoEvent.year).order_by(VetoEvent.id)).scalars().all())
    assert list(years) == [2026, 2027], "after the close an event is about the year that runs"


async def test_a_member_objects_once_and_within_the_time_and_is_answered(say, look, clock, city, told):
    await city()
    await say(DING, "year_close:open:yes", kind="button")
    assert "不是公示期" in (await say(ALICE, "stars:object:2026", kind="button")).text
    await say(RUI, "year_close:stand:2:yes", kind="button")
    await say(ALICE, "异议")
    await say(ALICE, "stars:object:2026", kind="button")
    assert "收到" in (await say(ALICE, "两次志愿服务没有算进去")).text
    await say(ALICE, "stars:object:2026", kind="button")
    assert "已经提过" in (await say(ALICE, "我再说一次这件事")).text
    assert any("异议" in one for one in await told(RUI))
    assert not any("艾丽丝" in one for one in await told(RUI))
    clock.now = JANUARY + timedelta(days=8)
    assert "不是公示期" in (await say(BOB, "stars:object:2026", kind="button")).text
    assert "1 条异议" in (await say(DING, "year_close:confirm", kind="button")).text
    await say(DING, "year_close:confirm:yes", kind="button")
    assert await look(lambda s: s.get(YearClose, 2026).state) == "open"
    shown = await say.all(RUI, "year_close:objections", "1")
    assert "两次志愿服务" in shown.text
    assert "艾丽丝" not in shown.text
    await say(RUI, "已核对，确实算进去了")
    assert "已核对" in (await told(ALICE))[-1]
    await say(DING, "year_close:confirm:yes", kind="button")
    assert await look(lambda s: s.get(YearClose, 2026).state) == "freezing"


async def test_a_correction_is_a_new_line_by_two_people(say, look, clock, city):
    await city()
    await close_it(say, look, clock)
    await say(DING, "更正星级")
    await say(DING, "B10")
    shown = await say(DING, "1")
    assert "现在是五星" in shown.text
    await say(DING, "四星")
    assert "等另一位" in (await say(DING, "复核发现重复登记了一次活动")).text
    own = await say(DING, "star_corrections:yes:1", kind="button")
    assert "另一位同志" in own.text
    assert "不归您管" in (await say(CHANG, "star_corrections:yes:1", kind="button")).text
    assert "更正为四星" in (await say(WEI, "star_corrections:see:1", kind="button")).text
    await say(WEI, "1")
    assert "已经有人处理" in (await say(WEI, "star_corrections:yes:1", kind="button")).text
    lines = await look(
        lambda s: [
            (r.version, r.stars, r.recorded_by, r.second_by)
            for r in s.execute(
                select(YearResult).where(YearResult.organization_id == LIANGFENG).order_by(YearResult.version)
            ).scalars()
        ]
    )
    assert lines == [(1, 5, DING, None), (2, 4, DING, WEI)]
    assert "四星" in (text := (await say(ALICE, "星级")).text)
    assert "重复登记" in text
    old = await look(
        lambda s: s.execute(
            select(YearResult.id).where(YearResult.organization_id == LIANGFENG, YearResult.version == 1)
        ).scalar()
    )
    assert "没有找到" in (await say(DING, f"star_corrections:stars:{old}", kind="button")).text
    await say.all(DING, "更正星级", "M101", "1", "三星", "复核后按实际积分")
    await say(WEI, "star_corrections:yes:2", kind="button")
    mine = await look(lambda s: year_results.of_year(s, 2026, member_id=ALICE).model_dump())
    assert (mine["version"], mine["stars"]) == (2, 3)


async def test_a_veto_event_of_this_year_shows_at_once(say, look, clock):
    def fill(session: Session, event: bool) -> None:
        if event:
            made = VetoEvent(
                organization_id=LIANGFENG,
                year=2026,
                kind="accident",
                note="事故",
                reported_by=DING,
                reported_at=clock.now,
            )
            assert vetoes.report(session, made)
            assert vetoes.decide(session, made.id, "confirmed", RUI, clock.now)
        else:
            update.refresh_city(session, date(2026, 6, 15), clock.now, zone=ZONE)

    await look(lambda s: fill(s, event=False))
    assert "无星" not in (await say(ALICE, "index:fortress", kind="button")).text
    assert "1 梁丰社区党支部" in (await say(ALICE, "榜单")).text
    await look(lambda s: fill(s, event=True))
    shown = await say(ALICE, "index:fortress", kind="button")
    assert "无星，一票否决：重大责任事故" in shown.text
    assert "梁丰社区党支部" not in (await say(ALICE, "榜单")).text


async def test_the_same_event_reported_at_once_stands_once_and_is_decided_once(look, city, database_url):
    await city()

    def reported(session: Session) -> bool:
        return vetoes.report(
            session,
            VetoEvent(
                organization_id=LIANGFENG,
                year=2026,
                kind="accident",
                note="事故报告",
                reported_by=DING,
                reported_at=JANUARY,
            ),
        )

    assert at_once(database_url, *[reported] * 4).count(True) == 1
    event = await look(lambda s: s.execute(select(VetoEvent.id)).scalars().one())
    decides = [
        lambda s, st=state: vetoes.decide(s, event, st, WEI, JANUARY) for state in ("confirmed", "rejected") * 2
    ]
    assert at_once(database_url, *decides).count(True) == 1
