"""Red Letters as their readers meet them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from db import receipts
from db.deliveries import Delivery
from db.letters import Letter, Receipt, Topic
from db.members import Member
from notices.letters import shown
from tests.cast import ALICE, BOB, CHARLIE, NOON, SUN
from tests.notices.sending import FakeChannel, engine, queued, rows


@pytest.fixture
async def sent(writer, clock, look):
    """The id of a letter that has reached the branch."""

    async def send(**more):
        letter_id, now = await look(lambda s: queued(s, **more)), clock.now
        await engine(writer, clock, FakeChannel()).drain_once()
        clock.now = now  # the pace took some milliseconds
        return letter_id

    return send


async def receipt(look, letter_id, member_id):
    return await look(lambda s: receipts.of(s, letter_id, member_id))


async def test_one_acks_a_letter_and_the_second_time_says_when(say, look, sent, clock):
    letter_id = await sent()
    assert (await say(ALICE, "1")).text == "已记下：您收到了“关于做好防汛值守的通知”。"
    got = await receipt(look, letter_id, ALICE)
    assert (got.read_at, got.acked_at, got.help_at) == (NOON, NOON, None)
    clock.now += timedelta(hours=1)
    again = await say(ALICE, f"letters:ack:{letter_id}")
    assert again.text == "“关于做好防汛值守的通知”您在今天 12:00 已经回复过收到。"
    assert (await receipt(look, letter_id, ALICE)).acked_at == NOON


async def test_the_word_itself_answers_the_last_letter(say, look, sent):
    letter_id = await sent()
    await say(BOB, "菜单")
    assert "已记下" in (await say(BOB, "收到")).text
    assert (await receipt(look, letter_id, BOB)).acked_at == NOON
    assert (await say(BOB, "收到")).text == "现在没有等您回复“收到”的红信。"


async def test_the_word_answers_the_last_letter_that_asks_and_still_stands(say, look, sent, clock):
    first = await sent()
    others = [await sent(title="只告知", ask="none"), await sent(title="撤回的"), await sent(title="停下的")]
    await sent(title="更正", ask="none", corrects=others[1], urgent=True)
    await look(lambda s: setattr(s.get(Letter, others[2]), "state", "stopped"))
    assert (await say(BOB, "好的，收到")).text == "已记下：您收到了“关于做好防汛值守的通知”。"
    assert (await receipt(look, first, BOB)).acked_at == NOON
    assert [await receipt(look, one, BOB) for one in others] == [None] * 3


async def test_the_word_is_known_among_courtesies_and_not_where_it_is_denied_or_asked(say):
    for words in (
        "收到了",
        "谢谢书记，收到！",
        "我已收到，辛苦了",
        "收到收到",
        "Received, thank you",
        "谢" * 37 + "收到",
    ):
        assert (await say(BOB, words)).text.startswith("现在没有等您回复"), words
    for words in ("没收到", "还没有收到", "收到了吗", "谁收到了", "谢谢书记", "谢" * 40):
        assert "等您回复" not in (await say(BOB, words)).text, words


async def test_trouble_is_told_to_the_author_without_a_name(say, look, sent):
    letter_id = await sent()
    assert "已告诉发信人" in (await say(ALICE, "2")).text
    await say(ALICE, f"letters:help:{letter_id}")  # a second time tells nobody again
    told = [row for row in await look(rows) if row.letter_id is None]
    assert [row.member_id for row in told] == [SUN]
    assert "艾丽丝" not in told[0].content["text"]
    assert told[0].content["buttons"][0][1] == f"receipts:help:{letter_id}"


async def test_leaving_a_topic_holds_at_once_and_for_letters_already_queued(say, look, sent, writer, clock):
    await sent()
    assert (await say(ALICE, "3")).text.startswith("已退订“上级精神”")
    await look(lambda s: queued(s, title="第二封"))
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert f"member:{ALICE}" not in {address for address, _ in web.sent}
    mine = [row for row in await look(rows) if row.member_id == ALICE][-1]
    assert (mine.state, mine.reason) == ("suppressed", "unsubscribed")
    assert (await say(ALICE, "1")).text == "已订“上级精神”。"


async def test_a_mandatory_topic_cannot_be_left_and_says_so_in_the_letter(say, look, sent):
    await look(lambda s: setattr(s.get(Topic, "superior_spirit"), "mandatory", True))
    letter_id = await sent()
    opened = await say(ALICE, f"letters:open:{letter_id}")
    assert "必读主题，不能退订" in opened.text
    assert "退订" not in " ".join(opened.labels())
    assert (await say(ALICE, "letters:off:superior_spirit")).text == "“上级精神”是必读主题，不能退订。"


async def test_topics_are_taken_and_left_by_number(say):
    assert (await say(ALICE, "红信")).text.startswith("红信共 2 个主题，您订了 2 个。勿扰时间 21:30–07:30")
    listed = await say(ALICE, "2")
    assert listed.labels() == ["1 上级精神：已订", "2 法律小常识：已订", "3 全部退订", "9 返回", "0 菜单"]
    assert (await say(ALICE, "2")).text.startswith("已退订“法律小常识”")
    assert (await say(ALICE, "红信")).text.startswith("红信共 2 个主题，您订了 1 个")


async def test_a_pause_ends_by_itself(say, look, clock, writer):
    await say(ALICE, "红信")
    await say(ALICE, "3")
    assert (await say(ALICE, "1")).text.startswith("已暂停，6 月 22 日恢复。")
    await look(queued)
    web = FakeChannel()
    await engine(writer, clock, web).drain_once()
    assert len(web.sent) == 6
    assert "恢复接收" in " ".join((await say(ALICE, "红信")).labels())
    clock.now = NOON + timedelta(days=7)
    await look(lambda s: queued(s, title="第二封"))
    await engine(writer, clock, web).drain_once()
    assert f"member:{ALICE}" in {address for address, _ in web.sent}
    assert "暂停接收" in " ".join((await say(ALICE, "红信")).labels())


async def test_a_pause_is_ended_by_hand(say, look):
    await say(ALICE, "letters:pause:month")
    assert await look(lambda s: s.get(Member, ALICE).letters_paused_until) == date(2026, 7, 15)
    await say(ALICE, "letters:resume")
    assert await look(lambda s: s.get(Member, ALICE).letters_paused_until) is None


@pytest.mark.parametrize(
    ("typed", "hours"),
    [
        ("22:00-06:30", (1320, 390)),
        ("２２：００ 到 ６：３０", (1320, 390)),
        ("9:00~10:00", (540, 600)),
        ("晚上十点到早上六点半", (1320, 390)),
    ],
)
async def test_own_quiet_hours_are_written_as_people_write_them(say, look, typed, hours):
    await say(ALICE, "letters:quiet")
    await say(ALICE, typed)
    member = await look(lambda s: s.get(Member, ALICE))
    assert (member.quiet_from_minute, member.quiet_to_minute) == hours


@pytest.mark.parametrize("typed", ["24:00-06:00", "22:60-06:00", "晚上", "22-6"])
async def test_hours_that_no_clock_shows_are_asked_again(say, look, typed):
    await say(ALICE, "letters:quiet")
    assert (await say(ALICE, typed)).text == "没看明白这个时间。请这样写：22:00-06:30"
    assert await look(lambda s: s.get(Member, ALICE).quiet_from_minute) is None
    assert (await say(ALICE, typed)).labels()[1] == "2 20:00–08:00"
    assert (await say(ALICE, "22:00-06:30")).text == "已设勿扰时间：22:00–06:30。"


async def test_quiet_hours_can_be_none_and_go_back_to_those_of_the_city(say, look):
    assert (await say(ALICE, "letters:quiet:0:0")).text == "已设勿扰时间：不设。"
    assert "没有设勿扰时间" in (await say(ALICE, "红信")).text
    await say(ALICE, "letters:quiet:city")
    assert await look(lambda s: s.get(Member, ALICE).quiet_to_minute) is None


async def test_last_letters_are_read_again_page_by_page(say, sent, look):
    for number in range(7):
        await sent(title=f"第{number}封")
    first = await say(ALICE, "letters:last")
    assert [label.split("（")[0] for label in first.labels()] == [
        "1 第6封",
        "2 第5封",
        "3 第4封",
        "4 第3封",
        "5 第2封",
        "6 再往前",
        "9 返回",
        "0 菜单",
    ]
    assert (await say(ALICE, "6")).labels()[0].startswith("1 第1封")
    opened = await say(ALICE, "1")
    assert opened.text.startswith("【红信·上级精神】第1封")
    assert len(await look(lambda s: s.exec(select(Receipt)).all())) == 1


async def test_opening_counts_as_read_and_getting_does_not(say, look, sent):
    letter_id = await sent()
    assert await receipt(look, letter_id, ALICE) is None
    await say(ALICE, f"letters:open:{letter_id}")
    got = await receipt(look, letter_id, ALICE)
    assert (got.read_at, got.acked_at) == (NOON, None)


async def test_a_page_that_shows_a_letter_counts_as_read(look, sent):
    letter_id = await sent()
    assert await look(lambda s: shown(s, ALICE, f"letter:{letter_id}:{ALICE}:1", NOON))
    assert (await receipt(look, letter_id, ALICE)).read_at == NOON
    for key in ("wish:3:claimed:101:1", "letter:x:1", "letter:99:101:1", ""):
        assert not await look(lambda s, k=key: shown(s, ALICE, k, NOON))


async def test_a_letter_of_another_branch_is_as_unknown_as_one_that_never_was(say, look, sent):
    letter_id = await sent()
    words = {
        (await say(CHARLIE, f"letters:{act}:{letter_id}")).text for act in ("ack", "help", "open", "read", "leave")
    }
    words |= {(await say(CHARLIE, f"letters:ack:{bad}")).text for bad in ("999", "x", "")}
    assert words == {"没有找到这封红信。"}
    assert await look(lambda s: s.exec(select(Receipt)).all()) == []


async def test_an_answer_after_the_time_is_taken_and_told(say, sent, clock):
    letter_id = await sent(answer_until=NOON + timedelta(hours=1))
    clock.now = NOON + timedelta(hours=1)
    assert "已过回复时限" not in (await say(ALICE, f"letters:ack:{letter_id}")).text
    clock.now += timedelta(seconds=1)
    assert "已过回复时限" in (await say(BOB, f"letters:ack:{letter_id}")).text


async def test_what_waits_in_the_mailbox_comes_with_the_next_reply_one_at_a_time(say, look, writer, clock):
    first = await look(lambda s: queued(s, title="第一封"))
    await look(lambda s: queued(s, title="第二封"))
    await engine(writer, clock).drain_once()  # no channel is switched on
    message = await say(ALICE, "找书记")
    assert "【红信·上级精神】第一封" in message.text
    assert "第二封" not in message.text
    assert message.labels()[:4] == ["0 菜单", "1 收到", "2 有困难，请联系我", "3 退订这个主题"]
    assert "已记下" in (await say(ALICE, "1")).text.split("——")[0]
    assert (await receipt(look, first, ALICE)).acked_at == NOON
    done = await look(
        lambda s: s.exec(select(Delivery.state, Delivery.channel).where(Delivery.member_id == ALICE)).all()
    )
    assert done == [("sent", "web"), ("sent", "web")]


async def test_a_letter_does_not_come_in_the_middle_of_a_dialogue(say, look, writer, clock):
    await look(queued)
    await engine(writer, clock).drain_once()
    assert "【红信" not in (await say(ALICE, "letters:quiet")).text  # waits for hours to be typed
    assert "【红信" in (await say(ALICE, "22:00-06:30")).text


async def test_a_topic_that_was_left_meanwhile_is_not_handed_over(say, look, writer, clock):
    await look(queued)
    await engine(writer, clock).drain_once()
    await look(lambda s: setattr(s.get(Member, ALICE), "letters_paused_until", date(2026, 6, 16)))
    assert "【红信" not in (await say(ALICE, "菜单")).text
    row = next(row for row in await look(rows) if row.member_id == ALICE)
    assert (row.state, row.reason) == ("suppressed", "paused")


async def test_a_letter_that_waited_too_long_is_not_handed_over(say, look, writer, clock):
    await look(queued)
    await engine(writer, clock).drain_once()
    clock.now = datetime(2026, 7, 15, 4, 0, tzinfo=NOON.tzinfo)
    assert "【红信" not in (await say(ALICE, "菜单")).text
    clock.now -= timedelta(seconds=1)
    assert "【红信" in (await say(BOB, "菜单")).text
