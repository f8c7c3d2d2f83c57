"""The close of a year from the preview to the star card: who confirms what, and what stays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from db import negatives, year_close
from db.audit import AuditEvent
from db.indices import FortressIndex
from db.vetoes import VetoEvent
from db.year_close import YearClose, YearResult
from notices import year_close as notes
from notices.schedule import Moment
from tests.at_once import at_once
from tests.cast import ALICE, CHARLIE, DING, LIANGFENG, MO, QIAN, RUI, SUN
from tests.conftest import ZONE
from tests.handlers.year_close.conftest import JANUARY, close_it, finish


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


def late(session: Session, cause: str) -> None:
    """A case of the last year, so that a refresh has something to change."""
    key = {"organization_id": LIANGFENG, "item_id": "N03", "day": date(2026, 11, 2), "count": 1}
    assert negatives.post(session, **key, cause=cause, recorded_at=JANUARY)


async def test_what_is_frozen_stays_and_the_figures_move_no_more(say, look, clock, city, engine):
    await city()
    await close_it(say, look, clock)
    for statement in ("UPDATE year_result SET stars = 1", "DELETE FROM year_result"):
        with pytest.raises(DBAPIError, match="append-only"):
            await look(lambda s, one=statement: s.execute(sql(one)))
    await look(lambda s: late(s, "too late"))
    moment = Moment(clock.now, clock.now, ZONE)
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) == 90_00, "not computed again"


async def test_until_the_close_late_facts_of_the_last_year_still_count(look, city, clock):
    await city()
    await look(lambda s: late(s, "first"))
    moment = Moment(clock.now, clock.now, ZONE)
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) != 90_00
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).as_of) == date(2026, 12, 31)
    # And what was computed before a confirmation does not land after it.
    await look(lambda s: late(s, "second"))
    run = await look(lambda s: notes.prepare_figures(s, moment))
    await look(lambda s: year_close.open_year(s, 2026, DING, clock.now, [2]))
    await look(lambda s: year_close.begin_freezing(s, 2026, DING, clock.now))
    await look(lambda s: s.execute(sql("UPDATE fortress_index SET score = 1")))
    await look(lambda s: run(s, moment))
    assert await look(lambda s: s.get(FortressIndex, (LIANGFENG, 2026)).score) == 1


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


async def test_a_year_before_the_service_is_not_opened(say, look, clock):
    clock.now = JANUARY
    assert [one.action for one in (await say(DING, "定星")).buttons] == ["vetoes", "menu"]
    assert "还没有开始" in (await say(DING, "year_close:open:yes", kind="button")).text
    assert await look(lambda s: year_close.get(s, 2026)) is None


# ---- races --------------------------------------------------------------------------------------------------


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
