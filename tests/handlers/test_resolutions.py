"""Modes by resolution: a meeting that was held, its minutes, a second person; then the index counts so at once."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session, select

from db import members, resolutions
from db.activities import Activity
from db.audit import AuditEvent
from db.resolutions import Resolution
from scoring.standing import standing
from tests.cast import ALICE, BOB, DAY, LIANGFENG, NOON, QIAN, RUI, SHAZHOU, SUN

PICTURE = {"kind": "image", "picture": "minutes"}


def meeting(
    code: str, *, kinds: str = "member_assembly", state: str = "held", branch: int = LIANGFENG, days: int = 2
):
    def make(session: Session) -> int:
        starts = NOON - timedelta(days=days)
        one = Activity(
            code=code,
            organization_id=branch,
            scope="branch",
            kinds=kinds,
            title="党员大会",
            place="",
            starts_at=starts,
            ends_at=starts + timedelta(hours=1),
            check_in_opens_at=starts,
            check_in_closes_at=starts,
            state=state,
            should_attend=8,
            attended=8,
        )
        session.add(one)
        session.flush()
        return one.id

    return make


async def test_a_resolution_goes_from_the_meeting_over_the_committee_into_the_index(say, look):
    held = await look(meeting("99001"))
    await look(meeting("99002", state="not_held"))
    await look(meeting("99003", kinds="theme_party_day"))
    await look(meeting("99004", branch=SHAZHOU))
    stands = await say.all(SUN, "计分方式", "鲍勃")
    assert stands.labels()[:2] == ["1 改为按比例计分", "2 改为不计分"]
    assert (await say(SUN, "2")).labels()[:3] == ["1 年满七十岁", "2 体弱多病", "3 流动在外"]
    which = await say(SUN, "2")
    assert which.labels()[:1] == ["1 6月13日 党员大会"]
    assert len(which.labels()) == 3  # the three others are no such meeting, and two ways out
    assert next(button.action for button in which.buttons).endswith(f":{held}")
    await say(SUN, "1")
    assert (await say(SUN, "没有图片")).text.startswith("还没有收到图片")
    preview = await say(SUN, "", **PICTURE)
    assert "鲍勃：不计分（体弱多病）\n2026-06-13 党员大会" in preview.text
    assert (await say(SUN, "1")).text == "已提交，等另一人审核。"
    one = await look(lambda s: s.execute(select(Resolution.id)).scalar_one())
    for person in (SUN, QIAN, ALICE):
        await say(person, f"record_review:resolution_yes:{one}", kind="button")
    assert await look(lambda s: members.get(s, BOB).mode) == "normal"
    assert await look(lambda s: standing(s, BOB, DAY)) is not None
    await say.all(RUI, f"record_review:resolution:{one}", "1")
    assert await look(lambda s: standing(s, BOB, DAY)) is None
    assert (await say(BOB, "指数")).text == "您今年按支部决议不参加先锋指数计分。"
    actions = await look(lambda s: s.execute(select(AuditEvent.action)).scalars().all())
    assert actions == ["mode.proposed", "conversation.refused", "mode.confirmed"]  # Alice holds no office


async def test_it_is_ended_by_another_one_and_the_history_stays(say, look):
    await look(meeting("99001", kinds="branch_committee_meeting"))
    for steps in (("鲍勃", "改为按比例计分", "流动在外"), ("鲍勃", "恢复正常计分")):
        await say.all(SUN, "计分方式", *steps, "1")
        await say(SUN, "", **PICTURE)
        await say(SUN, "1")
        one = await look(
            lambda s: s.execute(select(Resolution.id).order_by(Resolution.id.desc())).scalars().first()
        )
        await say(RUI, f"record_review:resolution_yes:{one}", kind="button")
    assert await look(lambda s: members.get(s, BOB).mode) == "normal"
    assert await look(lambda s: [row.mode for row in resolutions.history(s, BOB)]) == ["normal", "rate"]
    assert (await say.all(SUN, "计分方式", "鲍勃")).text.count("决议：") == 2


async def test_a_meeting_longer_ago_than_sixty_days_is_none(say, look):
    await look(meeting("99001", days=61))
    assert "要先开会决议" in (await say.all(SUN, "计分方式", "鲍勃", "1", "1")).text
    await look(meeting("99002", days=60))
    assert (await say.all(SUN, "计分方式", "鲍勃", "1", "1")).labels()[0] == "1 4月16日 党员大会"


async def test_a_second_one_about_the_same_member_waits_for_the_first_and_a_refusal_is_told(say, look):
    await look(meeting("99001"))
    answers = []
    for _ in range(2):
        await say.all(SUN, "计分方式", "鲍勃", "1", "1", "1")
        await say(SUN, "", **PICTURE)
        answers.append((await say(SUN, "1")).text)
    assert answers == ["已提交，等另一人审核。", "这位党员已有一项决议在等审核。"]
    one = await look(lambda s: s.execute(select(Resolution.id).where(Resolution.state == "proposed")).scalar_one())
    await say.all(RUI, f"record_review:resolution_no:{one}", "记录不清楚")
    assert await look(lambda s: members.get(s, BOB).mode) == "normal"
    assert await look(lambda s: s.get(Resolution, one).note) == "记录不清楚"
