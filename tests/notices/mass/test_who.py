"""Who is in a batch, and who takes another way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.accounts import chat_at
from db.mass import MassCount
from db.members import Member
from tests.cast import ALICE, BOB, MO, NOON, SUN
from tests.notices.mass.wechat import BRANCH, RULES, FakeWeChat, fates, taken
from tests.notices.sending import bind


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
