"""Letters to the city by mass letter: who is in a batch, what a platform's answers mean, what its report says."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func
from sqlmodel import select

from bot.channels.wechat.codes import refusal
from bot.letter_tables import sheets
from db import addressing, mass
from db.accounts import Chat, chat_at
from db.letters import Letter
from db.mass import MassBatch, MassCount, MassReport
from db.members import Member
from notices.channel import Channels, SendError
from notices.lease import SenderLease
from notices.letter_reports import report
from notices.letter_stops import stop
from notices.mass import MassSender
from notices.mass_rules import mass_rules
from notices.tenure import Tenure
from notices.wording import wording
from tests.cast import ALICE, BOB, KE, MO, NOON, OLGA, RUI, SUN
from tests.notices.sending import FakeChannel, bind, engine, queued, rows

BRANCH = (ALICE, BOB, SUN, MO, RUI, KE, OLGA)
RULES = mass_rules("wechat")
assert RULES is not None
BROKEN = 10**9  # fails in its own way
LOST = SendError("ambiguous", "read_timeout")


class FakeWeChat(FakeChannel):
    """Takes mass letters as WeChat does: one key, one job. `script`: a code or an error for each of the next calls."""

    def __init__(self, *script: int | SendError) -> None:
        super().__init__("wechat", text_max=2000)
        self.script = list(script)
        self.jobs: dict[str, list[str]] = {}
        self.tries: list[str] = []
        self.bad: set[str] = set()  # addresses for whose sake all of a batch are refused
        self.state = "sending"  # what it says when it is asked
        self.asked: list[str] = []

    async def send_mass(self, addresses: Any, message: Any, *, key: str) -> str:
        self.tries.append(key)
        answer = self.script.pop(0) if self.script else 0
        if answer == BROKEN:
            raise RuntimeError
        if isinstance(answer, int) and answer:
            raise refusal(answer, now=NOON)
        if self.bad & set(addresses):
            raise refusal(40003, now=NOON)
        self.jobs.setdefault(key, list(addresses))
        if isinstance(answer, SendError):  # taken, and nobody hears of it
            raise answer
        return f"job{list(self.jobs).index(key)}"

    async def mass_state(self, platform_id: str) -> Any:
        self.asked.append(platform_id)
        return self.state

    @property
    def reached(self) -> list[str]:
        return sorted(address for job in self.jobs.values() for address in job)


@pytest.fixture
def city(writer, clock, look):
    """`await city(wechat, ...)`: a letter to people with WeChat and web chats; `.step()`, `.plan()`, `.rows()`."""

    async def make(wechat: FakeWeChat, people: tuple[int, ...] = BRANCH, **more: Any) -> Any:
        web = FakeChannel()
        lease = SenderLease(alone=True, hold_s=math.inf)
        one_by_one = engine(writer, clock, wechat, web, lease=lease)
        channels = Channels({"wechat": wechat, "web": web})
        tenure = Tenure(writer.write, lease, channels, clock)
        sender = MassSender(tenure, channels, clock, ZoneInfo("Asia/Shanghai"))

        def fill(session: Any) -> int:
            for member_id in people:
                bind(session, member_id, "wechat")
            return queued(session, **{"lane": 2, "author_id": None, **more})

        letter_id = await look(fill)

        async def plan() -> None:
            while await one_by_one.drain_once():
                pass

        async def found() -> list[Any]:
            return [row for row in await look(rows) if row.member_id in people]

        async def report(sent: int, status: str = "send success", job: str = "job0") -> None:
            word = MassReport(
                channel="wechat", platform_id=job, status=status, total=len(people), sent=sent, reported_at=clock()
            )
            await look(lambda s: mass.book(s, word))
            await sender.step()

        await plan()
        return SimpleNamespace(
            id=letter_id, web=web, step=sender.step, plan=plan, rows=found, report=report, letter=lambda s: s.get(Letter, letter_id)
        )  # fmt: skip

    return make


async def fates(sent: Any) -> set[tuple[str, str, str | None]]:
    return {(row.state, row.reason, row.channel) for row in await sent.rows()}


async def taken(look) -> int:
    return await look(lambda s: s.execute(select(func.coalesce(func.sum(MassCount.taken), 0))).scalar_one())


async def test_a_city_letter_goes_to_all_in_one_batch_and_is_sent_when_the_platform_says_so(city, look):
    wechat = FakeWeChat()
    sent = await city(wechat)
    assert sent.web.calls == 0
    assert await fates(sent) == {("queued", "", "wechat")}
    assert await sent.step()
    assert wechat.reached == sorted(f"wechat:{one}" for one in BRANCH)
    assert await fates(sent) == {("sending", "", "wechat")}
    assert (await look(sent.letter)).state == "sending"
    chat = await look(lambda s: chat_at(s, "wechat", f"wechat:{ALICE}"))
    assert chat.choices["1"] == f"letters:ack:{sent.id}"
    await sent.report(len(BRANCH))
    assert await fates(sent) == {("sent", "", "wechat")}
    assert {row.platform_id for row in await sent.rows()} == {"job0"}
    await sent.plan()
    assert (await look(sent.letter)).state == "done"
    assert await taken(look) == len(BRANCH)
    assert not await sent.step()


async def test_the_month_holds_so_many_per_person_and_then_the_next_way(city, look, clock):
    month = RULES.month(NOON)
    full = [MassCount(channel="wechat", address=f"wechat:{ALICE}", month=month, taken=RULES.a_month)]
    full += [MassCount(channel="wechat", address=f"wechat:{BOB}", month=month, taken=RULES.a_month - 1)]
    full += [
        MassCount(channel="wechat", address=f"wechat:{SUN}", month=month.replace(month=5), taken=RULES.a_month)
    ]
    await look(lambda s: s.add_all(full))
    wechat = FakeWeChat()
    sent = await city(wechat)
    await sent.step()
    assert [address for address, _ in sent.web.sent] == [f"member:{ALICE}"]
    assert len(wechat.reached) == len(BRANCH) - 1


@pytest.mark.parametrize(
    "more",
    [
        {"lane": 1},
        {"urgent": True},
        {"body": "{姓名}同志，您好。"},
        {"body": "字" * 3000},
    ],
)
async def test_what_is_not_for_everybody_or_does_not_fit_goes_one_by_one(city, more):
    wechat = FakeWeChat()
    sent = await city(wechat, **more)
    assert len(sent.web.sent) == len(BRANCH)
    assert not await sent.step()


async def test_a_batch_of_one_and_those_who_left_meanwhile_take_another_way(city, look):
    wechat = FakeWeChat()
    sent = await city(wechat, people=(ALICE, BOB))
    await look(lambda s: setattr(s.get(Member, BOB), "letters_paused_until", NOON.date() + timedelta(days=2)))
    assert not await sent.step()
    await sent.plan()
    assert wechat.tries == []
    assert {row.member_id: (row.state, row.channel) for row in await sent.rows()} == {
        ALICE: ("sent", "web"),
        BOB: ("suppressed", "wechat"),
    }


async def test_an_open_window_is_taken_before_the_month(city, look):
    def open_window(session):
        bind(session, ALICE, "wechat", window_kind="message", window_opened_at=NOON)

    await look(open_window)
    wechat = FakeWeChat()
    sent = await city(wechat, people=(BOB, SUN, MO))
    await sent.step()
    assert [address for address, _ in wechat.sent] == [f"wechat:{ALICE}"]
    assert len(wechat.reached) == 3


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
