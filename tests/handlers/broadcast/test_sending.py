"""A secretary writes a Red Letter, from the first word to the number of people that sends it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from db import ledger, letters
from db.accounts import Chat
from db.audit import AuditEvent
from db.letters import Letter
from db.members import Member, Membership, Role
from tests.cast import ALICE, BOB, LIANGFENG, MO, NOON, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE
from tests.handlers.broadcast.conftest import BODY, the_letter
from tests.notices.sending import FakeChannel, bind, engine, rows


async def test_the_whole_way_from_the_word_to_the_sent_letter(say, look, writer, clock):
    whom = await say(SUN, "发红信")
    assert whom.text == "发给谁？（梁丰社区党支部）"
    assert whom.labels()[:3] == ["1 全体（7 人）", "2 流动党员（1 人）", "3 本月还没交党费的（7 人）"]
    topics = await say(SUN, "1")
    assert topics.labels() == ["1 上级精神", "2 法律小常识", "9 返回", "0 菜单"]
    assert (await say(SUN, "1")).text.startswith("请把内容发给我，最多 5000 字。")
    preview = await say(SUN, BODY)
    assert "【红信·上级精神】关于做好防汛值守的通知\n今晚有大雨" in preview.text
    assert "将发给 7 人（网页 7）。" in preview.text
    assert "今天 21:30 后不打扰" in preview.text
    assert "请回复人数 7 确认发送，或 9 修改，0 放弃。" in preview.text
    assert await look(rows) == []
    sent = await say(SUN, "7")
    assert sent.text == "已开始发送：7 人，未绑定 0 人。"
    assert sent.labels() == ["1 看进度", "2 停止", "0 菜单"]
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert len(web.sent) == 7
    audit = await look(lambda s: s.exec(select(AuditEvent)).all())
    assert [(line.actor_id, line.action) for line in audit] == [(SUN, "letter.sent")]
    assert "防汛" not in audit[0].detail


@pytest.mark.parametrize("typed", ["6", "70", "确认", "好的", "6 7"])
async def test_any_other_number_sends_nothing_and_says_why(say, look, previewed, typed):
    message = await say(SUN, typed)
    assert f"您回复的是“{typed}”，应当是人数 7。没有发送。" in message.text
    assert await look(rows) == []
    assert "已开始发送" in (await say(SUN, "７人")).text


async def test_sending_twice_is_one_letter(say, look, previewed):
    letter = await the_letter(look)
    action = f"broadcast:confirm:{letter.id}:7:{letters.fingerprint(letter)[:12]}:7"
    await say(SUN, action)
    assert (await say(SUN, action)).text == "这封红信已经发出，不能再改。发错了就发更正。"
    assert len(await look(rows)) == 7


async def test_the_audience_is_counted_again_at_the_moment_of_sending(say, look, previewed):
    await look(lambda s: setattr(s.get(Member, BOB), "status", "left"))
    message = await say(SUN, "7")
    assert "人数有变化（刚才 7 人，现在 6 人），没有发送。" in message.text
    assert await look(rows) == []
    assert "已开始发送：6 人" in (await say(SUN, "6")).text


async def test_words_changed_in_another_chat_are_shown_before_they_are_sent(say, look, previewed):
    letter = await the_letter(look)
    await look(lambda s: setattr(s.get(Letter, letter.id), "body", "别的话"))
    message = await say(SUN, "7")
    assert "内容或人数有变化，没有发送" in message.text
    assert "别的话" in message.text


@pytest.mark.parametrize("count", [1, 2, 8, 9, 10])
async def test_the_number_of_people_is_never_the_number_of_another_step(say, look, count):
    def resize(session):
        for number in range(count):
            session.add(Member(id=900 + number, code=f"X{number}", name=f"群{number}", mobile=True))
        session.flush()
        for number in range(count):
            session.add(Membership(member_id=900 + number, organization_id=SHAZHOU, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"x{number}", member_id=900 + number, choices={}))

    await look(resize)
    preview = await say.all(QIAN, "发红信", "2", "1", BODY)
    steps = dict(preview.numbered())
    assert count not in steps or ":confirm:" in steps[count].action
    assert f"请回复人数 {count} 确认发送" in preview.text
    edit = next(number for number, step in steps.items() if ":edit:" in step.action)
    assert f"或 {edit} 修改" in preview.text
    assert "已开始发送" in (await say(QIAN, str(count))).text
    assert len(await look(rows)) == count


async def test_an_audience_of_nobody_cannot_be_sent_to(say, look):
    preview = await say.all(QIAN, "发红信", "2", "1", BODY)
    assert "这个范围里现在没有人" in preview.text
    assert (await say(QIAN, "0")).text == "已放弃，没有发给任何人。"
    assert (await the_letter(look)).state == "dropped"


async def test_the_preview_counts_each_way_and_who_has_none(say, look):
    def chats(session):
        bind(session, ALICE, "wechat")
        bind(session, BOB, "telegram")
        bind(session, MO, "telegram", disabled="blocked")
        session.exec(select(Chat).where(Chat.address == f"member:{MO}")).one().disabled = "left"
        session.delete(session.exec(select(Chat).where(Chat.address == f"member:{RUI}")).one())

    await look(chats)
    preview = await say.all(SUN, "发红信", "1", "1", BODY)
    assert "将发给 7 人（微信 1、Telegram 1、网页 3、1 人暂时联系不上、另有 1 人未绑定）。" in preview.text
    assert (await say(SUN, "7")).text == "已开始发送：6 人，未绑定 1 人。"


async def test_the_preference_of_a_member_comes_before_the_usual_order(say, look):
    def chats(session):
        bind(session, ALICE, "wechat")
        session.get(Member, ALICE).preferred_channel = "web"

    await look(chats)
    assert "将发给 7 人（网页 7）" in (await say.all(SUN, "发红信", "1", "1", BODY)).text


async def test_those_who_have_paid_this_month_are_not_asked(say, look):
    def pay(session, member_id, day, cause):
        ledger.book(session, member_id=member_id, rule_id="PB2", cause=cause, points=1, day=day, booked_at=NOON)

    await look(lambda s: pay(s, ALICE, date(2026, 6, 1), "dues:2026-06"))
    await look(lambda s: pay(s, BOB, date(2026, 5, 31), "dues:2026-05"))
    await look(lambda s: pay(s, MO, date(2026, 6, 30), "dues:2026-06"))
    await look(lambda s: ledger.reverse(s, ledger.line(s, MO, "dues:2026-06"), booked_at=NOON, reason="x"))
    assert (await say(SUN, "发红信")).labels()[2] == "3 本月还没交党费的（6 人）"


async def test_those_who_left_the_topic_are_told_of_in_the_preview(say, look):
    await look(lambda s: letters.choose(s, ALICE, "superior_spirit", wanted=False, at=NOON))
    assert "其中 1 人退订了这个主题" in (await say.all(SUN, "发红信", "1", "1", BODY)).text


@pytest.mark.parametrize(("length", "taken"), [(1, True), (5000, True), (5001, False), (60_000, False)])
async def test_the_limit_of_a_letter_is_told_with_its_length(say, look, length, taken):
    message = await say.all(SUN, "发红信", "1", "1", "字" * length)
    if taken:
        assert "将发给 7 人" in message.text
    else:
        assert f"这段文字有 {length} 字，最多 5000 字，请删去 {length - 5000} 字" in message.text
        assert "将发给 7 人" in (await say(SUN, "短一点")).text
    assert await look(rows) == []


async def test_a_letter_of_one_line_has_no_title(say, look):
    await say.all(SUN, "发红信", "1", "1", "今晚有大雨。")
    letter = await the_letter(look)
    assert (letter.title, letter.body) == ("", "今晚有大雨。")


async def test_invisible_characters_do_not_reach_the_letter(say, look):
    await say.all(SUN, "发红信", "1", "1", "今\u200b晚\ufeff有雨")
    assert (await the_letter(look)).body == "今晚有雨"


async def test_a_time_for_answers_is_set_and_shown(say, look, previewed):
    asked = await say(SUN, "2")
    assert "18:00，或 6-16 12:00" in asked.text
    assert "没看明白" in (await say(SUN, "晚上")).text
    assert "请在 6 月 15 日 18:00 前回复。" in (await say(SUN, "18:00")).text
    assert (await the_letter(look)).answer_until == datetime(2026, 6, 15, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "means"),
    [
        ("18:00", "2026-06-15T18:00"),
        ("11:00", "2026-06-16T11:00"),
        ("12:00", "2026-06-16T12:00"),
        ("12:01", "2026-06-15T12:01"),
        ("6-16 12:00", "2026-06-16T12:00"),
        ("6月16日 9点", "2026-06-16T09:00"),
        ("1-2 08:00", "2027-01-02T08:00"),
        ("今天 18:00", "2026-06-15T18:00"),
        ("明天 18:00", "2026-06-16T18:00"),
        ("2026-06-16 18:00", "2026-06-16T18:00"),
        ("周五下午3点", "2026-06-19T15:00"),
        ("今天 11:00", None),
        ("25:00", None),
        ("2-30 12:00", None),
        ("明天", None),
    ],
)
async def test_times_are_read_as_people_write_them(say, look, previewed, typed, means):
    shown = await say.all(SUN, "2", typed)
    found = (await the_letter(look)).answer_until
    assert (found.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M") if found else None) == means
    assert ("没看明白" in shown.text) == (means is None)


async def test_a_rehearsal_looks_different_and_reaches_its_author_alone(say, look, previewed, writer, clock):
    message = await say(SUN, "1")
    assert message.text.startswith("试发的一封马上到，只有您能看到。")
    assert "试发过" in (await say(SUN, "1")).text
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert [address for address, _ in web.sent] == [f"member:{SUN}"]
    assert web.texts[0].startswith("〓〓 蓝色试发，不是红信 〓〓\n【试发·上级精神】")
    assert web.texts[0].endswith("〓〓 这是试发：只有您能看到，没有发给任何人，也没有按钮。〓〓")
    assert web.sent[0][1].buttons == ()
    assert "已开始发送" in (await say(SUN, "7")).text


async def test_dropping_and_editing(say, look, previewed):
    assert "改哪里？" in (await say(SUN, "9")).text
    await say(SUN, "1")
    changed = await say(SUN, "换成这一句。")
    assert "换成这一句。" in changed.text
    assert (await say(SUN, "0")).text == "已放弃，没有发给任何人。"
    assert (await the_letter(look)).state == "dropped"


async def test_without_the_ack_button_there_is_one_to_say_that_it_was_read(say, look, previewed, writer, clock):
    letter = await the_letter(look)
    await say(SUN, f"broadcast:ask:{letter.id}")
    await say(SUN, "7")
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert web.sent[0][1].labels() == ["1 已阅", "2 退订这个主题"]


@pytest.mark.parametrize(
    "action",
    [
        "broadcast:whom:20",
        "broadcast:whom:1",
        "broadcast:whom:999",
        "broadcast:whom:x",
        "broadcast:topic:20:all",
        "broadcast:topic:1:all:superior_spirit",
        "broadcast:topic:10:nobody:superior_spirit",
        "broadcast:under:2",
    ],
)
async def test_nobody_writes_beyond_the_own_subtree(say, look, action):
    message = await say(SUN, action)
    assert message.text == "没有这个发送范围。只能发给您任职的组织和它的下级。"
    assert await look(lambda s: s.exec(select(Letter)).all()) == []


async def test_a_draft_of_somebody_else_is_not_there(say, look, previewed):
    letter = await the_letter(look)
    for step in ("text", "show", "edit", "until", "urgent", "ask", "rehearse", "drop"):
        assert (
            await say(QIAN, f"broadcast:{step}:{letter.id}")
        ).text == "这封草稿已经放弃，或不在了。要发就写一封新的。"
    confirm = f"broadcast:confirm:{letter.id}:7:{letters.fingerprint(letter)[:12]}:7"
    await say(QIAN, confirm)
    assert await look(rows) == []


async def test_members_cannot_write_letters(say):
    assert "需要相应的职责" in (await say(ALICE, "发红信")).text


async def test_a_role_that_ended_yesterday_sends_nothing_today(say, look, previewed):
    def replace_secretary(session):
        role = session.exec(select(Role).where(Role.member_id == SUN)).one()
        role.to_day = date(2026, 6, 15)

    await look(replace_secretary)
    assert "已开始发送" not in (await say(SUN, "7")).text
    assert await look(rows) == []


async def test_what_an_ended_role_has_queued_is_taken_back_and_told(say, look, previewed, writer, clock):
    await say(SUN, "7")

    def replace_secretary(session):
        session.exec(select(Role).where(Role.member_id == SUN)).one().to_day = date(2026, 6, 15)
        session.add(Role(member_id=BOB, organization_id=LIANGFENG, role="secretary", from_day=date(2026, 6, 15)))

    await look(replace_secretary)
    web = FakeChannel()
    sender = engine(writer, clock, web)
    while await sender.drain_once():
        pass
    assert {address for address, _ in web.sent} == {f"member:{SUN}", f"member:{BOB}"}
    assert all("已停止发送" in text for text in web.texts)
    assert {row.state for row in await look(rows) if row.letter_id} == {"cancelled"}
    assert (await the_letter(look)).stop_reason == "role_ended"
