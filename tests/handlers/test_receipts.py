"""What a secretary sees of a letter that was sent, and what can be done about the rest."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlmodel import select, update

from bot.dispatch import Dispatcher
from db.accounts import Chat
from db.audit import AuditEvent
from db.letters import Letter
from db.members import Member, Membership
from notices.channel import SendError
from tests.cast import ALICE, BOB, LIANGFENG, MO, OLGA, QIAN, RUI, SUN
from tests.conftest import ZONE, Voice
from tests.notices.sending import FakeChannel, bind, engine, queued


@pytest.fixture
def deliver(look, writer, clock):
    """Queue a letter (unless told otherwise) and send what is due; its id."""

    async def deliver(*channels, queue=True, **more):
        letter_id, now = (await look(lambda s: queued(s, **more))) if queue else None, clock.now
        sender = engine(writer, clock, *(channels or [FakeChannel()]))
        while await sender.drain_once():
            pass
        clock.now = now
        return letter_id

    return deliver


async def test_the_figures_of_a_letter(say, look, deliver):
    def chats(session):
        session.exec(select(Chat).where(Chat.address == f"member:{MO}")).one().disabled = "left"
        session.delete(session.exec(select(Chat).where(Chat.address == f"member:{RUI}")).one())
        session.get(Member, OLGA).letters_paused_until = date(2026, 7, 1)

    await look(chats)
    letter_id = await deliver(FakeChannel())
    await say(ALICE, f"letters:ack:{letter_id}")
    await say(BOB, f"letters:open:{letter_id}")
    message = await say(SUN, "回执")
    assert message.text.split("\n") == [
        "回执：关于做好防汛值守的通知",
        "送达 4，已读 2，收到 1，有困难 0。",
        "未送达 2（1 位已取消关注，1 位暂停了接收）。",
        "未绑定 1。",
        "（打开、回复，或在网页上看到，算已读）",
    ]
    assert message.labels() == ["1 提醒未读的 2 位", "2 名单", "3 导出", "4 发送报告", "0 菜单"]


async def test_a_doubt_is_shown_and_not_counted_as_delivered(say, deliver):
    await deliver(FakeChannel("web", SendError("ambiguous", "read_timeout")))
    text = (await say(SUN, "回执")).text
    assert "送达 6" in text
    assert "未送达 1（1 位不确定是否送到）" in text


async def test_the_list_of_those_who_have_not_read_comes_in_pages_of_ten(say, look, deliver):
    def more(session):
        for number in range(12):
            session.add(Member(id=900 + number, code=f"X{number}", name=f"群众{number:02d}"))
        session.flush()
        for number in range(12):
            session.add(Membership(member_id=900 + number, organization_id=LIANGFENG, from_day=date(2020, 1, 1)))
            session.add(Chat(channel="web", address=f"x{number}", member_id=900 + number, choices={}))

    await look(more)
    letter_id = await deliver()
    await say(ALICE, f"letters:open:{letter_id}")
    await say(SUN, "回执")
    first = await say(SUN, "2")
    lines = first.text.split("\n")
    assert lines[:2] == ["“关于做好防汛值守的通知”未读名单：", "1. 鲍勃"]
    assert len(lines) == 11
    assert "艾丽丝" not in first.text
    second = await say(SUN, "1")
    assert second.text.split("\n")[1].startswith("11. ")
    assert len(second.text.split("\n")) == 9
    assert "1 下一页" not in second.labels()


async def test_everybody_with_what_they_did_is_the_export(say, deliver):
    letter_id = await deliver()
    await say(ALICE, f"letters:ack:{letter_id}")
    await say(BOB, f"letters:help:{letter_id}")
    await say(MO, f"letters:open:{letter_id}")
    text = (await say(SUN, f"receipts:all:{letter_id}")).text
    for line in ("艾丽丝，收到", "鲍勃，有困难", "莫流动，已读", "孙书记，送达，未读"):
        assert line in text
    assert (await say(SUN, f"receipts:help:{letter_id}")).text.endswith("1. 鲍勃")


async def test_names_are_not_shown_on_a_channel_abroad(look, deliver, writer, clock):
    letter_id = await deliver()
    await look(lambda s: bind(s, SUN, "telegram"))
    say = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad=frozenset({"telegram"})), clock)
    answer = await say.answer(SUN, f"receipts:names:{letter_id}", channel="telegram", address=f"telegram:{SUN}")
    assert "不在国内，不能显示" in answer.message.text
    for name in ("艾丽丝", "鲍勃"):
        assert name not in answer.message.text


async def test_names_are_shown_for_the_own_branch_only(say, deliver):
    letter_id = await deliver(author_id=OLGA, organization_id=1, audience={"node": 1, "who": "all"}, lane=2)
    assert "送达 9" in (await say(OLGA, "回执")).text
    for verb in ("names", "help", "all"):
        text = (await say(OLGA, f"receipts:{verb}:{letter_id}")).text
        assert text == "跨支部的红信只看数字；名单由各支部书记掌握。"


async def test_the_unread_are_reminded_once_a_day_and_nobody_else(say, look, deliver, clock):
    letter_id = await deliver()
    await say(ALICE, f"letters:ack:{letter_id}")
    assert (await say(SUN, f"receipts:chase:{letter_id}")).text == "已再提醒 6 位，每天最多一次。"
    assert "今天已经提醒过一次" in (await say(SUN, f"receipts:chase:{letter_id}")).text
    web = FakeChannel()
    await deliver(web, queue=False)
    assert len(web.sent) == 6
    assert f"member:{ALICE}" not in {address for address, _ in web.sent}
    assert web.texts[0].startswith("【提醒】红信“关于做好防汛值守的通知”（上级精神）")
    assert web.sent[0][1].labels() == ["1 看全文", "2 收到", "3 有困难，请联系我"]
    await say(BOB, "2")
    clock.now += timedelta(days=1)
    assert (await say(SUN, f"receipts:chase:{letter_id}")).text == "已再提醒 5 位，每天最多一次。"
    assert "送达 7，已读 2" in (await say(SUN, "回执")).text  # a reminder is no second letter
    actions = await look(lambda s: s.exec(select(AuditEvent.action)).all())
    assert actions == ["letter.chased", "letter.chased"]


async def test_a_letter_is_stopped_before_it_has_gone_out(say, look, deliver):
    await say.all(SUN, "发红信", "1", "1", "今晚有大雨。")
    await say(SUN, "7")
    stopped = await say(SUN, "2")
    assert stopped.text.startswith("已停止，7 位不会再收到。")
    web = FakeChannel()
    await deliver(web, queue=False)
    assert web.sent == []
    assert (await look(lambda s: s.exec(select(Letter)).one())).state == "stopped"
    assert "7 位停止后没有送" in (await say(SUN, "回执")).text
    assert "没有正在发送的内容可停" in (await say(SUN, "receipts:stop:1")).text


async def test_a_letter_that_has_gone_out_whole_is_done_and_not_stopped(say, look, deliver):
    letter_id = await deliver()
    await look(lambda s: s.execute(update(Letter).values(state="sending")))  # the end is noted a little later
    assert "没有正在发送的内容可停" in (await say(SUN, f"receipts:stop:{letter_id}")).text
    assert (await look(lambda s: s.exec(select(Letter)).one())).state == "done"


async def test_the_word_stops_the_last_letter(say, look):
    await look(queued)
    assert (await say(SUN, "停止")).text.startswith("已停止，7 位不会再收到。")
    assert (await say(SUN, "停止")).text == "现在没有正在发送的红信。"


async def test_stopping_in_the_middle_keeps_what_was_sent(say, look, writer, clock):
    web = FakeChannel()
    letter_id = await look(queued)
    await engine(writer, clock, web, hand_max=3).drain_once()
    progress = await say(SUN, f"receipts:show:{letter_id}")
    assert "正在发送：3/7。" in progress.text
    assert progress.labels()[0] == "1 停止"
    assert (await say(SUN, "1")).text.startswith("已停止，4 位不会再收到。已经送出的收不回来。")
    assert "提醒未读" not in " ".join((await say(SUN, "回执")).labels())
    await engine(writer, clock, web).drain_once()
    assert len(web.sent) == 3


async def test_what_waits_in_a_mailbox_is_taken_back_too(say, look, writer, clock):
    await look(queued)
    await engine(writer, clock).drain_once()
    assert "7 位待下次来信时转交" in (await say(SUN, "回执")).text
    await say(SUN, "停止")
    assert "【红信" not in (await say(ALICE, "菜单")).text


async def test_receipts_of_others_are_as_unknown_as_those_that_never_were(say, deliver):
    letter_id = await deliver()
    for verb in ("show", "names", "help", "all", "chase", "stop"):
        for bad in (letter_id, 999, "x"):
            assert (await say(QIAN, f"receipts:{verb}:{bad}")).text == "没有找到这封红信。"


async def test_several_letters_are_listed_with_their_figures(say, deliver):
    for number in range(6):
        await deliver(title=f"第{number}封")
    listed = await say(SUN, "回执")
    assert listed.labels()[0] == "1 第5封（6-15，已读 0/7）"
    assert listed.labels()[5] == "6 更早的"
    assert (await say(SUN, "6")).labels()[0] == "1 第0封（6-15，已读 0/7）"


async def test_a_member_has_no_receipts(say):
    assert "需要相应的职责" in (await say(ALICE, "回执")).text
