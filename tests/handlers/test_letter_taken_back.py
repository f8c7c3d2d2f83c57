"""Taking a letter back: what a correction may hold, who may send it, how often, and what the letter does then."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from db import gone, letters, receipts
from db.letters import Letter
from notices import letter_deadlines
from tests.cast import ALICE, BOB, NOON, OLGA, RUI, SUN
from tests.conftest import ZONE
from tests.handlers.letter_steps import audit_of
from tests.notices.sending import letter, rows
from tests.notices.sending import queue_letter as send
from tests.sent_letters import BLOCKED, SENT, WAITING, end


def gone_out(session, **more):
    """A letter of Sun's to branch 10 that went out whole; its id."""
    made = letter(**more)
    send(session, made, NOON)
    end(session, made.id, [SENT] * 7)
    made.state = "done"
    session.add(made)
    session.flush()
    return made.id


async def correction_of(look, letter_id):
    found = select(Letter).where(col(Letter.corrects) == letter_id).order_by(col(Letter.id).desc())
    return await look(lambda s: (s.expire_all(), s.exec(found).first())[1])


STEPS = (
    *("edit:{0}", "picture:{0}", "survey:{0}:usual", "question:{0}:党的生日/七一*/八一", "replies:{0}", "ask:{0}"),
    *("text:{0}:换一句", "until:{0}:18:00", "urgent:{0}", "repeat:{0}:joined", "begin:{0}:1", "keep:{0}"),
    *("confirm:{0}:7:x:7", "rehearse:{0}", "drop:{0}"),
)


async def test_no_step_of_a_draft_touches_a_correction(say, look):
    letter_id = await look(gone_out)
    await say(SUN, "更正红信")
    before = letters.fingerprint(made := await correction_of(look, letter_id))
    for step in STEPS:
        answer = await say(SUN, "broadcast:" + step.format(made.id))
        assert "更正的内容是备好的" in answer.text, step
        assert answer.labels()[0] == "1 看更正"
    assert "只发给收到那封红信的 7 位" in (await say(SUN, "1")).text
    after = await correction_of(look, letter_id)
    assert (letters.fingerprint(after), after.state) == (before, "draft")
    assert [detail["asked"] for _, detail in await audit_of(look, "letter.draft_refused")] == [
        step.format(made.id) for step in STEPS
    ]


async def test_the_words_of_those_above_need_a_second_person_also_for_one_branch(say, look):
    letter_id = await look(gone_out)
    shown = await say.all(OLGA, f"letter_correction:of:{letter_id}", "2", "以明天的通知为准。")
    assert "要由另一位同志复核" in shown.text
    submitted = await say(OLGA, "1")
    assert (await correction_of(look, letter_id)).state == "submitted"
    assert "只发给收到那封红信的" in (await say(OLGA, "1")).text, submitted.labels()
    shown = await say.all(SUN, f"letter_correction:of:{letter_id}", "2", "以明天的通知为准。")
    assert "不用复核" in shown.text, "the branch's own secretary"


async def test_a_letter_that_was_taken_back_asks_for_nothing_any_more(say, look, clock):
    """Sent whole, with a deadline and a quiz; then its correction goes out."""
    letter_id = await look(lambda s: gone_out(s, answer_until=NOON + timedelta(hours=6)))
    await say.all(SUN, "更正红信", "1")
    assert await look(lambda s: (s.expire_all(), s.get(Letter, letter_id).state)[1]) == "stopped"
    clock.now = NOON + timedelta(days=3)
    while await look(lambda s: letter_deadlines.keep_next(s, clock.now, ZONE)):
        pass
    assert {row.key for row in await look(rows)} == {f"letter:{letter_id}", f"letter:{letter_id + 1}"}
    assert "已停止，不再提醒" in (await say(SUN, f"receipts:chase:{letter_id}")).text
    assert "更正已发出，它已撤回" in (await say(SUN, f"receipts:show:{letter_id}")).text
    assert "已更正撤回，撤回前发到 100%（7 / 7）" in (await say(SUN, f"report:show:{letter_id}")).text
    await look(lambda s: end(s, letter_id + 1, [SENT] * 7))
    listed = (await say(ALICE, "最近的红信")).labels()
    assert any("【已撤回】关于做好" in label for label in listed), listed
    opened = await say(ALICE, f"letters:open:{letter_id}")
    assert opened.text.startswith("【已撤回】这封红信已撤回，请不要按它办理。")
    assert not any("收到" in label for label in opened.labels())
    for act in ("ack", "help"):
        assert "已撤回，不用回复，也不用办理" in (await say(BOB, f"letters:{act}:{letter_id}")).text
    assert await look(lambda s: receipts.of(s, letter_id, BOB).acked_at) is None


async def test_what_is_still_on_its_way_ends_with_the_correction_and_the_author_is_told(say, look):
    def going(session):
        made = letter()
        send(session, made, NOON)
        end(session, made.id, [SENT] * 3 + [WAITING, BLOCKED, WAITING, WAITING])
        return made.id

    letter_id = await look(going)
    await say.all(RUI, f"stop_letter:{letter_id}")
    told = [row for row in await look(rows) if row.member_id == SUN and row.letter_id is None]
    assert "已由上级或复核人停止" in str(told[0].content)
    other = await look(going)
    await say.all(OLGA, f"letter_correction:of:{other}", "1")
    states = [row.state for row in await look(rows) if row.letter_id == other]
    assert states == ["sent"] * 3 + ["cancelled"] * 4
    told = [row for row in await look(rows) if row.key == f"letter_stopped:{other}:corrected"]
    assert [(row.member_id, "上级发了更正" in str(row.content)) for row in told] == [(SUN, True)]
    assert "现在没有正在发送的红信" in (await say(OLGA, "停止")).text, "the word never stops the correction itself"


async def test_a_correction_reaches_whoever_has_moved_since(say, look, clock):
    await look(gone_out)
    await say.all(SUN, "更正红信", "1")
    waiting = {row.member_id for row in await look(rows) if row.state == "queued"}
    assert BOB in waiting
    await look(lambda s: gone.moved(s, BOB, "/1/2/20/", clock.now))
    assert {row.member_id for row in await look(rows) if row.state == "queued"} == waiting


async def test_a_second_correction_says_that_one_went_out_and_words_can_be_taken_off(say, look, clock):
    letter_id = await look(gone_out)
    once = await say.all(SUN, "更正红信", "2", "以明天的通知为准。")
    assert once.labels()[1] == "2 不加了"
    bare = await say(SUN, "2")
    assert "以明天" not in bare.text
    seen_before = await say(OLGA, f"letter_correction:of:{letter_id}")
    assert "更正已开始发送，共 7 位" in (await say(SUN, "1")).text
    clock.now += timedelta(minutes=5)
    again = await say(SUN, "更正红信")
    assert again.text.startswith("已经更正过（今天 12:00，7 位）。不用再发。")
    assert again.labels()[0] == "1 再发一次给 7 位"
    assert "已经更正过" not in seen_before.text
    assert "已经更正过（今天 12:00，7 位）" in (await say(OLGA, "1")).text, "shown before the other one went out"
    found = await look(lambda s: s.exec(select(Letter).where(col(Letter.sent_at).is_not(None))).all())
    assert len(found) == 2
    assert "更正已开始发送" in (await say(OLGA, "1")).text


async def test_a_correction_that_waits_for_a_second_person_can_go_out_at_once_without_its_words(say, look):
    letter_id = await look(gone_out)
    await say.all(OLGA, f"letter_correction:of:{letter_id}", "2", "以明天的通知为准。", "1")
    made = await correction_of(look, letter_id)
    waiting = await say(OLGA, "1")  # 修改
    assert "正在等另一位同志复核" in waiting.text
    assert waiting.labels()[:2] == ["1 不加了", "2 换一句话"]
    await say.all(OLGA, "1", "1")
    assert (await correction_of(look, letter_id)).state == "sending"
    assert "不在等您复核" in (await say(RUI, f"approvals:show:{made.id}")).text


async def test_a_list_of_those_who_have_not_answered_ends_with_the_correction(say, look, clock):
    await look(lambda s: gone_out(s, answer_until=NOON + timedelta(hours=6)))
    clock.now = NOON + timedelta(hours=7)
    while await look(lambda s: letter_deadlines.keep_next(s, clock.now, ZONE)):
        pass
    assert "哪一封" in (await say(SUN, "未回复")).text
    await say.all(SUN, "更正红信", "1")
    assert "哪一封" not in (await say(SUN, "未回复")).text
