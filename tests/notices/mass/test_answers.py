"""What a platform's answer to a batch means."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func
from sqlmodel import select

from db.accounts import Chat
from tests.cast import NOON
from tests.notices.mass.wechat import BRANCH, BROKEN, LOST, RULES, FakeWeChat, fates, taken

REFUSED = {45028: "mass_quota", 43004: "not_following", 45047: "window_closed", 45015: "window_closed",
           48001: "not_permitted", 40130: "content_refused", 45009: "daily_quota"}  # fmt: skip


@pytest.mark.parametrize("code", sorted(REFUSED))
async def test_a_definite_refusal_of_a_batch_sends_everybody_the_next_way_and_costs_no_month(city, look, code):
    sent = await city(FakeWeChat(code))
    await sent.step()
    assert {(row.state, row.reason) for row in await sent.rows()} == {("queued", REFUSED[code])}
    assert await taken(look) == 0
    await sent.plan()
    assert len(sent.web.sent) == len(BRANCH)
    assert await fates(sent) == {("sent", "", "web")}
    assert await look(lambda s: s.execute(select(func.count(Chat.disabled))).scalar_one()) == 0
    assert not await sent.step()


@pytest.mark.parametrize(("code", "pause_s"), [(-1, 5), (45011, 60), (40001, 300), (45066, 60), (BROKEN, 5)])
async def test_a_batch_that_was_not_taken_waits_and_goes_again_under_its_key(city, clock, code, pause_s):
    wechat = FakeWeChat(code)
    sent = await city(wechat)
    await sent.step()
    clock.now += timedelta(seconds=pause_s - 1)
    assert not await sent.step()
    clock.now += timedelta(seconds=1)
    assert await sent.step()
    assert wechat.tries == wechat.tries[:1] * 2
    assert len(wechat.reached) == len(BRANCH)


async def test_a_busy_platform_is_given_up_in_favour_of_the_next_way(city, clock):
    sent = await city(FakeWeChat(*[-1] * 9))
    for _ in range(6):
        await sent.step()
        clock.now += timedelta(seconds=5)
    assert {(row.state, row.reason) for row in await sent.rows()} == {("queued", "busy")}


@pytest.mark.parametrize("second", [0, 45066, 45028])
async def test_a_doubtful_batch_is_made_again_under_its_key_and_takes_no_second_way(city, clock, second):
    wechat = FakeWeChat(LOST, second)
    sent = await city(wechat)
    await sent.step()
    clock.now += timedelta(seconds=5)
    await sent.step()
    clock.now += timedelta(seconds=60)
    while await sent.step():
        pass
    assert set(wechat.tries) == set(wechat.tries[:1])
    assert len(wechat.reached) == len(set(wechat.reached)) == len(BRANCH)
    doubt = ("ambiguous", "mass_quota", "wechat")  # the first try may have used it up
    assert await fates(sent) == ({doubt} if second == 45028 else {("sending", "", "wechat")})
    await sent.plan()
    assert sent.web.calls == 0


@pytest.mark.parametrize(("later_s", "state"), [(-1, "sending"), (0, "ambiguous")])
async def test_a_key_is_used_only_as_long_as_the_platform_knows_it(city, clock, later_s, state):
    wechat = FakeWeChat(LOST)
    sent = await city(wechat)
    await sent.step()
    clock.now = NOON + timedelta(seconds=RULES.same_key_s + later_s)
    await sent.step()
    assert {row.state for row in await sent.rows()} == {state}
    assert len(wechat.tries) == (2 if state == "sending" else 1)


@pytest.mark.parametrize(("halve_from", "calls"), [(len(BRANCH) + 1, 1), (len(BRANCH), 3), (4, 5)])
async def test_a_batch_refused_for_the_sake_of_one_is_halved_as_long_as_it_is_large(
    city, look, clock, monkeypatch, halve_from, calls
):
    monkeypatch.setattr("notices.mass.mass_rules", lambda _: replace(RULES, halve_from=halve_from))
    wechat = FakeWeChat()
    wechat.bad = {f"wechat:{BRANCH[-1]}"}  # of 7 people in the order of their rows: 3 and 4, then 2 and 2
    sent = await city(wechat)
    while await sent.step():
        pass
    assert len(wechat.tries) == len(set(wechat.tries)) == calls
    assert len(wechat.reached) == {1: 0, 3: 3, 5: 5}[calls]
    assert await taken(look) == len(wechat.reached)
    await sent.plan()
    assert len(sent.web.sent) == len(BRANCH) - len(wechat.reached)
    for job in range(len(wechat.jobs)):
        await sent.report(len(BRANCH), job=f"job{job}")
    assert {row.state for row in await sent.rows()} == {"sent"}
