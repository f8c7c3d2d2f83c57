"""What a report says of a batch, and what its silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.letter_tables import sheets
from db import mass
from db.letters import Letter
from notices.letter_reports import report
from notices.wording import wording
from tests.cast import ALICE, BOB, MO, SUN
from tests.notices.mass.wechat import BRANCH, LOST, RULES, FakeWeChat, fates, taken


async def test_a_report_that_counts_and_names_nobody(city, look):
    sent = await city(FakeWeChat())
    await sent.step()
    await sent.report(len(BRANCH) - 2)
    assert await fates(sent) == {("sent", "", "wechat")}
    assert await look(lambda s: mass.not_reached(s, sent.id)) == 2

    def told(session: Any) -> Any:
        letter, say = session.get(Letter, sent.id), wording("zh")
        found = report(session, letter, say)
        return found.left_out, sheets(session, letter, found, say, named_on=None)[say("letter_report.page_states")]

    left_out, table = await look(told)
    assert left_out == 2
    assert ["微信群发未到（不知是谁）", 2] in table


@pytest.mark.parametrize(
    ("sent_count", "status", "state"),
    [(0, "send fail", "queued"), (0, "err(20001)", "queued"), (0, "send success", "queued"), (3, "send fail", "ambiguous")],
)  # fmt: skip
async def test_a_report_of_failure_opens_the_next_way_only_when_nobody_was_reached(
    city, look, sent_count, status, state
):
    sent = await city(FakeWeChat())
    await sent.step()
    await sent.report(sent_count, status)
    assert {row.state for row in await sent.rows()} == {state}
    assert await taken(look) == (0 if state == "queued" else len(BRANCH))
    await sent.plan()
    assert len(sent.web.sent) == (len(BRANCH) if state == "queued" else 0)


async def test_a_report_may_come_before_the_answer_and_not_at_all(city, clock, look):
    wechat = FakeWeChat(LOST)
    sent = await city(wechat, people=(ALICE, BOB))
    await sent.step()
    await sent.report(2)
    assert await fates(sent) == {("sending", "", "wechat")}
    clock.now += timedelta(seconds=5)
    await sent.step()
    await sent.step()
    assert await fates(sent) == {("sent", "", "wechat")}
    second = await city(wechat, people=(SUN, MO), title="第二封")
    await second.step()
    clock.now += timedelta(seconds=RULES.report_s)
    await second.step()
    assert {(r.state, r.reason) for r in await second.rows() if r.letter_id == second.id} == {
        ("ambiguous", "no_report")
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("said", "state"), [("sent", "sent"), ("failed", "ambiguous"), ("sending", "sending")])
async def test_a_platform_that_does_not_report_is_asked_once(city, clock, look, said, state):
    wechat = FakeWeChat()
    sent = await city(wechat)
    await sent.step()
    wechat.state = said
    clock.now += timedelta(seconds=RULES.ask_s - 1)
    assert not await sent.step()
    clock.now += timedelta(seconds=1)
    assert await sent.step()
    assert not await sent.step()
    assert wechat.asked == ["job0"]
    assert {row.state for row in await sent.rows()} == {state}
    await sent.report(len(BRANCH) - 1)  # it comes after all: figures for what was sent, nothing for a doubt
    assert await look(lambda s: mass.not_reached(s, sent.id)) == (0 if said == "failed" else 1)
