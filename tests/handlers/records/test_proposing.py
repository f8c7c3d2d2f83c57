"""Records: who proposes, what is shown, and that only a second person's word counts."""

from __future__ import annotations

from datetime import date

import pytest
from sqlmodel import Session, select

from db import attendance, proposals
from db.audit import AuditEvent
from db.proposals import Proposal, ProposalMember
from notices import closing
from tests.at_once import seen_at_once
from tests.cast import ALICE, BOB, CHARLIE, DAY, DING, LIANGFENG, MO, NAMES, NOON, QIAN, RUI, SUN
from tests.conftest import ZONE
from tests.handlers.records.conftest import PICTURE, lecture, over, proposal_id, state, whole


async def test_a_lecture_is_proposed_question_by_question_and_counts_once_somebody_else_confirms(
    say, look, told, lines
):
    assert "志愿服务" in " ".join((await say(SUN, "records:plus")).labels())
    whom = await say(SUN, "recording:new:PP4")
    assert f"1 {NAMES[ALICE]}" in whom.labels()
    assert (await say(SUN, "鲍勃")).text == "是哪一种？"
    assert (await say(SUN, "讲党课")).text.startswith("是哪一天？")
    assert (await say(SUN, "明天")).text.startswith("没有看懂日期")
    await say(SUN, "昨天")
    assert (await say(SUN, "好")).text == "请写清楚一些，至少 4 个字。"
    assert (await say(SUN, "在主题党日讲了一堂党课")).text.startswith("有图片的话")
    preview = await say(SUN, "1")
    assert "讲党课、先锋岗、项目任务（讲党课）：鲍勃\n2026-06-14，+2 分\n在主题党日讲了一堂党课" in preview.text
    assert (await say(SUN, "1")).text == "已提交，等另一人审核。"
    assert (await say(SUN, "recording:yes")).text.startswith("没有正在填写的内容")
    one = await proposal_id(look)
    assert await lines(BOB, "PP4") == []
    assert (await say(SUN, f"record_review:yes:{one}", kind="button")).text.startswith("没有找到")  # not her role
    waiting = await say(RUI, "记实审核")
    assert any("梁丰社区党支部" in label for label in waiting.labels())
    assert (await say(RUI, "1")).labels()[:2] == ["1 确认", "2 不通过"]
    assert (await say(RUI, "1")).text.startswith("已确认，记入 1 人。")
    assert await lines(BOB, "PP4") == [(2, 100, date(2026, 6, 14))]
    assert (await say(RUI, f"record_review:yes:{one}", kind="button")).text.startswith("现在不能确认")
    assert (await told(BOB))[-1].startswith("讲党课、先锋岗、项目任务（讲党课）：记 +2 分。")
    actions = await look(lambda s: s.execute(select(AuditEvent.action).order_by(AuditEvent.id)).scalars().all())
    assert actions[-2:] == ["proposal.made", "proposal.confirmed"]
    assert await whole(look) == []


async def test_the_same_lecture_is_not_recorded_twice_and_what_was_confirmed_can_be_taken_back(
    say, look, told, lines
):
    await lecture(say)
    first = await proposal_id(look)
    await lecture(say)
    assert await proposal_id(look) != first
    assert await state(look) == "draft"
    await say(RUI, f"record_review:yes:{first}", kind="button")
    back = await say(RUI, f"record_review:revoke:{first}", kind="button")
    assert back.text.startswith("要撤销 1 人的这条记录")
    assert (await say(RUI, "写错了人")).text.startswith("已撤销")
    assert [points for points, _, _ in await lines(BOB, "PP4")] == [2, -2]
    assert (await told(BOB))[-1].endswith("-2 分。原因：写错了人")
    assert await whole(look) == []
    await say(SUN, "recording:yes", kind="button")  # the draft from before is free to go now
    assert await state(look) == "proposed"


@pytest.mark.parametrize(
    ("halves", "points", "hundredths"), [("1", 1, 100), ("2", 2, 200), ("2.5", 2, 250), ("0.5", 0, 50)]
)
async def test_volunteering_pays_by_the_hour_and_two_hours_at_most(say, look, lines, halves, points, hundredths):
    activity = await over(look, {ALICE: "onsite", BOB: "onsite", MO: "leave", CHARLIE: "onsite"})
    await say(SUN, "recording:new:PP2")
    people = await say(SUN, f"recording:activity:{activity}", kind="button")
    assert people.text.endswith("1 艾丽丝  2 鲍勃")  # Mo was on leave, Charlie is of another branch
    assert (await say(SUN, "1 3")).text.startswith("没有认出是谁")
    assert (await say(SUN, "全部")).text.endswith("这次活动有 2 小时。")
    preview = await say.all(SUN, halves, "1")
    assert f"{points:+d} 分" in preview.text
    await say(SUN, "1")
    await say(RUI, f"record_review:yes:{await proposal_id(look)}", kind="button")
    assert await lines(ALICE, "PP2") == [(points, hundredths, date(2026, 6, 12))]
    assert len(await lines(BOB, "PP2")) == 1
    again = await say.all(SUN, "recording:new:PP2", f"recording:activity:{activity}", "1", "2", "1", "1")
    assert again.text.startswith("这件事已经记过了")


async def test_study_is_reported_with_a_picture_and_confirmed_by_the_secretary(say, look, lines):
    await say.all(ALICE, "学时", "1", "1.5", "昨天", "自学党章并写了读书笔记")
    preview = await say(ALICE, "", **PICTURE)
    assert "1.5 小时" in preview.text
    assert (await say(ALICE, "1")).text == "已提交，等书记审核。"
    one = await proposal_id(look)
    assert await look(lambda s: s.get(Proposal, one).picture_id) is not None
    await say(ALICE, f"record_review:yes:{one}", kind="button")  # no role at all
    assert await lines(ALICE, "PB3") == []
    await say(QIAN, f"record_review:yes:{one}", kind="button")  # the secretary of another branch
    assert await lines(ALICE, "PB3") == []
    await say(SUN, f"record_review:yes:{one}", kind="button")
    assert await lines(ALICE, "PB3") == [(0, 150, date(2026, 6, 14))]
    assert "1.5 学时" in (await say(ALICE, "学时")).text
    assert "+1.5 学时" in (await say(ALICE, "积分")).text


async def test_an_activity_carries_its_study_hours_and_takes_them_back(say, look, lines):
    activity = await over(look, {ALICE: "onsite", BOB: "make_up", MO: "leave"}, kinds="party_lecture", hours=1.9)
    assert await lines(ALICE, "PB3") == [(0, 150, date(2026, 6, 12))]  # whole half hours
    assert await lines(BOB, "PB3") == [(0, 150, date(2026, 6, 12))]  # the study was made up
    assert await lines(MO, "PB3") == []

    def undo(session: Session) -> None:
        attendance.undo(session, activity, ALICE)
        closing.close_again(session, activity, NOON, ZONE)
        closing.close_again(session, activity, NOON, ZONE)

    await look(undo)
    assert [hundredths for _, hundredths, _ in await lines(ALICE, "PB3")] == [150, -150]
    await look(
        lambda s: attendance.record(s, activity_id=activity, member_id=ALICE, mode="onsite", evidence="", at=NOON)
    )
    await look(lambda s: closing.close_again(s, activity, NOON, ZONE))
    assert [hundredths for _, hundredths, _ in await lines(ALICE, "PB3")] == [150, -150, 150]


@pytest.mark.parametrize("forged", ["1", "999", "x", "-1", "99999999999999", "", "1:2:3"])
async def test_forged_ids_reach_nothing(say, look, lines, forged):
    await lecture(say)
    for person in (ALICE, CHARLIE, QIAN, SUN):
        for action in (
            f"record_review:yes:{forged}",
            f"record_review:revoke:{forged}:x",
            f"records:back:{forged}",
        ):
            if person != SUN or not action.startswith("records"):
                await say(person, action, kind="button")
        await say(person, f"objection:{forged}", kind="button")
    assert await state(look) == "proposed"
    assert await lines(BOB, "PP4") == []
    assert (await say(ALICE, "recording:new:PP5", kind="button")).text == "这一项不由您来记。"
    assert (await say(SUN, "recording:new:PB1", kind="button")).text == "这一项不由您来记。"
    assert (await say(SUN, "recording:new:XX", kind="button")).text == "这一项不由您来记。"


async def test_it_is_said_in_english_too(say):
    await say(SUN, "English")
    assert (await say(SUN, "records")).text.startswith("Records: note what happened")
    preview = await say.all(SUN, "recording:new:PP5", "鲍勃", "1", "yesterday", "Model member of the branch")
    assert preview.text == "Please send a picture as evidence."
    preview = await say(SUN, "", **PICTURE)
    assert "commended (by the branch or its committee): 鲍勃" in preview.text


def test_two_reviewers_at_once_book_one_line(engine, database_url):
    """Both have seen it waiting; both confirm at the same moment."""
    with Session(engine) as session:
        draft = proposals.begin(session, member_id=SUN, organization_id=LIANGFENG, rule_id="PP4", now=NOON)
        proposals.fill(session, draft, picked=str(BOB), day=DAY, words="党课", grade="lecture")
        assert proposals.propose(session, draft, now=NOON, hear_until=None) == [BOB]
        session.commit()
        one = draft.id

    def confirm(person: int):
        def act(session: Session, meet) -> bool:
            seen = proposals.by_id(session, one)
            meet()
            return proposals.confirm(session, seen, by=person, role="x", now=NOON, today=DAY)

        return act

    done = seen_at_once(database_url, confirm(RUI), confirm(DING))
    assert sorted(done) == [False, True]


def test_two_proposals_of_one_event_at_once_take_it_once(engine, database_url):
    ids = []
    with Session(engine) as session:
        for person in (SUN, QIAN):
            draft = proposals.begin(session, member_id=person, organization_id=LIANGFENG, rule_id="PP4", now=NOON)
            proposals.fill(session, draft, picked=str(BOB), day=DAY, words="党课", grade="lecture")
            ids.append(draft.id)
        session.commit()

    def propose(draft_id: int):
        def act(session: Session, meet) -> list[int]:
            draft = session.get(Proposal, draft_id)
            meet()
            return proposals.propose(session, draft, now=NOON, hear_until=None)

        return act

    taken = seen_at_once(database_url, *[propose(one) for one in ids])
    assert sorted(taken) == [[], [BOB]]
    with Session(engine) as session:
        assert len(session.execute(select(ProposalMember)).all()) == 1
