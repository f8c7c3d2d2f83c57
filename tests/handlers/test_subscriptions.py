"""Subscription that obeys: what a member chose holds in every chat, after a new import, and to the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from bot.dispatch import Dispatcher
from bot.jobs import JOBS
from bot.roll import apply, plan, read
from bot.ticker import Jobs
from db import consents, gone
from db.accounts import bind, chat_at
from db.letters import Topic
from db.members import Member, members_of
from handlers.binding import invite
from handlers.subscriptions import until_day
from notices.mandatory import limit
from tests.cast import ALICE, BOB, CHARLIE, DAY, LIANGFENG, MO, NOON, SUN
from tests.conftest import ZONE, Voice
from tests.notices.sending import FakeChannel, engine, note, queued, rows
from tests.notices.sending import bind as bind_chat

NIGHT = datetime(2026, 6, 15, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai, 16:00 in Berlin
HALF = timedelta(seconds=30)


async def got(writer, clock, look, member_id, **more):
    """Whether a new letter to the branch reaches the member."""
    await look(lambda s: queued(s, **more))
    web, now = FakeChannel(), clock.now
    while await engine(writer, clock, web).drain_once():
        pass
    clock.now = now
    mine = (f"member:{member_id}", f"phone:{member_id}")
    return any(address in mine and "【红信" in message.text for address, message in web.sent)


async def test_an_opt_out_outlives_a_second_chat_a_new_binding_and_a_new_import(
    say, look, writer, clock, tmp_path, database_url
):
    assert (await say(ALICE, "退订 法律小常识")).text.startswith("已退订“法律小常识”")
    assert (await say(ALICE, "退订上级精神")).text.startswith("已退订“上级精神”")
    code = await look(lambda s: invite(s, ALICE, clock.now))
    assert "绑定成功" in (await say(f"phone:{ALICE}", f"绑定 {code}")).text
    assert not await got(writer, clock, look, ALICE, title="一")
    await say(ALICE, "解绑")
    await say(ALICE, "1")
    await look(lambda s: bind(s, chat_at(s, "web", f"member:{ALICE}").id, ALICE, clock.now))
    assert not await got(writer, clock, look, ALICE, title="二")
    roll = f"编号,姓名,支部编号,转入日期,流动党员\nM{ALICE},艾丽丝新,B10,2020-01-01,是\n"
    (tmp_path / "members.csv").write_text(roll, encoding="utf-8")
    apply(writer.engine, plan(writer.engine, read(tmp_path / "members.csv"), today=DAY), now=NOON)
    assert await look(lambda s: s.get(Member, ALICE).name) == "艾丽丝新"
    assert not await got(writer, clock, look, ALICE, title="三")
    assert (await say(f"phone:{ALICE}", "订阅 上级精神")).text == "已订“上级精神”。"
    assert await got(writer, clock, look, ALICE, title="四")


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("暂停到 3月1日", date(2027, 3, 1)),
        ("暂停到3月1日", date(2027, 3, 1)),
        ("暂停到明天", date(2026, 6, 16)),
        ("暂停接收到下周一", date(2026, 6, 22)),
        ("pause until July 1", date(2026, 7, 1)),
        ("暂停10天", date(2026, 6, 25)),
    ],
)
async def test_a_pause_until_a_day_is_said_in_one_sentence(say, look, typed, until):
    said = (await say(ALICE, typed)).text
    assert said.startswith("已暂停，2027 年 3 月 1 日恢复" if until.year == 2027 else f"已暂停，{until.month} 月")
    assert await look(lambda s: s.get(Member, ALICE).letters_paused_until) == until


def test_a_day_must_come_and_within_a_year():
    for text, day in {
        "10天": date(2026, 6, 25),
        "两周": date(2026, 6, 29),
        "2个月": date(2026, 8, 14),
        "3 weeks": date(2026, 7, 6),
        "2027-06-16": date(2027, 6, 16),
        "2027-06-17": None,  # a year and two days
        "今天": None,
        "昨天": None,
        "0天": None,
        "2月30日": None,
        "2027年2月29日": None,
        "随便": None,
        "": None,
    }.items():
        assert until_day(text, DAY) == day, text
    assert until_day("2月29日", date(2027, 12, 1)) == date(2028, 2, 29)


async def test_a_pause_is_asked_for_and_ends_to_the_day(say, look, clock, writer):
    await say(ALICE, "暂停接收")
    assert (await say(ALICE, "昨天")).text.startswith("没看明白哪天恢复")
    assert (await say(ALICE, "6月17日")).text.startswith("已暂停，6 月 17 日恢复。")
    clock.now = datetime(2026, 6, 16, 13, 29, tzinfo=UTC)
    assert not await got(writer, clock, look, ALICE, title="一")
    clock.now = datetime(2026, 6, 17, 0, 0, tzinfo=UTC)
    assert await got(writer, clock, look, ALICE, title="二")


async def test_the_words_in_which_people_ask_for_no_more_are_understood(say, look):
    await look(lambda s: setattr(s.get(Topic, "superior_spirit"), "mandatory", True))
    for words in ("TD", "停发", "不要给我发了", "停", "停止"):
        listed = await say(ALICE, words)
        assert listed.labels()[:3] == ["1 上级精神：必读", "2 法律小常识：已订", "3 全部退订"], words
    assert (await say(ALICE, "3")).text.endswith("想看时可以随时订回来。必读的还会收到，不多。")
    assert (await say(ALICE, "选主题")).labels()[:3] == ["1 上级精神：必读", "2 法律小常识：已退订", "9 返回"]
    assert (await say(BOB, "退订全部")).text.startswith("已全部退订")
    assert "现在没有正在发送" in (await say(SUN, "停")).text, "the same word of somebody who sends"
    assert "哪天恢复" not in (await say(SUN, "暂停发送")).text
    await say(ALICE, "暂停10天")
    assert (await say(ALICE, "身体恢复了")).text.startswith("我没看明白")
    assert await look(lambda s: s.get(Member, ALICE).letters_paused_until)
    assert (await say(ALICE, "恢复")).text == "已恢复接收红信。"
    assert not await look(lambda s: s.get(Member, ALICE).letters_paused_until)


async def test_words_that_open_a_sentence_are_no_order_in_the_middle_of_another_dialogue(say, look):
    await say(ALICE, "letters:quiet")
    await say(ALICE, "订阅上级精神")
    assert "没看明白这个时间" in (await say(ALICE, "退订法律小常识")).text
    assert "法律小常识：已订" in " ".join((await say(ALICE, "letters:topics")).labels())


async def test_the_night_is_where_a_member_says_to_live(say, look, clock, writer):
    assert "我不在北京时间" in " ".join((await say(MO, "勿扰时间")).labels())
    await say(MO, "letters:zone")
    assert "没找到这个地方" in (await say(MO, "火星")).text
    assert (await say(MO, "德国柏林")).text.startswith("已记下：欧洲大陆，当地 06:00")
    clock.now = NIGHT
    assert await got(writer, clock, look, MO)
    await say(MO, "letters:zone:city")
    assert not await got(writer, clock, look, MO, title="二")
    await say(MO, "我的时区 America/Argentina/Ushuaia")
    assert await look(lambda s: s.get(Member, MO).timezone) == "America/Argentina/Ushuaia"
    await say(MO, "我的时区 北京")
    assert await look(lambda s: s.get(Member, MO).timezone) is None


async def test_mandatory_letters_are_few_and_marked(say, look, clock):
    await look(lambda s: setattr(s.get(Topic, "superior_spirit"), "mandatory", True))

    async def write(topic):
        await say(SUN, f"broadcast:topic:{LIANGFENG}:all:{topic}")
        shown = await say(SUN, f"请看一看 {clock.now:%d}")
        return shown, await say(SUN, str(await look(lambda s: len(members_of(s, LIANGFENG, DAY)))))

    for _ in range(limit().most):
        shown, sent = await write("superior_spirit")
        assert "必读主题，不能退订" in shown.text
        assert sent.text.startswith("已开始发送")
        clock.now += timedelta(days=1)
    assert "同一组织 30 天内最多发 2 封" in (await write("superior_spirit"))[1].text
    assert (await write("law_corner"))[1].text.startswith("已开始发送")  # others are as free as ever
    clock.now = NOON + timedelta(days=30) - timedelta(seconds=1)
    assert "最多发 2 封" in (await write("superior_spirit"))[1].text
    clock.now += timedelta(seconds=1)
    assert (await write("superior_spirit"))[1].text.startswith("已开始发送")


async def test_whoever_is_gone_gets_nothing_more_half_a_minute_later(look, writer, clock):
    suppress = next(job for job in JOBS if job.name == "gone_suppressed")
    assert suppress.every == HALF
    clock.now = NIGHT
    for number, member_id in enumerate((ALICE, BOB, CHARLIE, MO)):
        await look(lambda s, m=member_id, n=number: note(s, m, key=f"n{n}"))
    web = FakeChannel()
    while await engine(writer, clock, web).drain_once():
        pass  # the night holds them all
    jobs = Jobs(writer.write, clock, ZONE, [suppress])
    await jobs.run_due(NIGHT)
    statuses = {ALICE: "deceased", BOB: "transferred", CHARLIE: "left"}
    for member_id, status in statuses.items():
        await look(lambda s, m=member_id, status=status: setattr(s.get(Member, m), "status", status))
    await jobs.run_due(NIGHT + HALF - timedelta(seconds=5))
    assert {row.state for row in await look(rows)} == {"queued"}
    await jobs.run_due(NIGHT + HALF)
    ended = {row.member_id: (row.state, row.reason) for row in await look(rows)}
    assert ended == {**{who: ("suppressed", why) for who, why in statuses.items()}, MO: ("queued", "")}
    assert await look(lambda s: gone.take_back(s, clock.now)) == 0


async def test_the_roll_tells_who_has_died_and_who_has_moved(look, writer, clock, tmp_path):
    clock.now = NIGHT
    city = {"node": 1}
    await look(lambda s: (queued(s), queued(s, title="全市", audience=city), note(s, BOB, key="own")))
    lines = [
        "编号,姓名,支部编号,转入日期,状态",
        f"M{ALICE},艾丽丝,B10,2020-01-01,去世",
        f"M{BOB},鲍勃,B20,2026-06-15,",
        f"M{MO},莫流动,B10,2020-01-01,在册",
    ]
    (tmp_path / "members.csv").write_text("\n".join(lines), encoding="utf-8")
    with Session(writer.engine) as session:
        assert session.get(Member, BOB).status == "active"
    made = plan(writer.engine, read(tmp_path / "members.csv"), today=DAY)
    assert not made.refused, list(made.lines())
    apply(writer.engine, made, now=NIGHT)
    await look(lambda s: gone.take_back(s, NIGHT))
    states = await look(lambda s: {(row.member_id, row.letter_id): (row.state, row.reason) for row in rows(s)})
    assert {value for (who, _), value in states.items() if who == ALICE} == {("suppressed", "deceased")}
    assert [states[BOB, letter] for letter in (1, 2, None)] == [
        ("suppressed", "moved"),
        ("queued", ""),
        ("queued", ""),
    ]
    assert states[MO, 1] == ("queued", "")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_on_wechat_one_finds_where_to_agree_to_cards_and_how_many_are_left(writer, clock, look):
    page = "https://chat.example.org/wechat/agree"
    say = Voice(Dispatcher(writer, zone=ZONE, clock=clock, cards_pages={"wechat": page}), clock)
    here = {"channel": "wechat", "address": f"wechat:{ALICE}"}

    def agreed(session):
        bind_chat(session, ALICE, "wechat")
        for key in ("one", "two", "two"):
            consents.give(session, channel="wechat", address=here["address"], template="T", key=key, at=NOON)

    await look(agreed)
    home = await say(ALICE, "红信", **here)
    assert "letters:cards" in [button.action for button in home.buttons]
    told = await say(ALICE, "来信提醒", **here)
    assert page in told.text
    assert "还有 2 次" in told.text
    assert "letters:cards" not in [button.action for button in (await say(ALICE, "红信")).buttons]
    assert page not in (await say(ALICE, "来信提醒")).text
