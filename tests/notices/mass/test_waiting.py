"""When a batch is made, and when none is made any more."""

from __future__ import annotations

from datetime import timedelta

from db import addressing
from db.letters import Letter
from db.mass import MassBatch
from notices.letter_stops import stop
from tests.cast import NOON, SUN
from tests.notices.mass.wechat import RULES, FakeWeChat, fates, taken
from tests.notices.sending import rows


async def test_a_stopped_letter_is_not_tried_again(city, clock, look):
    wechat = FakeWeChat(-1)
    sent = await city(wechat)
    await sent.step()
    await look(lambda s: stop(s, s.get(Letter, sent.id), by=SUN, why="author", now=clock()))
    clock.now += timedelta(seconds=60)
    assert not await sent.step()
    assert await fates(sent) == {("cancelled", "stopped", "wechat")}
    assert (len(wechat.tries), await taken(look)) == (1, 0)


async def test_a_letter_waits_for_the_rest_of_its_people_but_not_for_ever(city, clock, look):
    wechat = FakeWeChat()
    sent = await city(wechat)

    def still_coming(session):
        row = rows(session)[0]
        row.state, row.lane, row.channel = "retry", 2, None
        session.add(row)

    await look(still_coming)
    assert not await sent.step()
    clock.now += timedelta(seconds=RULES.gather_s)
    assert await sent.step()


async def test_a_letter_waits_until_all_its_rows_are_written(city, look):
    wechat = FakeWeChat()
    sent = await city(wechat)
    await look(lambda s: addressing.begin(s, sent.id, key=f"letter:{sent.id}", what="letter", now=NOON))
    assert not await sent.step()
    await look(lambda s: addressing.end(s, f"letter:{sent.id}"))
    assert await sent.step()
    assert len(wechat.tries) == 1


async def test_a_days_calls_are_not_exceeded(city, clock, look):
    sent = await city(FakeWeChat())
    old = MassBatch(
        channel="wechat", letter_id=sent.id, language="zh", lane=2, key="k", month=RULES.month(NOON), size=2,
        state="ended", tries=RULES.calls_a_day, first_try_at=NOON, next_try_at=NOON,
    )  # fmt: skip
    await look(lambda s: s.add(old))
    assert not await sent.step()
    clock.now = RULES.midnight(NOON, days=1) + timedelta(hours=9)
    assert await sent.step()
