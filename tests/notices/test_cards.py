"""Cards: what fits one, what is only told to be waiting, what a consent and a day's allowance let out, what is reported."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlmodel import Session, select

from db import cards, consents
from db.accounts import chat_at
from db.cards import CardCount, CardReport
from db.consents import Consent
from db.deliveries import Attempt
from db.recovering import put_straight
from notices.card_reports import settle_next
from notices.card_rules import Card, cards_in, kind_of, rules
from notices.channel import Button, Message, SendError
from notices.outbox import tell
from notices.quotas import quotas
from tests.cast import ALICE, BOB, NOON
from tests.notices.sending import FakeChannel, bind, engine, note, queued, rows

HERE = f"wechat:{ALICE}"
ALLOWED = rules().ways["template"].a_day
FIELDS = {"thing1": "{text}", "time2": "{time}", "thing3": "回复1就能看全文"}


class FakeCards(FakeChannel):
    """One template for `kinds`, one field of 20 characters."""

    beside = "wechat"

    def __init__(
        self, way: str, *answers: SendError | None, kinds: tuple[str, ...] = ("letter", "message")
    ) -> None:
        super().__init__(f"wechat:{way}", *answers)
        self.kinds = kinds
        self.numbers = way == "template"

    def templates(self, key: str, message: Message) -> list[str]:
        return ["T1"] if kind_of(key) in self.kinds and len(message.text) <= 20 else []

    async def send(self, address: str, message: Message, *, key: str) -> str:
        number = await super().send(address, message, key=key)
        return number if self.numbers else ""


@pytest.fixture
def alice(writer, clock, look):
    """`await alice(cards, ..., open=2)`: only in WeChat, her window closed; `.drain()`, `.rows()`, `.left()`."""

    async def make(*channels: FakeChannel, given: int = 0, web: bool = False) -> Any:
        wechat = FakeChannel("wechat")
        sender = engine(writer, clock, wechat, *channels, *([FakeChannel("web")] if web else []))

        def begin(session: Session) -> None:
            if not web:
                session.delete(chat_at(session, "web", f"member:{ALICE}"))
            bind(session, ALICE, "wechat")
            for number in range(given):
                consents.give(session, channel="wechat", address=HERE, template="T1", key=f"k{number}", at=NOON)

        await look(begin)

        async def drain() -> None:
            while await sender.drain_once():
                pass

        async def mine() -> list[Any]:
            return [row for row in await look(rows) if row.member_id == ALICE]

        async def left() -> int:
            return (await look(lambda s: consents.counts(s, "wechat", [HERE]))).get((HERE, "T1"), 0)

        return SimpleNamespace(wechat=wechat, drain=drain, rows=mine, left=left, sender=sender)

    return make


@pytest.mark.parametrize(("given", "sent"), [(0, 0), (1, 1)])
async def test_a_note_goes_out_on_as_many_cards_as_she_has_agreed_to(alice, look, given, sent):
    card = FakeCards("subscription")
    her = await alice(card, given=given)
    await look(lambda s: [note(s, ALICE, key=f"n{one}") for one in range(2)])
    await her.drain()
    assert len(card.sent) == sent
    assert [row.state for row in await her.rows()] == ["sent"] * sent + ["queued"] * (2 - sent)
    waits = {row.channel for row in await her.rows() if row.state == "queued"}
    assert waits == {"mailbox"}
    assert await her.left() == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_an_open_window_and_another_chat_come_before_what_only_knocks(alice, look, clock):
    card = FakeCards("subscription")
    her = await alice(card, given=1, web=True)

    def open_window(session, opened_at):
        chat = chat_at(session, "wechat", HERE)
        chat.window_kind, chat.window_opened_at = "message", opened_at

    await look(lambda s: open_window(s, NOON))
    await look(lambda s: note(s, ALICE, key="n1"))
    await her.drain()
    clock.now += timedelta(seconds=quotas()["message"].seconds)
    await look(lambda s: note(s, ALICE, "字" * 21, key="n2"))  # too long for the card
    await her.drain()
    await look(lambda s: note(s, ALICE, "字" * 20, key="n3"))
    await her.drain()
    assert len(her.wechat.sent) == 1
    assert [row.channel for row in await her.rows()] == ["wechat", "web", "wechat:subscription"]


async def test_a_letter_waits_in_the_mailbox_and_one_card_a_day_says_so(alice, look, say):
    card = FakeCards("subscription")
    her = await alice(card, given=3)
    await look(lambda s: [queued(s), queued(s, title="第二封")])
    await her.drain()
    letters, knocks = [[r for r in await her.rows() if (r.letter_id is None) == told] for told in (False, True)]
    assert {(row.state, row.channel, row.reason) for row in letters} == {("queued", "mailbox", "window_closed")}
    assert [(row.state, row.key) for row in knocks] == [("sent", "knock:letter:2026-06-15")]
    assert card.texts == ["关于做好防汛值守的通知"]
    assert await her.left() == 2
    both = [await say(ALICE, "0", channel="wechat", address=HERE) for _ in range(2)]
    assert "第二封" in both[1].text
    await look(lambda s: tell(s, member_id=ALICE, key="knock:letter:x", message=Message("等您"), now=NOON))
    await her.drain()
    late = next(row for row in await her.rows() if row.key == "knock:letter:x")
    assert (late.state, late.reason) == ("suppressed", "handed_over")
    assert (len(card.sent), len(her.wechat.sent)) == (1, 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_steps_and_pictures_are_never_lost_on_a_card(alice, look):
    card = FakeCards("subscription")
    her = await alice(card, given=1)
    await look(
        lambda s: tell(
            s, member_id=ALICE, key="wish:1", message=Message("有人认领", (Button("看", "x"),)), now=NOON
        )
    )
    await her.drain()
    assert [(row.key[:5], row.channel) for row in await her.rows()] == [
        ("wish:", "mailbox"),
        ("knock", "wechat:subscription"),
    ]
    assert card.texts == ["有一条消息等您查看"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("answer", "state", "left"),
    [
        (SendError("permanent", "no_consent"), ("queued", "mailbox", "window_closed"), 0),  # WeChat knows of none
        (SendError("permanent", "content_refused"), ("queued", "mailbox", "window_closed"), 2),
        (SendError("retry", "busy", 5.0), ("retry", "wechat:subscription", "busy"), 2),
        (SendError("ambiguous", "read_timeout"), ("ambiguous", "wechat:subscription", "read_timeout"), 1),
    ],
)
async def test_a_consent_comes_back_only_when_the_card_was_certainly_not_shown(alice, look, answer, state, left):
    card = FakeCards("subscription", answer, kinds=("message",))
    her = await alice(card, given=2)
    await look(lambda s: note(s, ALICE))
    await her.drain()
    (row,) = [row for row in await her.rows() if row.key == "n1"]
    assert (row.state, row.channel, row.reason) == state
    assert await her.left() == left - (answer.reason == "content_refused")  # which then went for the knock
    assert card.calls == (2 if answer.reason == "content_refused" else 1)


@pytest.mark.parametrize(("taken", "sent"), [(ALLOWED - 1, 1), (ALLOWED, 0)])
async def test_template_cards_are_for_duties_and_end_with_the_day(alice, look, clock, taken, sent):
    card = FakeCards("template", kinds=("warning",))
    her = await alice(card)
    day = NOON.date()
    await look(lambda s: s.add(CardCount(way="wechat:template", day=day, taken=taken)))
    await look(lambda s: [note(s, ALICE, key=f"warnings:{one}") for one in range(2)])
    await her.drain()
    await look(lambda s: note(s, ALICE, key="wish:1"))
    await her.drain()
    assert len(card.sent) == sent
    assert await look(lambda s: cards.taken(s, "wechat:template", day)) == taken + sent
    clock.now += timedelta(days=1)
    assert not await look(lambda s: cards.taken(s, "wechat:template", day + timedelta(days=1)))


async def report(look, clock, way: str, number: str, *, shown: bool) -> None:
    word = CardReport(
        way=f"wechat:{way}", platform_id=number, address=HERE, shown=shown,
        reason="" if shown else "user_refuses", reported_at=clock(),
    )  # fmt: skip
    assert await look(lambda s: cards.book(s, word))
    assert not await look(lambda s: cards.book(s, word))
    await look(lambda s: settle_next(s, clock()))


@pytest.mark.parametrize("way", ["subscription", "template"])
async def test_a_card_that_was_not_shown_takes_its_next_way(alice, look, clock, way):
    card = FakeCards(way, kinds=("warning",))
    her = await alice(card, given=2)
    await look(lambda s: note(s, ALICE, key="warnings:1"))
    await her.drain()
    assert {row.state for row in await her.rows()} == {"sent"}
    await report(look, clock, way, "id1", shown=False)
    await her.drain()
    rows_ = {row.key[:8]: (row.state, row.channel, row.reason) for row in await her.rows()}
    assert rows_["warnings"] == ("queued", "mailbox", "window_closed")
    tried = await look(lambda s: s.exec(select(Attempt.outcome).order_by(Attempt.id)).all())
    assert tried[0] == "permanent:user_refuses"
    assert await her.left() == (2 if way == "template" else 0)  # the one is gone, the other knocked


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_of_two_unnumbered_cards_nobody_can_say_which_was_not_shown(alice, look, clock):
    card = FakeCards("subscription")
    her = await alice(card, given=2)
    await look(lambda s: [note(s, ALICE, key=f"n{one}") for one in range(2)])
    await her.drain()
    await report(look, clock, "subscription", "77", shown=True)
    await report(look, clock, "subscription", "78", shown=False)
    assert [(row.state, row.platform_id) for row in await her.rows()] == [("sent", "77"), ("sent", "")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_report_may_be_early_and_is_not_waited_for_in_vain(alice, look, clock):
    her = await alice(FakeCards("template", kinds=("warning",)))
    await report(look, clock, "template", "id1", shown=False)
    await look(lambda s: note(s, ALICE, key="warnings:1"))
    await her.drain()
    assert await look(lambda s: settle_next(s, clock())) == 1
    assert (await her.rows())[0].state == "queued"
    await report(look, clock, "template", "id9", shown=False)
    clock.now += timedelta(minutes=10)
    assert await look(lambda s: settle_next(s, clock())) == 1


async def test_what_a_lost_commit_took_is_given_back(alice, look):
    her = await alice(FakeCards("subscription"), given=1)
    await look(lambda s: note(s, ALICE))
    row_id = (await her.rows())[0].id

    def intended(session):
        row = rows(session)[0]
        row.state, row.channel, row.address = "sending", "wechat:subscription", HERE
        session.add(row)
        assert consents.spend(session, channel="wechat", address=HERE, template="T1", delivery_id=row_id)

    await look(intended)
    assert await her.left() == 0
    await look(lambda s: put_straight(s, []))
    assert await her.left() == 1


def test_of_several_who_want_the_last_consent_one_gets_it(engine):
    with Session(engine) as session:
        note(session, ALICE)
        note(session, BOB)
        for key in ("k", "k", "other"):
            consents.give(session, channel="wechat", address=HERE, template="T1", key=key, at=NOON)
        consents.withdraw(session, "wechat", HERE, "T2", NOON)
        session.commit()
        ids = [row.id for row in rows(session)]
    barrier, got = threading.Barrier(4), []

    def run(delivery_id: int) -> None:
        with Session(engine) as session:
            barrier.wait()
            got.append(
                consents.spend(session, channel="wechat", address=HERE, template="T1", delivery_id=delivery_id)
            )
            session.commit()

    threads = [threading.Thread(target=run, args=(ids[number % 2],)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False, False, True, True]  # two were given: one event came twice
    with Session(engine) as session:
        assert {one.spent_by is not None for one in session.exec(select(Consent))} == {True}


def test_a_card_takes_a_text_as_a_whole_or_not_at_all():
    two = Card("T1", "subscription", ("letter",), {"thing1": "{text}", "thing2": "{text}", "time3": "{time}"})
    assert two.filled("字" * 40, "t") == {"thing1": "字" * 20, "thing2": "字" * 20, "time3": "t"}
    assert two.filled("字" * 41, "t") is None
    assert two.filled("今晚有大雨，请各网格\n留人值守。请回复收到。", "t") == {
        "thing1": "今晚有大雨，请各网格 留人值守。",
        "thing2": "请回复收到。",
        "time3": "t",
    }
    assert (two.filled("短", "t") or {})["thing2"] == "—"


GOOD = """[[card]]
template = "T1"
way = "subscription"
kinds = ["letter", "message"]
fields = { thing1 = "{text}", time2 = "{time}", phrase3 = "请回复" }
"""


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("[[card]]", "[card]", r"only \[\[card\]\]"),
        ('"subscription"', '"mail"', "the way is one of"),
        ('"subscription"', '"template"', "of a template the kinds are reminder, warning"),
        ('"T1"', '"T 1"', "the template's id"),
        ("请回复", "请回复请回复", "phrase3 takes 1 to 5"),
        ('"{time}"', '"now"', "time2 takes {time}"),
        ('thing1 = "{text}", ', "", "no field takes"),
        ("phrase3", "colour3", "colour3 is no field"),
        ("kinds", "kind", "needs exactly"),
        ('["letter", "message"]', "[]", "the kinds are"),
        ("[[card]]", "[[card", "is no TOML"),
    ],
)
def test_a_file_of_templates_that_cannot_work_is_refused(old, new, why):
    assert cards_in(GOOD)[0].fields["phrase3"] == "请回复"
    with pytest.raises(ValueError, match=why):
        cards_in(GOOD.replace(old, new))
