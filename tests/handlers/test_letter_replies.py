"""回信: what readers write back, what its author picks, and what is shared only while its writer agrees."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, select

from bot.dispatch import Dispatcher
from db import letter_replies, letters
from db.audit import AuditEvent
from db.letter_replies import LetterReply
from db.letters import Letter
from notices.carried import Carried, carried
from notices.letter_stops import stop
from tests.at_once import at_once
from tests.cast import ALICE, BOB, CHARLIE, MO, NAMES, NOON, QIAN, SUN
from tests.conftest import ZONE, Voice
from tests.notices.sending import FakeChannel, bind, engine, queued, rows

ASKS = {"carries": Carried(replies=True).to_json()}


async def drain(writer, clock, channel):
    now = clock.now
    await engine(writer, clock, channel).drain_once()
    clock.now = now
    return channel


async def test_replies_come_to_the_authors_desk_and_go_out_with_consent_alone(say, look, writer, clock):
    letter_id = await look(lambda s: queued(s, **ASKS))
    await drain(writer, clock, FakeChannel())
    assert "发信人看得到您的名字" in (await say(ALICE, "写回信")).text
    assert "最多 500 字" in (await say(ALICE, "长" * 501)).text
    noted = await say(ALICE, "*值守*不容易，感谢大家。{姓名}")
    assert noted.text == "已转给发信人：*值守*不容易，感谢大家。{姓名}"
    assert noted.labels()[:3] == ["1 重写", "2 加一张图片", "3 撤回"]
    assert "请发一张图片" in (await say(ALICE, "2")).text
    assert (await say(ALICE, "", kind="image", picture="p1")).text == "图片已加到回信里。"
    await say.all(BOB, f"reply:{letter_id}", "第一稿")
    await say.all(BOB, "1", "夜里巡了两次堤。")
    await say.all(MO, f"reply:{letter_id}", "人在外地，心在家乡。")
    told = [row for row in await look(rows) if ":replies:" in row.key]
    assert [row.member_id for row in told] == [SUN]  # once a day, and without a name
    assert not any(name in str(told[0].content) for name in NAMES.values())

    box = await say.all(SUN, "回信箱", "1")
    assert box.text == "“关于做好防汛值守的通知”：回信 3 封，选为心得 0 篇，同意分享 0 篇。"
    assert box.labels()[:3] == [
        "1 艾丽丝：*值守*不容易，感谢大家。…",
        "2 鲍勃：夜里巡了两次堤。",
        "3 莫流动：人在外地，心在家乡。",
    ]
    shown = await say(SUN, "1")
    assert shown.picture is not None
    assert shown.text.startswith("艾丽丝（梁丰社区党支部）写道：")
    await look(lambda s: bind(s, SUN, "telegram"))
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad=frozenset({"telegram"})), clock)
    there = await abroad(
        SUN, f"replies:list:{letter_id}", kind="button", channel="telegram", address=f"telegram:{SUN}"
    )
    assert "艾丽丝" not in str(there.labels())
    ids = {one.member_id: one.id for one in await look(lambda s: s.exec(select(LetterReply)).all())}
    for person in (ALICE, BOB, MO):
        assert "已问本人能不能分享" in (await say(SUN, f"replies:pick:{ids[person]}", kind="button")).text
    assert "已选为心得，等本人同意" in (await say(SUN, f"replies:pick:{ids[BOB]}", kind="button")).text
    assert "还没有本人同意" in (await say(SUN, f"replies:gather:{letter_id}", kind="button")).text

    asked = [row for row in await look(rows) if ":share:" in row.key]
    assert [row.member_id for row in asked] == [ALICE, BOB, MO]
    assert "会写上“艾同志”" in (await say(ALICE, f"reply:share:{ids[ALICE]}:named", kind="button")).text
    assert "不写名字" in (await say(BOB, f"reply:share:{ids[BOB]}:nameless", kind="button")).text
    assert "不分享" in (await say(MO, f"reply:share:{ids[MO]}:refused", kind="button")).text
    assert "没有找到" in (await say(CHARLIE, f"reply:share:{ids[MO]}:named", kind="button")).text
    preview = await say(SUN, f"replies:gather:{letter_id}", kind="button")
    lines = preview.text.split("\n")
    assert lines[0] == "已编入 2 篇心得，请看一遍再发。"
    assert "*值守*不容易，感谢大家。｛姓名｝" in lines  # no markup, and nobody's name in its place
    assert "——艾同志（梁丰社区党支部）" in lines
    assert "——梁丰社区党支部一位党员" in lines
    assert "人在外地" not in preview.text

    assert "不分享" in (await say(ALICE, f"reply:share:{ids[ALICE]}:refused", kind="button")).text
    draft = (await look(lambda s: letters.with_shares(s, SUN)))[0]
    assert (draft.state, carried(draft).shares, "值守" in draft.body) == ("draft", (ids[BOB],), False)
    assert "内容或人数有变化" in (await say(SUN, "7")).text  # what was shown is not what it says now
    assert "已开始发送" in (await say(SUN, "7")).text
    web = await drain(writer, clock, FakeChannel())
    sent = next(text for text in web.texts if "心得选登" in text)
    assert "夜里巡了两次堤。\n——梁丰社区党支部一位党员" in sent
    late = await say(BOB, f"reply:share:{ids[BOB]}:refused", kind="button")
    assert late.text == "这篇心得已经随红信发出，收不回来了。"
    actions = await look(lambda s: s.exec(select(AuditEvent.action)).all())
    assert actions.count("letter_reply.picked") == 3
    assert actions.count("letter_reply.consent") == 5


async def test_a_reply_is_taken_back_and_somebody_elses_is_not_there(say, look, writer, clock):
    letter_id = await look(lambda s: queued(s, **ASKS))
    plain = await look(lambda s: queued(s, title="没有附回信"))
    await drain(writer, clock, FakeChannel())
    await say.all(ALICE, f"reply:{letter_id}", "写错了。")
    one = await look(lambda s: letter_replies.of(s, letter_id, ALICE))
    for person in (CHARLIE, QIAN):
        for action in (
            f"reply:{letter_id}",
            f"reply:text:{letter_id}:x",
            f"reply:withdraw:{letter_id}",
            f"replies:list:{letter_id}",
            f"replies:show:{one.id}",
            f"replies:pick:{one.id}",
            f"replies:gather:{letter_id}",
        ):
            text = (await say(person, action, kind="button")).text
            assert "没有找到" in text or "需要相应的职责" in text, action
    assert "没有找到" in (await say(ALICE, f"reply:{plain}", kind="button")).text
    assert (await say(ALICE, f"reply:withdraw:{letter_id}", kind="button")).text == "回信已撤回，发信人看不到了。"
    await say(ALICE, f"reply:withdraw:{letter_id}", kind="button")
    assert "没有找到" in (await say(SUN, f"replies:show:{one.id}", kind="button")).text
    assert "没有找到" in (await say(SUN, f"replies:pick:{one.id}", kind="button")).text
    assert (await look(lambda s: letter_replies.of(s, letter_id, ALICE))).words == ""
    stopped = await look(lambda s: queued(s, **ASKS))
    await look(lambda s: stop(s, s.get(Letter, stopped), by=SUN, why="author", now=NOON))
    assert "不再收回信" in (await say(ALICE, f"reply:{stopped}", kind="button")).text


def test_two_phones_write_one_reply_and_a_pick_meets_a_withdrawal(engine, database_url):
    with Session(engine) as session:
        letter_id = queued(session, **ASKS)
        letter_replies.write(session, letter_id, BOB, words="好", at=NOON)
        session.commit()
        picked_id = letter_replies.of(session, letter_id, BOB).id
    gave = at_once(
        database_url,
        lambda s: letter_replies.write(s, letter_id, ALICE, words="一", at=NOON),
        lambda s: letter_replies.write(s, letter_id, ALICE, words="二", at=NOON + timedelta(seconds=1)),
        lambda s: letter_replies.pick(s, picked_id, NOON),
        lambda s: letter_replies.withdraw(s, letter_id, BOB),
    )
    assert (gave[0], gave[1], gave[3]) == (True, True, True)
    with Session(engine) as session:
        assert letter_replies.of(session, letter_id, ALICE).words in ("一", "二")
        assert letter_replies.count(session, letter_id)[0] == 1
        bob = letter_replies.of(session, letter_id, BOB)
        assert (bob.state, bob.words, bob.consent) == ("withdrawn", "", "none")  # whoever was first
