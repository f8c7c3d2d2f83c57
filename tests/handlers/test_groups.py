"""A branch's group: connected by its own secretary, called, counted, and nothing personal in it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from bot.dispatch import Dispatcher
from db import group_calls, groups
from db.accounts import BindCode, Chat
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.group_calls import GroupAnswer, GroupCall
from db.groups import GroupChat, GroupDay
from db.inbound import Inbound
from handlers.binding import invite
from handlers.group_talk import CALLS_A_DAY, group_hash
from handlers.groups import CODE_LASTS
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, DAY, LIANGFENG, MO, NAMES, OLGA, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE, Voice
from tests.notices.sending import FakeChannel, engine

HERE, THERE = "-100500", "-100700"


@pytest.fixture
def there(say):
    """Says something in a group: `await there(ALICE, "一呼 …")` gives the whole answer."""

    async def speak(person, text, group=HERE, **more):
        return await say.answer(person, text, group=group, **more)

    return speak


@pytest.fixture
def press(there, look):
    """Presses the button of the last call."""

    async def pressed(person, group=HERE, **more):
        call = await look(lambda session: max(one.id for one in session.exec(select(GroupCall))))
        return (await there(person, f"group_call:{call}", group, kind="button", on="77", **more)).toast

    return pressed


async def code_of(say, person):
    """A fresh code of this secretary, as it is shown."""
    text = (await say(person, "group:code", kind="button")).text
    return next(word for word in text.replace("\n", "：").split("：") if word[:4].isdigit() and "-" in word)


async def connect(say, there, person=SUN, group=HERE):
    return (await there(person, await code_of(say, person), group)).message.text


def told(session, member_id):
    """What the service has to say to a member in private."""
    rows = session.exec(select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id))
    return [row.content["text"] for row in rows if "group" not in row.content]


def live(session):
    found = session.exec(select(GroupChat).where(GroupChat.ended_at == None))  # noqa: E711
    return [(one.address, one.organization_id) for one in found]


async def test_only_the_branchs_own_secretary_connects_a_group_with_a_code_that_everybody_may_see(
    say, there, look, clock
):
    assert "群" not in (await say(ALICE, "微社群")).text.replace("微社群", "")  # for secretaries only
    assert "还没有微社群" in (await say(SUN, "微社群")).text
    for thief in (ALICE, QIAN, "stranger"):  # seen by others: void, and its owner hears of it
        code = await code_of(say, SUN)
        assert "作废" in (await there(thief, f"/bind {code}")).message.text
        assert "作废" in (await there(SUN, code)).message.text
    assert sum("被别人" in text for text in await look(lambda s: told(s, SUN))) == 3
    late, replaced = await code_of(say, SUN), await code_of(say, SUN)
    assert "作废" in (await there(SUN, late)).message.text, "a new code ends the one before"
    clock.now += CODE_LASTS
    assert "作废" in (await there(SUN, replaced)).message.text
    assert await look(live) == []
    said = await connect(say, there)
    assert said.startswith("已连接：梁丰社区党支部")
    assert "孙" not in said
    assert await look(live) == [(HERE, LIANGFENG)]
    assert any(text.startswith("微社群已连接") for text in await look(lambda s: told(s, SUN)))
    assert "另一个支部" in await connect(say, there, QIAN, HERE)
    assert "已连接" in await connect(say, there, QIAN, THERE)
    assert "微社群：梁丰" in (await say(SUN, "group:code", kind="button")).text, (
        "one group to a branch: no second code"
    )
    await say.all(SUN, "微社群", "断开这个群")
    assert "已断开" in (await say(SUN, "断开")).text
    assert await look(live) == [(THERE, SHAZHOU)]
    assert "已连接" in await connect(say, there)
    events = await look(lambda s: [one.action for one in s.exec(select(AuditEvent)) if "group" in one.action])
    assert events == ["group.code_burned"] * 3 + ["group.bound"] * 2 + ["group.ended", "group.bound"]


async def test_a_bind_code_that_a_group_has_seen_is_void_and_personal_things_are_referred(say, there, look, clock):
    code = await look(lambda s: invite(s, BOB, clock.now))
    heard = await there("newcomer", f"/start {code}")
    assert "作废" in heard.message.text
    assert NAMES[BOB] not in heard.message.text
    await say("newcomer", f"绑定 {code}")
    assert await look(lambda s: s.exec(select(Chat).where(Chat.address == "newcomer")).one().member_id) is None
    assert any("绑定码" in text for text in await look(lambda s: told(s, SUN)))
    assert await look(lambda s: s.exec(select(BindCode)).one().used_by_chat_id) is None
    await connect(say, there)
    for words in ("积分", "/points", "签到 8841", "指数"):
        answer = await there(ALICE, words)
        assert (answer.message, answer.refers) == (None, True), words
    foreign = await there(ALICE, "/weather")
    assert (foreign.message, foreign.refers, foreign.inbound_id) == (None, False, None)
    topic = await there("passer_by", "我家也有老照片", on="12")  # a reply to what the service said
    assert (topic.message, topic.refers) == (None, False)
    phone = await there(BOB, "居委会电话 88886666", on="12")
    assert (phone.message, phone.refers) == (None, False), "not every eight digits are a code"
    rows = await look(
        lambda s: [row.model_dump() for row in s.exec(select(Inbound).where(Inbound.address == HERE))]
    )
    assert all(word not in str(rows) for word in ("指数", "老照片", "8841", "passer_by", str(ALICE)))
    assert await look(lambda s: s.exec(select(Chat).where(Chat.address == "passer_by")).first()) is None
    day = await look(lambda s: s.exec(select(GroupDay)).one())
    assert (day.heard, day.answers, day.day) == (6, 0, DAY)


async def test_a_call_is_confirmed_counted_once_for_each_member_and_named_to_the_secretary_alone(
    say, there, press, look, writer, clock, dispatcher
):
    await connect(say, there)
    assert "手机号" in (await say.all(SUN, "微社群", "一呼", "请打 138 1234 5678 报名")).text
    preview = await say(SUN, "明早八点清理河道，请带手套")
    assert preview.labels()[:2] == ["1 发出", "2 重写"]
    assert await look(lambda s: [row.key for row in s.exec(select(Delivery)) if "group" in row.content]) == []
    assert "已发出" in (await say(SUN, "1")).text
    again = await say(SUN, preview.buttons[0].action, kind="button")
    assert "已经发出" in again.text
    channel = FakeChannel()
    await engine(writer, clock, channel).drain_once()
    ((_, message),) = [one for one in channel.sent if one[0] == HERE]
    assert message.text.startswith("【一呼】明早八点")
    assert message.labels() == ["1 我来"]
    assert "一呼" in message.text
    assert not any(name in message.text for name in NAMES.values())
    assert await press(ALICE) == "已记下您的应答，谢谢！"
    assert "已经应答过" in await press(ALICE)
    assert "绑定" in await press("stranger")
    assert "另一个支部" in await press(CHARLIE)
    assert "已经结束" in await press(BOB, group=THERE), "of this group alone"
    await there(BOB, "1", on="77")
    await there(BOB, " 我来。", on="77")
    (shown,) = await look(lambda s: group_calls.to_show(s, 10))
    posted = f"id{1 + channel.sent.index((HERE, message))}"
    assert (shown.address, shown.message_id, shown.answers, shown.is_open) == (HERE, posted, 2, True)
    await look(lambda s: groups.move(s, "web", HERE, THERE) and group_calls.forget_messages(s, 1))
    assert await press(BOB, group=THERE) == "您已经应答过了，谢谢！"
    there_now = await look(lambda s: s.exec(select(GroupCall)).one().message_id)
    assert there_now == "77", "in the new group nobody else knows it"
    await look(lambda s: groups.move(s, "web", THERE, HERE))
    await press(ALICE)
    call = shown.call_id
    listed = await say(SUN, "谁应答了")
    assert "艾丽丝、鲍勃" in listed.text
    assert "支部共" in listed.text
    for other in (QIAN, ALICE):
        assert "艾丽丝" not in (await say(other, f"group:who:{call}", kind="button")).text
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad={"web"}), clock)
    far = (await abroad(SUN, f"group:who:{call}", kind="button", key="far")).text
    assert "2 人应答" in far
    assert "艾丽丝" not in far
    await say(SUN, "微社群")
    assert "一呼已结束，共 2 人" in (await say(SUN, "结束一呼")).text
    assert "已经结束" in await press(MO)
    assert (await look(lambda s: group_calls.to_show(s, 10)))[0].is_open is False
    week = await look(lambda s: groups.week(s, 1, DAY))
    assert (week.calls, week.answers, week.heard) == (1, 2, 2)


async def test_a_secretary_calls_in_the_group_itself_but_not_all_day_long(say, there, press, look, clock):
    await connect(say, there)
    assert "由支部书记" in (await there(ALICE, "一呼 都来")).message.text
    assert "回复这条消息" in (await there(SUN, "/call")).message.text
    for words in ("一呼百应，我们支部真好", "一呼就来"):
        praise = await there(ALICE, words, on="12")
        assert (praise.message, praise.refers) == (None, False), words
    for number in range(CALLS_A_DAY):
        assert (await there(SUN, f"一呼：第{number}件事")).message is None
    assert f"{CALLS_A_DAY} 次" in (await there(SUN, "一呼 再来一次")).message.text
    assert f"{CALLS_A_DAY} 次" in (await say.all(SUN, "微社群", "一呼")).text
    clock.now += timedelta(hours=23, minutes=59)
    assert "已记下" in await press(BOB)
    assert f"{CALLS_A_DAY} 次" in (await there(SUN, "一呼 再来一次")).message.text
    clock.now += timedelta(minutes=1)
    assert "已经结束" in await press(ALICE), "its time is over, whether a job has closed it or not"
    assert (await there(SUN, "一呼 第二天")).message is None
    posts = await look(lambda s: [r for r in s.exec(select(Delivery)) if "group" in r.content])
    assert {(row.urgent, row.lane, row.member_id, row.content["group"]) for row in posts} == {(True, 0, SUN, 1)}
    assert len(posts) == CALLS_A_DAY + 1


async def test_what_becomes_of_the_service_in_a_group_is_told_to_its_secretary_in_private(say, there, look, clock):
    new = await there("", "new", kind="group_joined")
    assert "回复这条消息" in new.message.text
    assert (await there("", "", kind="group_joined")).message is None, "made an administrator: nothing new"
    await connect(say, there)
    assert (await there("", "new", kind="group_joined")).message is None
    await there("", "", kind="group_silent")
    await there("", "", kind="group_silent")
    assert sum("不能在您支部的群里发言" in text for text in await look(lambda s: told(s, SUN))) == 1
    assert "请群主允许" in (await say(SUN, "微社群")).text
    assert "请群主允许" not in (await say(SUN, "已经允许了")).text
    await there("", "", kind="group_silent")
    await there("", "", kind="group_joined")
    assert "请群主允许" not in (await say(SUN, "微社群")).text
    for _ in range(2):  # Telegram tells it in both groups
        await there("", THERE, kind="group_moved")
    assert await look(live) == [(THERE, LIANGFENG)]
    await there("", "", THERE, kind="group_left")
    assert await look(live) == []
    clock.now += timedelta(minutes=9)
    await there("", HERE, THERE, kind="group_moved")  # the news came in the other order: it was no farewell
    assert await look(live) == [(HERE, LIANGFENG)]
    await there("", "", kind="group_left")
    clock.now += timedelta(minutes=10)
    await there("", THERE, kind="group_moved")
    assert await look(live) == []
    assert any("已不在您支部的微社群" in text for text in await look(lambda s: told(s, SUN)))
    assert "还没有微社群" in (await say(SUN, "微社群")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_mistake_of_ours_is_a_toast_for_the_presser_and_no_dialogue(say, there, look, monkeypatch, clock):
    monkeypatch.setattr("handlers.group_talk.hear", lambda _ctx: 1 / 0)
    answer = await there("passer_by", "group_call:1", kind="button")
    assert (answer.message, answer.toast) == (None, "没有记上，请再按一次。")
    assert await look(lambda s: s.exec(select(Chat).where(Chat.address == "passer_by")).first()) is None
    monkeypatch.undo()
    await connect(say, there)
    clock.now += timedelta(hours=9, minutes=30)  # 21:30
    assert "休息时间" in (await say.all(SUN, "微社群", "一呼", "河水漫上来了")).text


async def test_topics_of_ones_own_are_checked_line_by_line(say, there, look):
    await connect(say, there)
    page = await say.all(SUN, "微社群", "每日话题")
    assert "没有开" in page.text
    assert "工作日 19:30" in (await say.all(SUN, "定时间", "19:30")).text
    assert "每天 19:30" in (await say(SUN, "周末节假日也发")).text
    asked = await say(SUN, "加支部话题")
    assert "一行一个" in asked.text
    assert "第 2 行" in (await say(SUN, f"1. 楼道里的灯\n2. {'长' * 121}")).text
    page = await say(SUN, "1. 楼道里的灯\n\n2、谁会修自行车")
    assert "下一个话题：楼道里的灯" in page.text
    assert "还有 2 条" in page.text
    assert "还有 0 条" in (await say(SUN, "清空支部话题")).text
    assert "没有开" in (await say(SUN, "不再发话题")).text


def test_one_code_in_two_groups_at_once_binds_one_and_every_answer_counts_once(engine, database_url, clock):
    with Session(engine) as session:
        lasts = {"organization_id": LIANGFENG, "member_id": SUN, "expires_at": clock.now + CODE_LASTS}
        groups.add_code(session, group_hash("48271935"), **lasts)
        session.commit()

    def race(session, address):
        if not groups.take_code(session, group_hash("48271935"), clock.now):
            return None
        values = {"organization_id": LIANGFENG, "member_id": SUN, "language": "zh"}
        return groups.bind(session, channel="web", address=address, now=clock.now, monday=DAY, **values)

    bound = at_once(database_url, *[lambda s, place=place: race(s, f"-10{place}") for place in range(4)])
    assert sorted(bound, key=str) == [None, None, None, True]
    with Session(engine) as session:
        call = group_calls.draft(session, 1, SUN, "来", clock.now)
        group_calls.send_out(session, call, now=clock.now, closes_at=clock.now + timedelta(days=1))
        session.commit()

    def answer(session, member_id):
        outcome = group_calls.answer(session, call, member_id, clock.now)
        groups.count(session, 1, DAY, answers=1)
        return outcome

    people = (ALICE, ALICE, BOB, MO)
    outcomes = at_once(database_url, *[lambda s, one=one: answer(s, one) for one in people])
    assert sorted(outcomes) == ["again", "new", "new", "new"]
    with Session(engine) as session:
        assert session.get(GroupCall, call).answers == len(session.exec(select(GroupAnswer)).all()) == 3
        assert session.exec(select(GroupDay)).one().answers == 4


async def test_people_above_see_the_numbers_of_last_week_branch_by_branch_and_no_names(
    say, there, press, look, clock
):
    assert "还没有支部连着微社群" in (await say(RUI, "微社群")).text
    await connect(say, there)
    await connect(say, there, QIAN, THERE)
    await there(SUN, "一呼 明早八点清理河道")
    for person in (ALICE, BOB, ALICE):
        await press(person)
    await there(ALICE, "今天的话题真好", on="5")
    assert "互动 0 次" in (await say(RUI, "微社群")).text, "this week is not over"
    clock.now += timedelta(days=7)
    for person in (RUI, OLGA):
        text = (await say(person, "微社群")).text
        assert "2 个连着微社群" in text
        assert "合计：互动 2 次，一呼 1 次、2 人次应答" in text
        assert "梁丰社区党支部：互动 2，一呼 1，应答 2" in text
        assert not any(name in text for name in NAMES.values())
    for person in (ALICE, SUN):
        assert "互动" not in (await say(person, "group:above", kind="button")).text
