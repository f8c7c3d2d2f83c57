"""The way to a member: which chat, later, or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from db.accounts import Chat, chat_at
from db.members import Member
from notices.channel import SendError
from notices.quotas import quotas
from tests.cast import ALICE, BOB, CHARLIE, NOON
from tests.notices.sending import FakeChannel, bind, engine, note, queued, rows

NIGHT = datetime(2026, 6, 15, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai, 10:00 in New York


async def drained(sender):
    while await sender.drain_once():
        pass


def window(session, *, kind="message", opened_at=NOON, sent=0):
    chat = chat_at(session, "wechat", f"wechat:{ALICE}") or bind(session, ALICE, "wechat")
    chat.window_kind, chat.window_opened_at, chat.window_sent = kind, opened_at, sent


def channels():
    return FakeChannel("wechat", text_max=2000), FakeChannel("telegram"), FakeChannel("web")


async def test_an_open_window_comes_first_and_is_counted_down(writer, clock, look):
    wechat, telegram, web = channels()
    await look(lambda s: (window(s), bind(s, ALICE, "telegram")))
    for number in range(quotas()["message"].count + 1):
        await look(lambda s, n=number: note(s, ALICE, key=f"n{n}"))
    await drained(engine(writer, clock, wechat, telegram, web))
    assert len(wechat.sent) == quotas()["message"].count
    assert len(telegram.sent) == 1
    assert (await look(lambda s: chat_at(s, "wechat", f"wechat:{ALICE}"))).window_sent == quotas()["message"].count


@pytest.mark.parametrize(("later_s", "through"), [(-1, "wechat"), (0, "web")])
async def test_a_window_closes_to_the_second(writer, clock, look, later_s, through):
    wechat, _, web = channels()
    opened_at = NOON - timedelta(seconds=quotas()["message"].seconds + later_s)
    await look(lambda s: window(s, opened_at=opened_at))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, wechat, web))
    assert {"wechat": len(wechat.sent), "web": len(web.sent)}[through] == 1


async def test_a_text_that_needs_more_messages_than_are_left_takes_the_next_way(writer, clock, look):
    wechat, _, web = channels()
    wechat.text_max = 30
    await look(lambda s: window(s, sent=3))
    await look(lambda s: note(s, ALICE, "字" * 40, key="two"))
    await look(lambda s: note(s, ALICE, "字" * 70, key="too many"))
    await drained(engine(writer, clock, wechat, web))
    assert [text[:5] for text in wechat.texts] == ["（1/2）", "（2/2）"]
    assert web.texts == ["字" * 70]


async def test_a_closed_window_and_no_other_chat_is_the_mailbox(writer, clock, look):
    wechat, telegram, web = channels()

    def only_wechat(session):
        session.delete(chat_at(session, "web", f"member:{ALICE}"))
        window(session, kind=None, opened_at=None)
        note(session, ALICE)

    await look(only_wechat)
    await drained(engine(writer, clock, wechat, telegram, web))
    row = (await look(rows))[0]
    assert (row.state, row.channel, row.reason) == ("queued", "mailbox", "window_closed")
    assert wechat.calls == 0


async def test_what_the_member_prefers_comes_first(writer, clock, look):
    _, telegram, web = channels()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: setattr(s.get(Member, ALICE), "preferred_channel", "web"))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, telegram, web))
    assert (len(telegram.sent), len(web.sent)) == (0, 1)


async def test_of_two_chats_on_one_channel_the_one_heard_from_last(writer, clock, look):
    web = FakeChannel()
    newer = Chat(channel="web", address="kiosk", member_id=ALICE, choices={}, heard_at=NOON)
    await look(lambda s: s.add(newer))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, web))
    assert [address for address, _ in web.sent] == ["kiosk"]


async def test_a_channel_that_is_not_switched_on_is_no_way(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, web))
    assert len(web.sent) == 1


@pytest.mark.parametrize("status", ["left", "transferred", "deceased", "lost_contact"])
async def test_nobody_writes_to_a_member_who_is_gone(writer, clock, look, status):
    web = FakeChannel()
    await look(lambda s: note(s, ALICE))
    await look(queued)
    await look(lambda s: setattr(s.get(Member, ALICE), "status", status))
    await drained(engine(writer, clock, web))
    assert f"member:{ALICE}" not in {address for address, _ in web.sent}
    mine = [row for row in await look(rows) if row.member_id == ALICE]
    assert {(row.state, row.reason) for row in mine} == {("suppressed", status)}


async def test_a_pause_of_letters_holds_back_no_note(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: setattr(s.get(Member, ALICE), "letters_paused_until", date(2026, 7, 1)))
    await look(lambda s: note(s, ALICE))
    await drained(engine(writer, clock, web))
    assert len(web.sent) == 1


async def test_quiet_hours_hold_a_note_and_never_drop_it(writer, clock, look):
    web = FakeChannel()
    clock.now = NIGHT
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, web)
    assert await sender.drain_once() == 1
    row = (await look(rows))[0]
    assert (row.state, row.attempts, row.not_before) == ("queued", 0, datetime(2026, 6, 15, 23, 30, tzinfo=UTC))
    clock.now = datetime(2026, 6, 15, 23, 30, tzinfo=UTC)
    await drained(sender)
    assert len(web.sent) == 1


async def test_an_urgent_note_passes_at_night(writer, clock, look):
    web = FakeChannel()
    clock.now = NIGHT
    await look(lambda s: note(s, ALICE, urgent=True))
    await drained(engine(writer, clock, web))
    assert len(web.sent) == 1


async def test_the_night_is_where_the_member_lives(writer, clock, look):
    web = FakeChannel()
    clock.now = NIGHT
    await look(lambda s: setattr(s.get(Member, ALICE), "timezone", "America/New_York"))
    await look(lambda s: setattr(s.get(Member, BOB), "timezone", "Nowhere/Lost"))
    await look(lambda s: (note(s, ALICE), note(s, BOB), note(s, CHARLIE)))
    await drained(engine(writer, clock, web))
    assert [address for address, _ in web.sent] == [f"member:{ALICE}"]


@pytest.mark.parametrize(("left_s", "state"), [(1, "sent"), (0, "expired")])
async def test_what_is_too_late_expires_instead(writer, clock, look, left_s, state):
    await look(lambda s: note(s, ALICE, expires_at=NOON + timedelta(seconds=left_s)))
    await drained(engine(writer, clock, FakeChannel()))
    assert (await look(rows))[0].state == state


async def test_what_would_come_after_its_end_expires_in_the_morning(writer, clock, look):
    web = FakeChannel()
    clock.now = NIGHT
    await look(lambda s: note(s, ALICE, expires_at=NIGHT + timedelta(hours=1)))
    sender = engine(writer, clock, web)
    await sender.drain_once()
    clock.now = NIGHT + timedelta(hours=10)
    await drained(sender)
    assert ((await look(rows))[0].state, web.calls) == ("expired", 0)


async def test_a_part_whose_chat_was_closed_meanwhile_is_not_begun_elsewhere(writer, clock, look):
    telegram = FakeChannel("telegram", None, SendError("permanent", "blocked", disables=True), text_max=40)
    web = FakeChannel()
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE, "字" * 60))
    await drained(engine(writer, clock, telegram, web))
    first, second = await look(rows)
    assert (first.state, second.state, second.reason, web.calls) == ("sent", "failed", "blocked", 0)


async def test_each_reader_gets_the_language_of_the_chat(writer, clock, look):
    web = FakeChannel()
    await look(lambda s: setattr(chat_at(s, "web", f"member:{ALICE}"), "language", "en"))
    await look(queued)
    await drained(engine(writer, clock, web))
    by_address = {address: message.text for address, message in web.sent}
    assert by_address[f"member:{ALICE}"].startswith("[Red Letter: From above]")
    assert by_address[f"member:{BOB}"].startswith("【红信·上级精神】")


async def test_a_moved_chat_is_found_at_its_new_address(writer, clock, look):
    telegram = FakeChannel("telegram", SendError("retry", "moved", moved_to="telegram:new"))
    await look(lambda s: bind(s, ALICE, "telegram"))
    await look(lambda s: note(s, ALICE))
    sender = engine(writer, clock, telegram)
    await drained(sender)
    clock.now += timedelta(minutes=1)
    await drained(sender)
    assert [address for address, _ in telegram.sent] == ["telegram:new"]
    assert await look(lambda s: len(s.exec(select(Chat).where(Chat.channel == "telegram")).all())) == 1
