"""Stopping a letter while the real engine sends it, and the correction that is ready with it."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from db.accounts import Chat
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.letters import Letter
from db.members import Member, Membership, Role
from notices import letter_stops
from notices.hand import HAND_MAX
from notices.outbox import queue_letter
from tests.cast import ALICE, BOB, CITY, LIANGFENG, NOON, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.notices.sending import FakeChannel, engine, letter, queued, rows
from tests.sent_letters import BLOCKED, DOUBT, SENT, WAITING, end

CROWD = 120
STOPS_WITHIN_S, MORE_MAX = 2, 30


def crowd(session):
    """Branch 20 gets many members with a Telegram chat each."""
    people = range(1000, 1000 + CROWD)
    session.add_all([Member(id=one, code=f"C{one}", name=f"众{one}") for one in people])
    session.flush()
    session.add_all(
        [Membership(member_id=one, organization_id=SHAZHOU, from_day=date(2020, 1, 1)) for one in people]
    )
    session.add_all([Chat(channel="telegram", address=str(one), member_id=one, choices={}) for one in people])


class Platform(FakeChannel):
    """Says the word when so many messages have come in, and counts what comes after it."""

    def __init__(self, say, clock, at: int) -> None:
        super().__init__("telegram")
        self.word = None
        self.after: list[float] = []
        self._say, self._clock, self._at, self._since = say, clock, at, clock.now

    async def send(self, address, message, *, key):
        if self.word is not None:
            self.after.append((self._clock.now - self._since).total_seconds())
        elif self.calls + 1 == self._at:
            self._since = self._clock.now
            self.word = asyncio.create_task(self._say(QIAN, "停止"))
        return await super().send(address, message, key=key)


async def test_the_word_acts_within_two_seconds_and_thirty_messages_and_the_correction_within_a_minute(
    say, look, writer, clock
):
    await look(crowd)
    letter_id = await look(
        lambda s: queued(s, author_id=QIAN, organization_id=SHAZHOU, audience={"node": SHAZHOU, "who": "all"})
    )
    platform = Platform(say, clock, at=30)
    web = FakeChannel()
    sender = engine(writer, clock, platform, web)
    running = asyncio.create_task(sender.run())
    while platform.word is None or not platform.word.done():
        assert not running.done()
        await asyncio.sleep(0)
    said = await platform.word
    until = clock.now + timedelta(seconds=10)
    while clock.now < until:
        assert not running.done()
        await asyncio.sleep(0)
    assert len(platform.after) <= MORE_MAX
    assert max(platform.after, default=0) <= STOPS_WITHIN_S
    reached = len(platform.sent) + len(web.sent)
    assert f"更正信已备好，只发给收到那封红信的 {reached} 位" in said.text
    assert "更正：关于做好防汛值守的通知\n这封红信已撤回，请不要按它办理。" in said.text

    # Another letter to the whole city drains meanwhile; the correction passes it.
    await look(
        lambda s: queued(s, author_id=None, organization_id=CITY, audience={"node": CITY, "who": "all"}, lane=2)
    )
    confirmed, before = clock.now, len(platform.sent)
    assert (await say(QIAN, "1")).text == f"更正已开始发送，共 {reached} 位，排在所有红信前面。"
    while sum("已撤回" in text for text in platform.texts + web.texts) < reached:
        assert not running.done()
        await asyncio.sleep(0)
    assert clock.now - confirmed <= timedelta(seconds=60)
    passed = platform.texts[before:]
    assert sum("已撤回" not in text for text in passed) <= HAND_MAX, "only what was in hand already goes before it"
    await sender.stop()
    await running
    got = {(row.member_id) for row in await look(rows) if row.letter_id == letter_id and row.state == "sent"}
    corrected = {row.member_id for row in await look(rows) if row.letter_id == letter_id + 1}
    assert corrected == got
    log = await look(lambda s: s.exec(select(AuditEvent.action).order_by(AuditEvent.id)).all())
    assert log == ["letter.stopped", "letter.corrected"]


async def test_a_large_rest_is_taken_back_in_parts_and_nothing_of_it_goes_out(
    say, look, writer, clock, monkeypatch
):
    monkeypatch.setattr(letter_stops, "AT_ONCE_MAX", 2)
    await look(queued)
    assert (await say(SUN, "停止")).text.startswith("已停止，7 位不会再收到。")
    assert sorted(row.state for row in await look(rows)) == ["cancelled"] * 2 + ["queued"] * 5
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert web.sent == []
    await look(lambda s: s.execute(Delivery.__table__.update().values(state="queued")))
    parts = 0
    while await look(lambda s: letter_stops.take_back_next(s, clock.now, ZONE)):
        parts += 1
    assert parts == 4
    assert {row.state for row in await look(rows)} == {"cancelled"}


@pytest.fixture
async def city_letter(look):
    """A letter of the district to the whole city that Rui has approved; five got it, one perhaps."""

    def send(session):
        made = letter(author_id=OLGA, organization_id=CITY, audience={"node": CITY, "who": "all"}, lane=2)
        made.approved_by = RUI
        session.add(
            Role(member_id=RUI, organization_id=CITY, role="committee_reviewer", from_day=date(2026, 1, 1))
        )
        queue_letter(session, made, NOON)
        end(session, made.id, [SENT] * 5 + [DOUBT, BLOCKED, WAITING, WAITING])
        return made.id

    return await look(send)


async def test_who_may_stop_and_who_may_correct(say, look, city_letter):
    for stranger in (ALICE, SUN, QIAN):
        await say(stranger, f"stop_letter:{city_letter}")
    assert await look(lambda s: s.get(Letter, city_letter).state) == "sending"
    stopped = await say(
        RUI, f"stop_letter:{city_letter}"
    )  # who approved it stops it; the correction is its author's
    assert stopped.text == "已停止，3 位不会再收到。已经送出的收不回来。"
    assert "需要相应的职责" in (await say(RUI, f"letter_correction:of:{city_letter}")).text
    offered = await say(OLGA, "更正红信")
    assert "只发给收到那封红信的 6 位" in offered.text, "whoever may have got it is told, too"
    assert "不用复核，勿扰时间也送" in offered.text


async def test_a_correction_in_own_words_needs_a_second_person_above_the_branch(say, look, city_letter):
    await say(OLGA, f"stop_letter:{city_letter}")
    await say(OLGA, "2")
    assert "最多 200 字" in (await say(OLGA, "字" * 201)).text
    preview = await say(OLGA, "以明天的通知为准。")
    assert "请不要按它办理。如有新的安排，会另发通知。\n以明天的通知为准。" in preview.text
    assert "要由另一位同志复核" in preview.text
    assert preview.labels()[0] == "1 提交复核（6 位）"
    assert (await say(OLGA, "1")).text.startswith("已提交，等待复核")
    made = await look(lambda s: s.exec(select(Letter).where(col(Letter.corrects) == city_letter)).one())
    assert await look(lambda s: [row for row in rows(s) if row.letter_id == made.id]) == []
    shown = await say(RUI, f"approvals:show:{made.id}")
    assert "以明天的通知为准。" in shown.text
    assert "范围：收到“关于做好防汛值守的通知”的人。" in shown.text
    assert (await say(RUI, "1")).text.startswith("已同意，开始发给 6 人。")


async def test_a_correction_reaches_whoever_left_the_topic_since_and_at_night(say, look, writer, clock):
    letter_id = await look(queued)
    web = FakeChannel()
    await engine(writer, clock, web, hand_max=3).drain_once()
    await say(ALICE, f"letters:leave:{letter_id}")
    clock.now = NOON + timedelta(hours=11)  # 23:00
    await say(SUN, "停止")
    await say(SUN, "1")
    night = FakeChannel()
    await engine(writer, clock, night).drain_once()
    told = {address for address, message in night.sent if "已撤回" in message.text}
    got = {address for address, _ in web.sent}
    assert told == got
    assert f"member:{ALICE}" in told
    again = await say(SUN, f"letter_correction:of:{letter_id + 1}")
    assert "没有可以更正的红信" in again.text, "a correction has no correction"
    assert await look(lambda s: s.get(Letter, letter_id + 1).organization_id) == LIANGFENG
    assert f"member:{BOB}" in told
