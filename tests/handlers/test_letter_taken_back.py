"""Taking a letter back: what a correction may hold, who may send it, how often, and what the letter does then."""

from __future__ import annotations

from sqlmodel import col, select

from db import letters
from db.letters import Letter
from tests.cast import NOON, OLGA, SUN
from tests.handlers.letter_steps import audit_of
from tests.notices.sending import letter
from tests.notices.sending import queue_letter as send
from tests.sent_letters import SENT, end


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
