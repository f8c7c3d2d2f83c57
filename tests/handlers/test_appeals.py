"""A line of the ledger down to its evidence, and the appeal of it: once, in time, to somebody who did not book it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from db import appeals, attendance, dues, ledger, proposals, verify
from db.appeals import Appeal
from db.deliveries import Delivery
from db.ledger import Entry
from notices import appeals as waiting
from scoring.booking import book_event
from tests.at_once import at_once, seen_at_once
from tests.cast import ALICE, BOB, DAY, DING, LIANGFENG, NOON, OWN_CODE, RUI, SUN
from tests.conftest import ZONE
from tests.notices.digests import noted

WORDS = "那天我在现场，名单写错了"


async def last_line(look, person: int) -> int:
    newest = select(Entry.id).where(Entry.member_id == person).order_by(Entry.id.desc())
    return await look(lambda s: s.execute(newest).scalars().first())


async def lines(look, person: int) -> list[tuple[str, int, str]]:
    def read(session: Session):
        rows = session.execute(select(Entry).where(Entry.member_id == person).order_by(Entry.id)).scalars()
        return [(row.rule_id, row.points, row.cause) for row in rows]

    return await look(read)


async def one_appeal(look) -> Appeal:
    return await look(lambda s: s.execute(select(Appeal)).scalar_one())


async def unbroken(look) -> None:
    titles = (
        "totals",
        "wallets",
        "a line that",
        "a confirmed record",
        "dues",
        "an accepted",
        "every a",
        "a wish that",
    )
    found = await look(lambda s: [one.title for one in verify.run(s) if one.broken])
    assert [title for title in found if title.startswith(titles)] == []


def deducted(rule_id: str = "PN6", grade: str = "serious"):
    """Rui confirmed a deduction of Bob's that Sun had proposed."""

    def write(session: Session) -> int:
        draft = proposals.begin(session, member_id=SUN, organization_id=LIANGFENG, rule_id=rule_id, now=NOON)
        proposals.fill(session, draft, picked=str(BOB), day=DAY, words="与群众争吵，已查实", grade=grade)
        proposals.propose(session, draft, now=NOON, hear_until=None)
        proposals.confirm(session, draft, by=RUI, role="committee_reviewer", now=NOON, today=DAY)
        book_event(
            session,
            member_id=BOB,
            organization_id=LIANGFENG,
            rule_id=rule_id,
            cause=proposals.cause_of(draft.id),
            day=DAY,
            reason=draft.words,
            at=NOON,
            grade=grade,
        )
        return draft.id

    return write


async def test_a_line_is_walked_down_to_the_activity_and_appealed_to_the_committee(say, look):
    await say(ALICE, f"签到 {OWN_CODE}")
    assert "4 更多明细、申诉" in (await say(ALICE, "积分")).labels()
    assert (await say(ALICE, "看一笔积分")).labels()[0] == "1 6月15日 +2 参加本支部活动"
    shown = await say(ALICE, "1")
    assert "依据：主题党日：重温入党誓词（社区党员活动室），今天 12:10；记录于 今天 12:00。" in shown.text
    assert "记入日期：2026-06-15，规则 PB1。" in shown.text
    assert shown.labels()[:2] == ["1 申诉", "2 看规则"]
    assert (await say(ALICE, "1")).text.startswith("对这一笔（主题党日：重温入党誓词）有什么不同意见？")
    assert (await say(ALICE, "不对")).text.startswith("请写几句话说明")
    assert (await say(ALICE, WORDS)).text == "已提交，由没有参与记这一笔的党委审核员答复。"
    await say(ALICE, "1")
    assert (await say(ALICE, "", kind="image", picture="x")).text == "图片已补上。"
    found = await one_appeal(look)
    assert (found.goes_to, found.booked_by, found.picture_id is not None) == ("committee_reviewer", None, True)
    assert (await say(ALICE, f"appeal:{found.entry_id}", kind="button")).text.startswith("这一笔已经申诉过了")
    rule = await say(ALICE, "index:rule:PB1", kind="button")
    assert any(button.action == f"points:line:{found.entry_id}:rule" for button in rule.buttons)


async def test_accepting_takes_back_the_line_and_what_it_rested_on(say, look):
    await say(ALICE, f"签到 {OWN_CODE}")
    await say.all(ALICE, f"appeal:{await last_line(look, ALICE)}", "我没有去，是别人代签的")
    one = await one_appeal(look)
    for person in (ALICE, SUN, DING):  # oneself, a role without appeals, one above whom it did not go to
        await say.all(person, f"record_review:appeal_yes:{one.id}:none", "同意")
    assert (await one_appeal(look)).state == "open"
    shown = await say(RUI, f"record_review:appeal:{one.id}", kind="button")
    assert "本人申诉：我没有去，是别人代签的" in shown.text
    assert (await say(RUI, "成立：撤销这一笔")).text.startswith("将冲回这一笔")
    assert (await say(RUI, "核实无误")).text.startswith("已答复：成立，已更正。")
    assert [points for _, points, _ in await lines(look, ALICE)] == [2, -2]
    assert (await look(lambda s: attendance.found(s, 1, ALICE)))[0] == "undone"
    told = await look(lambda s: s.execute(select(Delivery).where(Delivery.member_id == ALICE)).scalars().all())
    assert told[-1].content["text"] == "申诉成立：参加本支部活动已更正。答复：核实无误"
    await unbroken(look)


async def test_a_line_that_the_reviewer_confirmed_goes_to_the_district_which_corrects_the_grade(say, look):
    await look(deducted())
    entry = await last_line(look, BOB)
    shown = await say(BOB, f"points:line:{entry}", kind="button")
    assert "孙书记提出，芮审核审核" in shown.text
    assert "区委组织部答复" in (await say.all(BOB, f"appeal:{entry}", WORDS)).text
    one = await one_appeal(look)
    assert (one.goes_to, one.booked_by) == ("district_org_department", RUI)
    await say.all(RUI, f"record_review:appeal_yes:{one.id}:none", "同意")
    assert (await one_appeal(look)).state == "open"
    labels = (await say(DING, f"record_review:appeal:{one.id}", kind="button")).labels()
    assert [label[2:] for label in labels[:4]] == [
        "不成立",
        "成立：撤销这一笔",
        "成立：改为轻微",
        "成立：改为较重",
    ]
    await say.all(DING, "3", "情节轻微")
    assert await lines(look, BOB) == [
        ("PN6", -10, "proposal:1"),
        ("PN6", 10, "undo:proposal:1"),
        ("PN6", -3, f"appeal:{one.id}"),
    ]
    assert await look(lambda s: ledger.totals(s, BOB, 2026)["PN6"]) == (-3, 100)
    correction = await last_line(look, BOB)
    assert (await say(BOB, f"appeal:{correction}", kind="button")).text.startswith("这一笔不能申诉")
    await unbroken(look)


async def test_hours_are_corrected_to_what_they_were(say, look):
    def study(session: Session) -> None:
        values = {"rule_id": "PB3", "day": DAY, "reason": "集中学习", "at": NOON}
        book_event(
            session, member_id=BOB, organization_id=LIANGFENG, cause="study:2026-06", hundredths=150, **values
        )

    await look(study)
    await say.all(BOB, f"appeal:{await last_line(look, BOB)}", "我学了三个小时")
    one = await one_appeal(look)
    await say(RUI, f"record_review:appeal_yes:{one.id}:hours", kind="button")
    assert (await say(RUI, "很多")).text.startswith("应该是几个小时")
    assert "改记为 3 小时" in (await say(RUI, "3")).text
    await say(RUI, "签到表可查")
    assert await look(lambda s: ledger.totals(s, BOB, 2026)["PB3"]) == (0, 300)


async def test_a_rejection_needs_a_reason_and_changes_nothing(say, look):
    await say.all(SUN, "dues:tick:2026-06", "鲍勃", "1")
    await say.all(BOB, f"appeal:{await last_line(look, BOB)}", WORDS)
    one = await one_appeal(look)
    assert one.booked_by == SUN
    await say(RUI, f"record_review:appeal_no:{one.id}", kind="button")
    assert (await say(RUI, "!")).text.startswith("请写清楚原因")
    assert (await say(RUI, "党费登记无误")).text.startswith("已答复：不成立。")
    assert len(await lines(look, BOB)) == 1
    shown = await say(BOB, f"points:line:{one.entry_id}", kind="button")
    assert "申诉没有通过" in shown.text
    await say.all(RUI, f"record_review:appeal_yes:{one.id}:none", "改主意了")
    assert (await one_appeal(look)).state == "rejected"


async def test_an_accepted_appeal_of_dues_unticks_them(say, look):
    await say.all(SUN, "dues:tick:2026-06", "鲍勃", "1")
    await say.all(BOB, f"appeal:{await last_line(look, BOB)}", WORDS)
    await say.all(RUI, "record_review:appeal_yes:1:none", "没有交")
    assert await look(lambda s: dues.paid(s, [BOB], "2026-06")) == {}
    await unbroken(look)


@pytest.mark.parametrize(("after", "may"), [(timedelta(0), True), (timedelta(seconds=1), False)])
async def test_the_thirtieth_day_is_the_last(say, look, clock, after, may):
    await say(ALICE, f"签到 {OWN_CODE}")
    entry = await last_line(look, ALICE)
    clock.now = datetime(2026, 7, 15, 15, 59, 59, tzinfo=UTC) + after  # 15 July ends in the city
    assert ("1 申诉" in (await say(ALICE, f"points:line:{entry}", kind="button")).labels()) == may
    assert (await say(ALICE, f"appeal:{entry}", kind="button")).text.startswith("对这一笔") == may


async def test_an_appeal_that_waits_ten_working_days_is_brought_to_mind_once(say, look):
    await say.all(SUN, "dues:tick:2026-06", "鲍勃", "1")
    await say.all(BOB, f"appeal:{await last_line(look, BOB)}", WORDS)
    ends = NOON + timedelta(days=15)  # Monday 15 June; Friday the 19th is a holiday: Tuesday 30 June is the tenth

    async def told(now):
        await look(lambda s: waiting.remind_deciders(s, now, ZONE))
        return [one for one in await look(lambda s: noted(s, RUI)) if "申诉" in one]

    assert await told(ends - timedelta(days=1)) == []
    for now in (ends, ends, ends + timedelta(days=1)):
        assert await told(now) == ["有 1 件积分申诉已等了 10 个工作日，请答复。"]


async def test_nobody_sees_or_appeals_a_line_of_another(say, look):
    await say(ALICE, f"签到 {OWN_CODE}")
    entry = await last_line(look, ALICE)
    assert (await say(BOB, f"points:line:{entry}", kind="button")).text == "没有找到这一笔。"
    for forged in (entry, "x", "-1", "99999999999", ""):
        assert (await say(BOB, f"appeal:{forged}", kind="button")).text == "请先选要申诉的那一笔。"
        await say(BOB, f"record_review:appeal_yes:{forged}:none:x", kind="button")
    assert await look(lambda s: s.execute(select(Appeal)).first()) is None

    def spend(session: Session) -> None:
        values = {"rule_id": "REDEEM", "cause": "redemption:1", "points": 1, "day": DAY, "booked_at": NOON}
        ledger.spend(session, member_id=ALICE, **values)

    await look(spend)
    spent = await last_line(look, ALICE)
    assert (await say(ALICE, f"appeal:{spent}", kind="button")).text.startswith("这一笔不能申诉")


async def test_an_appeal_is_said_in_english_too(say, look):
    await look(deducted())
    await say(BOB, "English")
    await say(DING, "English")
    entry = await last_line(look, BOB)
    assert (await say(BOB, f"appeal:{entry}", kind="button")).text.startswith("What is wrong with this line")
    assert "district organisation department" in (await say(BOB, "it was somebody else")).text
    shown = await say(DING, "record_review:appeal:1", kind="button")
    assert "3 Accept: make it slight" in shown.labels()


def test_appealed_twice_at_once_is_one_appeal_and_two_answers_are_one(engine, database_url):
    with Session(engine) as session:
        deducted()(session)
        session.commit()
        entry_id = session.execute(select(Entry.id)).scalar_one()

    def make(session: Session) -> bool:
        return appeals.make(
            session,
            entry_id=entry_id,
            member_id=BOB,
            organization_id=LIANGFENG,
            goes_to="committee_reviewer",
            words=WORDS,
            made_at=NOON,
        )

    def decide(person: int, accepted: bool):
        def act(session: Session, meet) -> bool:
            one = appeals.of_entry(session, entry_id)
            meet()
            return appeals.decide(session, one, by=person, accepted=accepted, now=NOON, answer="x")

        return act

    made = at_once(database_url, make, make)
    decided = seen_at_once(database_url, decide(RUI, True), decide(DING, False))
    assert (sorted(made), sorted(decided)) == ([False, True], [False, True])
