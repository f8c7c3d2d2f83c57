"""The close of a year from the preview to the star card: who confirms what, what stands in the way, what stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from db import periods_locked, vetoes, year_close, year_results
from db.accounts import Chat
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.indices import FortressIndex
from db.members import Member, Membership, Role
from db.vetoes import VetoEvent
from db.year_close import YearClose, YearResult
from notices import year_close as notes
from notices.schedule import Moment
from scoring import update
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, CITY, DING, LIANGFENG, MO, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE

JANUARY = datetime(2027, 1, 18, 4, 0, tzinfo=UTC)  # a Monday; December is locked since the 15th
WEI = 390  # the second person of the district
CHANG = 391  # the district of another city: nothing here is theirs


@pytest.fixture
def city(look, clock):
    """A finished year: two branches, Liangfeng with six activities and 90 points, and two people in the district."""

    def fill(session: Session) -> None:
        for person in (WEI, CHANG):
            session.add(Member(id=person, code=f"M{person}", name="卫组织"))
            session.flush()
            session.add(Membership(member_id=person, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"member:{person}", member_id=person, choices={}))
        role = "district_org_department"
        session.add(Role(member_id=WEI, organization_id=CITY, role=role, from_day=date(2026, 1, 1)))
        session.add(Role(member_id=CHANG, organization_id=SHAZHOU, role=role, from_day=date(2026, 1, 1)))
        session.flush()
        update.refresh_city(session, date(2026, 12, 31), JANUARY, zone=ZONE)
        session.flush()
        stored = session.get(FortressIndex, (LIANGFENG, 2026))
        stored.score, stored.stars, stored.veto = 90_00, 5, False
        periods_locked.lock(session, "2026-12", JANUARY)

    async def fills() -> None:
        clock.now = JANUARY
        await look(fill)

    return fills


@pytest.fixture
def told(look):
    async def asks(person: int) -> list[str]:
        def texts(session: Session) -> list[str]:
            rows = session.execute(select(Delivery).order_by(Delivery.id)).scalars()
            return [row.content["text"] for row in rows if row.member_id == person]

        return await look(texts)

    return asks


async def finish(look, work, now) -> int:
    count = 0
    while done := await look(lambda s: work(s, now, ZONE)):
        count += done
    return count


async def close_it(say, look, clock) -> None:
    """The way to the end without any objection."""
    await say(DING, "year_close:open:yes", kind="button")
    await say(RUI, "year_close:stand:2:yes", kind="button")
    clock.now = JANUARY + timedelta(days=8)
    await say(DING, "year_close:confirm:yes", kind="button")
    await finish(look, notes.freeze_next, clock.now)


async def test_a_year_is_closed_by_committee_and_district_after_the_time_to_object(say, look, clock, city, told):
    await city()
    preview = await say(DING, "定星")
    assert "还没有开始" in preview.text
    assert "五星 1（五星最多 1 个" in preview.text
    assert "党委" in (await say(DING, "1")).text
    opened = await say(DING, "1")
    assert "还有 1 个党委没确认" in opened.text
    mine = await say(RUI, "定星")
    assert "杨舍党工委" in mine.text
    page = await say.all(RUI, "1", "1")
    assert "梁丰社区党支部 五星" in page.text
    assert "沙洲村党支部 无星，一票否决：活动次数不足" in page.text
    sure = await say(RUI, "year_close:stand:2", kind="button")
    assert "1 月 25 日" in sure.text, "five working days"
    assert "公示" in (await say(RUI, "1")).text
    assert await finish(look, notes.tell_next, clock.now) >= 2
    assert "五星（90.00 分）" in (await told(ALICE))[-1]
    assert "五星" in (await say(ALICE, "星级")).text
    clock.now = datetime(2027, 1, 25, 15, 59, tzinfo=UTC)  # the last minute of the last day
    assert "公示期内" in (await say(DING, "year_close:confirm", kind="button")).text
    clock.now += timedelta(minutes=1)
    await say(DING, "year_close:confirm:yes", kind="button")
    assert (await look(lambda s: s.get(YearClose, 2026).state)) == "freezing"
    assert await finish(look, notes.freeze_next, clock.now) > 0
    assert (await look(lambda s: s.get(YearClose, 2026).state)) == "closed"
    lines = await look(lambda s: s.execute(select(YearResult)).scalars().all())
    assert len([line for line in lines if line.organization_id]) == 2
    assert len([line for line in lines if line.member_id]) == 13, "also of a branch without a field"
    assert "您的支部：五星" in (await told(ALICE))[-1]
    card = await say(ALICE, "stars:card:2026", kind="button")
    assert card.picture.kind == "chart"
    assert "2026" in card.picture.alt
    branch = await say(CHARLIE, "stars:branch:2026", kind="button")
    assert "活动次数不足" in branch.text
    assert "没有星级卡" in (await say(ALICE, "stars:card:2025", kind="button")).text
    acts = await look(lambda s: list(s.execute(select(AuditEvent.action)).scalars()))
    assert acts == ["year_close.opened", "year_close.committee", "year_close.confirmed"]


async def test_what_is_frozen_stays_and_the_figures_move_no_more(say, look, clock, city, engine):
    await city()
    await close_it(say, look, clock)
    for statement in ("UPDATE year_result SET stars = 1", "DELETE FROM year_result"):
        with pytest.raises(DBAPIError, match="append-only"):
            await look(lambda s, one=statement: s.execute(sql(one)))
    moment = Moment(clock.now, clock.now, ZONE)
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) == 90_00, "not computed again"


async def test_until_the_close_late_facts_of_the_last_year_still_count(look, city, clock):
    await city()
    moment = Moment(clock.now, clock.now, ZONE)
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) != 90_00
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).as_of) == date(2026, 12, 31)
    # And what was computed before a confirmation does not land after it.
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: year_close.open_year(s, 2026, DING, clock.now, [2]))
    await look(lambda s: year_close.begin_freezing(s, 2026, DING, clock.now))
    await look(lambda s: s.execute(sql("UPDATE fortress_index SET score = 1")))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) == 1


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


@pytest.mark.parametrize(
    ("person", "action"),
    [
        (RUI, "year_close:open:yes"),
        (RUI, "year_close:confirm:yes"),
        (DING, "year_close:stand:2:yes"),
        (QIAN, "year_close:stand:2:yes"),
        (SUN, "year_close:open:yes"),
        (RUI, "year_close:stand:10:yes"),
        (RUI, "year_close:stand:999:yes"),
        (MO, "vetoes:note:10:weak_lax"),
        (RUI, "star_corrections:find:B10"),
    ],
)
async def test_forged_buttons_do_nothing(say, look, clock, city, person, action):
    await city()
    if "stand" in action:
        await say(DING, "year_close:open:yes", kind="button")
    await say(person, action, kind="button")
    await say(person, "四个字以上", key="again")
    closing = await look(lambda s: year_close.get(s, 2026))
    assert (closing.state if closing else None) in (None, "open")
    assert [part.state for part, _ in await look(lambda s: year_close.committees(s, 2026))] in ([], ["open"])
    assert await look(lambda s: s.execute(select(VetoEvent)).all()) == []


async def test_a_committee_confirms_only_what_is_decided_and_no_poll_opens_after_the_close(say, look, clock, city):
    await city()
    await say(DING, "year_close:open:yes", kind="button")
    opened = await say.all(RUI, "appraisal:open", "B10", "1")
    assert "已发起" in opened.text
    refused = await say(RUI, "year_close:stand:2:yes", kind="button")
    assert "1 个测评没结束" in refused.text
    assert await look(lambda s: year_close.committee(s, 2026, 2).state) == "open"
    await look(lambda s: s.execute(sql("UPDATE poll SET state = 'closed'")))
    await close_it(say, look, clock)
    assert "不是时候" in (await say(RUI, "appraisal:open", kind="button")).text
    assert "不归您办" in (await say(RUI, "appraisal:open_one:20:yes", kind="button")).text


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


# ---- races --------------------------------------------------------------------------------------------------


async def test_a_year_before_the_service_is_not_opened(say, look, clock):
    clock.now = JANUARY
    assert [one.action for one in (await say(DING, "定星")).buttons] == ["vetoes", "menu"]
    assert "还没有开始" in (await say(DING, "year_close:open:yes", kind="button")).text
    assert await look(lambda s: year_close.get(s, 2026)) is None


async def test_two_confirmations_at_once_are_one_and_every_line_is_written_once(
    say, look, clock, city, database_url
):
    await city()
    opening = [lambda s: year_close.open_year(s, 2026, DING, JANUARY, [2])] * 4
    assert at_once(database_url, *opening).count(True) == 1
    until = date(2027, 1, 25)
    stands = [lambda s: year_close.confirm_committee(s, 2026, 2, RUI, JANUARY, until)] * 4
    assert at_once(database_url, *stands).count(True) == 1
    begins = [lambda s: year_close.begin_freezing(s, 2026, DING, JANUARY)] * 4
    assert at_once(database_url, *begins).count(True) == 1
    while await look(year_close.freezing) is not None:
        at_once(database_url, *[lambda s: notes.freeze_next(s, JANUARY, ZONE)] * 4)
    lines = await look(lambda s: s.execute(select(YearResult.version)).scalars().all())
    assert list(lines) == [1] * 15


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
