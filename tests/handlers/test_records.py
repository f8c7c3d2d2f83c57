"""Records: who proposes, what is shown, who is heard, and that only a second person's word counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import attendance, ledger, proposals, verify
from db.activities import Activity
from db.audit import AuditEvent
from db.deliveries import Delivery
from db.ledger import Entry
from db.proposals import Proposal, ProposalMember
from notices import closing
from tests.at_once import seen_at_once
from tests.cast import ALICE, BOB, CHARLIE, DAY, DING, LIANGFENG, MO, NAMES, NOON, QIAN, RUI, SUN
from tests.conftest import ZONE

PICTURE = {"kind": "image", "picture": "file-1"}


@pytest.fixture
def told(look):
    async def asks(person: int) -> list[str]:
        def texts(session: Session) -> list[str]:
            rows = session.execute(select(Delivery).order_by(Delivery.id)).scalars()
            return [row.content["text"] for row in rows if row.member_id == person]

        return await look(texts)

    return asks


@pytest.fixture
def lines(look):
    """`await lines(ALICE, "PP4")`: (points, hundredths, day) of the member's lines under the rule."""

    async def asks(person: int, rule_id: str) -> list[tuple[int, int, date]]:
        def read(session: Session):
            rows = session.execute(
                select(Entry).where(Entry.member_id == person, Entry.rule_id == rule_id).order_by(Entry.id)
            ).scalars()
            return [(row.points, row.hundredths, row.day) for row in rows]

        return await look(read)

    return asks


async def proposal_id(look) -> int:
    return await look(lambda s: s.execute(select(Proposal.id).order_by(Proposal.id.desc())).scalars().first())


async def state(look) -> str:
    return await look(lambda s: s.execute(select(Proposal.state).order_by(Proposal.id.desc())).scalars().first())


OF_RECORDS = (
    "totals equal",
    "wallets equal",
    "one cause",
    "a line that undoes",
    "a confirmed record",
    "the ledger",
)


async def whole(look) -> list[str]:
    """What verify finds broken in the ledger and the records; the cast's own gaps are not asked for."""
    found = await look(lambda s: [one for one in verify.run(s) if one.broken])
    return [str(one) for one in found if one.title.startswith(OF_RECORDS)]


def over(
    look, members: dict[int, str], *, kinds: str = "volunteering", hours: float = 2, ago: timedelta | None = None
):
    """An activity of branch 10 that is over and closed, with these members in these modes."""

    def make(session: Session) -> int:
        starts = NOON - (ago or timedelta(days=3))
        one = Activity(
            code=f"9{int(starts.timestamp()) % 100000}",
            organization_id=LIANGFENG,
            scope="branch",
            kinds=kinds,
            title="清洁家园",
            place="社区",
            starts_at=starts,
            ends_at=starts + timedelta(hours=hours),
            check_in_opens_at=starts,
            check_in_closes_at=starts + timedelta(hours=hours),
        )
        session.add(one)
        session.flush()
        for member_id, mode in members.items():
            if mode == "leave":
                attendance.leave(
                    session, activity_id=one.id, member_id=member_id, state="excused", reason="病", at=starts
                )
            else:
                attendance.record(
                    session, activity_id=one.id, member_id=member_id, mode=mode, evidence="code", at=starts
                )
        closing.close(session, one, NOON - timedelta(hours=1), ZONE)
        return one.id

    return look(make)


async def lecture(say, who: str = "鲍勃") -> None:
    await say.all(
        SUN, "记实", "加分", "recording:new:PP4", who, "讲党课", "昨天", "在主题党日讲了一堂党课", "1", "1"
    )


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


async def test_who_loses_points_is_heard_for_five_working_days(say, look, clock, told, lines):
    activity = await over(look, {ALICE: "onsite", MO: "leave"}, kinds="theme_party_day")
    await say(SUN, "recording:new:PN1")
    absent = await say(SUN, f"recording:activity:{activity}", kind="button")
    assert [NAMES[BOB] in " ".join(absent.labels()), NAMES[MO] in " ".join(absent.labels())] == [True, False]
    preview = await say.all(SUN, "鲍勃", "1")
    assert "五" in (await say(SUN, "records:minus")).text
    assert "5 个工作日内可以说明情况" in preview.text
    await say(SUN, "recording:yes", kind="button")
    one = await proposal_id(look)
    # 15 June 2026 is a Monday and 19 June is the Dragon Boat holiday: the fifth working day is Tuesday the 23rd
    assert "6 月 23 日（含）前可以说明情况" in (await told(BOB))[-1]
    assert (await say(ALICE, f"objection:{one}", kind="button")).text.startswith("没有找到")
    assert "只能说明一次" in (await say(BOB, f"objection:{one}", kind="button")).text
    assert (await say(BOB, "那天我在医院陪护母亲")).text == "已记下，审核的人会看到。"
    assert "您已经说明" in (await say(BOB, f"objection:{one}", kind="button")).text
    clock.now = datetime(2026, 6, 23, 15, 59, 59, tzinfo=UTC)  # a second before midnight in the city
    shown = await say(RUI, f"record_review:record:{one}", kind="button")
    assert "本人说明：那天我在医院陪护母亲" in shown.text
    assert shown.labels()[0] == "1 不通过"
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(BOB, "PN1") == []
    clock.now += timedelta(seconds=1)
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(BOB, "PN1") == [(-2, 100, date(2026, 6, 12))]
    assert await look(lambda s: ledger.purse(s, BOB)) == (0, 0)  # the index is lowered, the wallet is not
    assert await whole(look) == []


async def test_an_answer_after_the_last_day_is_too_late_and_a_refusal_tells_both(say, look, clock, told):
    await say.all(SUN, "recording:new:PN5", "鲍勃", "昨天", "拒绝参加防汛值守", "1", "1")
    one = await proposal_id(look)
    clock.now = datetime(2026, 6, 23, 16, 0, tzinfo=UTC)
    assert "说明的时间已经过了" in (await say(BOB, f"objection:{one}", kind="button")).text
    await say.all(RUI, f"record_review:no:{one}", "已有合理原因")
    assert await state(look) == "refused"
    assert (await told(BOB))[-1].startswith("不扣分了")
    assert (await told(SUN))[-1].endswith("没有通过：已有合理原因")


async def test_a_leave_counts_as_not_made_up_only_after_the_time_for_late_records(say, look, clock):
    activity = await over(look, {ALICE: "onsite", MO: "leave"}, kinds="theme_party_day", ago=timedelta(days=30))
    await say(SUN, "recording:new:PN2")
    assert (await say(SUN, f"recording:activity:{activity}", kind="button")).text.startswith("请在下面的活动里选")
    clock.now += timedelta(seconds=1)
    assert f"1 {NAMES[MO]}" in (await say(SUN, f"recording:activity:{activity}", kind="button")).labels()


async def test_a_zero_clear_is_proposed_by_the_committee_and_confirmed_by_the_district(
    say, look, clock, told, lines
):
    start = await say(RUI, "recording:new:PZ1")
    assert start.text.startswith("请写党员的姓名")
    assert (await say(RUI, "查理")).text == "是哪一种？"
    await say.all(RUI, "参加邪教活动", "昨天", "经公安机关查实")
    assert (await say(RUI, "1")).text.startswith("还没有收到图片")  # evidence is not optional here
    await say(RUI, "", **PICTURE)
    await say(RUI, "recording:yes", kind="button")
    one = await proposal_id(look)
    assert (await told(CHARLIE))[-1].startswith("有人提出按“一票否决")
    clock.now += timedelta(days=14)
    await say(RUI, f"record_review:yes:{one}", kind="button")
    assert await lines(CHARLIE, "PZ1") == []  # never the one who proposed it
    await say(DING, f"record_review:yes:{one}", kind="button")
    assert await lines(CHARLIE, "PZ1") == [(0, 100, date(2026, 6, 14))]
    assert "已清零" in (await say(CHARLIE, "指数")).text or "0.00" in (await say(CHARLIE, "指数")).text
    assert (await told(CHARLIE))[-1].startswith("一票否决")


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
