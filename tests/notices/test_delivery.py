"""The engine, from a row in the outbox to what the person sees and what the outbox then says."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from db.accounts import Chat, chat_at
from db.deliveries import Attempt
from db.letters import Letter
from notices.channel import SendError
from notices.letter_stops import stop
from tests.cast import ALICE, BOB, CHARLIE, MO, NOON, SUN
from tests.notices.sending import FakeChannel, bind, claimed, drained, engine, note, queued, rows, states

BLOCKED = SendError("permanent", "blocked", disables=True)


async def test_a_letter_reaches_every_member_once_and_says_so(writer, clock, look):
    web = FakeChannel()
    letter_id = await look(queued)
    await drained(engine(writer, clock, web))
    assert len(web.sent) == 7  # Alice, Bob, Mo, Sun, Rui, Ke and Olga belong to branch 10
    assert len({address for address, _ in web.sent}) == 7
    assert web.texts[0].startswith("【红信·上级精神】关于做好防汛值守的通知\n今晚有大雨")
    assert web.sent[0][1].labels() == ["1 收到", "2 有困难，请联系我", "3 退订这个主题"]
    found = await look(rows)
    assert {row.state for row in found} == {"sent"}
    assert {row.platform_id for row in found} == {f"id{n}" for n in range(1, 8)}
    letter = await look(lambda s: s.get(Letter, letter_id))
    assert (letter.state, letter.recipients, letter.unbound) == ("done", 7, 0)
    assert CHARLIE not in {row.member_id for row in found}


async def test_after_a_letter_typed_numbers_pick_its_buttons(writer, clock, look):
    letter_id = await look(queued)
    await drained(engine(writer, clock, FakeChannel()))
    chat = await look(lambda s: chat_at(s, "web", f"member:{ALICE}"))
    assert chat.choices["1"] == f"letters:ack:{letter_id}"


async def test_a_note_goes_before_a_branch_letter_and_that_before_a_city_letter(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: queued(s, lane=2, title="全市"))
    await look(lambda s: queued(s, lane=1, title="支部"))
    await look(lambda s: note(s, BOB))
    sender = engine(writer, clock, web)
    await sender.drain_once()
    kinds = ["note" if "认领" in text else "branch" if "支部" in text else "city" for text in web.texts]
    assert kinds == ["note"] + ["branch"] * 7 + ["city"] * 7


async def test_a_try_that_was_certainly_not_sent_is_made_again_later(writer, clock, look):
    web = FakeChannel("web", SendError("retry", "connect_refused"))
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web)
    await sender.drain_once()
    assert (await look(rows))[0].state == "retry"
    clock.now += timedelta(seconds=4)
    assert await sender.drain_once() == 0
    clock.now += timedelta(seconds=2)
    await sender.drain_once()
    assert (await look(rows))[0].state == "sent"
    outcomes = await look(lambda s: s.exec(select(Attempt.outcome).order_by(Attempt.id)).all())
    assert outcomes == ["retry:connect_refused", "sent"]


async def test_a_failure_that_lasts_ends_in_the_mailbox_and_not_in_a_loop(writer, clock, look):
    web = FakeChannel("web", *[SendError("retry", "connect_refused")] * 50)
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web)
    for _ in range(20):
        await sender.drain_once()
        clock.now += timedelta(hours=2) if clock.now.hour < 10 else timedelta(hours=13)  # by day only
    row = (await look(rows))[0]
    assert (row.state, row.channel, row.reason) == ("queued", "mailbox", "gave_up:connect_refused")
    assert web.calls == 6


async def test_a_doubtful_try_is_shown_and_never_made_again(writer, clock, look):
    web = FakeChannel("web", SendError("ambiguous", "read_timeout"))
    telegram = FakeChannel("telegram")
    await look(lambda s: bind(s, ALICE, "telegram", disabled="blocked"))
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web, telegram)
    for _ in range(5):
        await sender.drain_once()
        clock.now += timedelta(hours=1)
    row = (await look(rows))[0]
    assert (row.state, row.reason, web.calls, telegram.calls) == ("ambiguous", "read_timeout", 1, 0)


async def test_a_block_goes_to_the_next_way_and_disables_the_chat(writer, clock, look):
    telegram, web = FakeChannel("telegram", BLOCKED), FakeChannel()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, telegram, web))
    assert [address for address, _ in web.sent] == [f"member:{ALICE}"]
    chat = await look(lambda s: chat_at(s, "telegram", f"telegram:{ALICE}"))
    assert chat.disabled == "blocked"


async def test_an_unknown_refusal_goes_to_the_next_way_and_disables_nobody(writer, clock, look):
    telegram, web = FakeChannel("telegram", SendError("permanent", "content_refused")), FakeChannel()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, telegram, web))
    assert len(web.sent) == 1
    assert (await look(lambda s: chat_at(s, "telegram", f"telegram:{ALICE}"))).disabled is None


async def test_two_chats_of_one_member_get_one_letter(writer, clock, look):
    telegram, web = FakeChannel("telegram"), FakeChannel()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(queued)
    await drained(engine(writer, clock, telegram, web))
    assert [address for address, _ in telegram.sent] == [f"telegram:{ALICE}"]
    assert f"member:{ALICE}" not in {address for address, _ in web.sent}


async def test_a_named_pause_stops_the_whole_account_and_counts_no_try(writer, clock, look):
    telegram = FakeChannel("telegram", SendError("retry", "429", retry_after_s=30))
    for person in (ALICE, BOB):
        await look(lambda s, who=person: bind(s, who, "telegram"))
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, telegram)
    await sender.drain_once()
    await look(lambda s: note(s, BOB))
    clock.now = NOON + timedelta(seconds=20)
    await sender.drain_once()
    assert telegram.calls == 1
    clock.now = NOON + timedelta(seconds=31)
    await drained(sender)
    assert sorted(address for address, _ in telegram.sent) == [f"telegram:{ALICE}", f"telegram:{BOB}"]
    assert {row.attempts for row in await look(rows)} == {1}


async def test_a_stopped_letter_is_taken_back_even_when_it_is_claimed(writer, clock, look):
    web = FakeChannel()
    letter_id = await look(queued)
    sender = engine(writer, clock, web)
    await claimed(sender)  # in hand, not yet sent
    kept = await look(lambda s: stop(s, s.get(Letter, letter_id), by=SUN, why="author", now=NOON))
    assert kept == 7
    await drained(sender)
    assert web.sent == []
    assert set((await look(states)).values()) == {"cancelled"}


async def test_a_long_letter_comes_in_marked_parts_and_ends_with_the_buttons(writer, clock, look):
    telegram = FakeChannel("telegram", text_max=40)
    await look(lambda s: bind(s, MO, "telegram"))
    body = "".join(f"第{n:02d}句话在这里。" for n in range(12))
    await look(lambda s: queued(s, audience={"node": 10, "who": "mobile"}, body=body))
    await drained(engine(writer, clock, telegram))
    assert all(len(text) <= 40 for text in telegram.texts)
    marks = [text.partition("\n")[0] for text in telegram.texts]
    assert marks == [f"（{n}/{len(marks)}）" for n in range(1, len(marks) + 1)]
    assert len(marks) > 2
    assert body in "".join(text.partition("\n")[2] for text in telegram.texts).replace("\n", "")
    assert [bool(message.buttons) for _, message in telegram.sent] == [False] * (len(marks) - 1) + [True]


async def test_a_failed_part_is_taken_up_where_it_stopped(writer, clock, look):
    telegram = FakeChannel("telegram", None, SendError("retry", "connect_refused"), text_max=60)
    await look(lambda s: bind(s, MO, "telegram"))
    await look(lambda s: queued(s, audience={"node": 10, "who": "mobile"}, body="字" * 150))
    sender = engine(writer, clock, telegram, FakeChannel())
    await drained(sender)
    clock.now += timedelta(minutes=1)
    await drained(sender)
    assert [text[:5] for text in telegram.texts] == ["（1/4）", "（2/4）", "（3/4）", "（4/4）"]


async def test_a_channel_that_breaks_in_its_own_way_leaves_a_doubt_and_no_secret(writer, clock, look, caplog):
    class Broken(FakeChannel):
        async def send(self, address, message, *, key):
            raise RuntimeError("https://api.example/botSECRET-TOKEN/sendMessage")

    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, Broken()))
    assert (await look(rows))[0].state == "ambiguous"
    assert "RuntimeError" in caplog.text
    assert "SECRET" not in caplog.text


async def test_run_sends_until_it_is_stopped_and_gives_the_rest_back(writer, look, clock):
    import asyncio

    web = FakeChannel()
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web)
    real_sleep = asyncio.sleep
    sender._sleep = lambda seconds: real_sleep(0)
    running = asyncio.create_task(sender.run())
    while not web.sent:
        await real_sleep(0)
    await sender.stop()
    await running
    assert {row.state for row in await look(rows)} == {"sent"}


async def test_stopping_puts_back_what_is_in_hand(writer, clock, look):
    telegram = FakeChannel("telegram")
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, telegram)
    await claimed(sender)
    await sender._put_down()
    row = (await look(rows))[0]
    assert (row.state, row.died, telegram.calls) == ("queued", 0, 0)


async def test_a_disabled_chat_is_tried_again_once_its_person_writes(writer, clock, look, say):
    await look(lambda s: setattr(chat_at(s, "web", f"member:{ALICE}"), "disabled", "blocked"))
    await look(lambda s: note(s, ALICE, "老消息"))
    web = FakeChannel()
    await drained(engine(writer, clock, web))
    assert web.sent == []
    assert "老消息" in (await say(ALICE, "菜单")).text
    await look(lambda s: note(s, ALICE, "新消息", key="n2"))
    await drained(engine(writer, clock, web))
    assert web.texts == ["新消息"]
    assert await look(lambda s: s.exec(select(Chat.disabled).where(Chat.member_id == ALICE)).all()) == [None]
