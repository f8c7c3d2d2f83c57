"""An inspection from the visit to the index: card, appeal, posting, closing, and who may do what."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from bot.dispatch import Dispatcher
from db import audit, inspections, negatives, periods_locked, rectifications, values
from db.accounts import Chat
from db.deliveries import Delivery
from db.inspection_plans import drawn
from db.members import Member, Membership, Role
from handlers.inspection_making import value_in
from notices import inspections as notes
from notices.inspection_terms import appeal_until, due_on
from notices.schedule import Moment
from scoring import inspected, update
from tests.at_once import at_once
from tests.cast import CITY, DING, INES, LIANGFENG, NAMES, NOON, QIAN, RUI, SHAZHOU, SUN
from tests.conftest import ZONE, Voice

DAY = timedelta(days=1)
TODAY = date(2026, 6, 15)
SECOND = timedelta(seconds=1)
# The items of a village: 1 C16, 2 AV09, 3 N01, 4 N03, 5 N04, 6 N11. Behind the item come the result, the picture, the place,
# a line of words, and the kind of visit.


async def inspect(say, item: str, result: str, visit: str = "1", note: str = "门口没有党旗，请补齐") -> None:
    """Ines records a finding at Shazhou, up to the preview."""
    await say.all(INES, "检查", "1", "沙洲", "1", item, result)
    await say(INES, "", kind="image", picture=f"site-{item}-{result}-{note}")
    await say.all(INES, "村口", note, visit)


async def confirm(say) -> str:
    """The id of what was just recorded."""
    text = (await say(INES, "1")).text
    assert text.startswith("已记下（第 ")
    return text.removeprefix("已记下（第 ").partition(" ")[0]


@pytest.fixture
def told(look):
    """What was told to a member by itself, the oldest first."""

    async def texts(member_id: int) -> list[str]:
        def read(session):
            rows = session.execute(select(Delivery).where(Delivery.member_id == member_id).order_by(Delivery.id))
            return [row.content["text"] for row in rows.scalars()]

        return await look(read)

    return texts


@pytest.fixture
async def finding(say):
    """A finding of 15 June: 80 % of C16. Its id."""
    await inspect(say, "1", "80%")
    return await confirm(say)


@pytest.fixture
async def cases(say):
    """Two cases of N04, found on a covert visit. Their id."""
    await inspect(say, "5", "2", visit="2")
    return await confirm(say)


def deductions(session: Session, day: date = TODAY) -> int:
    """What the negative list takes from Shazhou in the fortress index, in hundredths."""
    found = update.compute(session, day, only=SHAZHOU)
    return next(one.result.deductions for one in found.branches if one.organization_id == SHAZHOU)


def after_window(clock) -> None:
    clock.now = datetime(2026, 6, 23, 16, 0, tzinfo=UTC)  # midnight: 24 June has begun


async def actions(look) -> list[str]:
    return await look(lambda s: list(s.execute(select(audit.AuditEvent.action)).scalars()))


# The whole life


async def test_an_indicator_counts_only_after_the_window_and_a_review(say, look, clock, told):
    await inspect(say, "1", "80%")
    preview = await say(INES, "inspect:confirm", kind="button")
    assert preview.text == "已记下（第 1 号），整改卡已发给沙洲村党支部。"
    card = (await told(QIAN))[0]
    assert card.startswith("【整改卡】沙洲村党支部：党建阵地规范")
    assert "80%（要求不少于 100%）" in card
    assert "请在 6 月 30 日前" in card
    assert "可以在 6 月 23 日前" in card
    assert NAMES[INES] not in card

    clock.now = datetime(2026, 6, 23, 15, 59, 59, tzinfo=UTC)
    assert (await say(DING, "待入账")).text == "现在没有要入账的检查。"
    assert (
        "可以申诉到 6 月 23 日（含当天）" in (await say(DING, "inspection_review:post_yes:1", kind="button")).text
    )
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 0
    clock.now += SECOND
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 1
    assert await look(lambda s: notes.tell_ready(s, clock.now, ZONE)) == 0
    assert (await told(RUI)) == ["【待入账】有 1 件检查可以入账，请您审核。"]
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None

    shown = await say.all(RUI, "待入账", "1")
    assert "记到：2026 年第 2 季度。" in shown.text
    assert shown.picture is not None
    assert (await say(RUI, "1")).text.startswith("已入账：沙洲村党支部")
    assert "已入账" in (await say(RUI, "inspection_review:post_yes:1", kind="button")).text
    lines = await look(lambda s: values.history(s, SHAZHOU, "C16", "2026Q2"))
    assert [(one.value, one.collect, one.cause, one.recorded_by) for one in lines] == [
        ("0.8", "inspect", "inspection:1", RUI)
    ]
    assert (await told(QIAN))[-1].startswith("【入账】沙洲村党支部")
    assert (await told(INES))[-1].startswith("【入账】沙洲村党支部")
    assert (await actions(look)) == ["inspection.made", "inspection.posted"]


async def test_negative_cases_take_points_after_posting_and_none_before(say, look, clock, cases):
    own = await say.all(QIAN, "整改", "1")
    assert "2 件" in own.text
    assert "暗访" in own.text
    assert NAMES[INES] not in own.text
    after_window(clock)
    later = date(2026, 6, 24)
    assert await look(lambda s: deductions(s, later)) == 0
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: deductions(s, later)) == 200
    line = await look(lambda s: negatives.posted(s, SHAZHOU, "N04", f"inspection:{cases}"))
    assert (line.day, line.count, line.recorded_by) == (TODAY, 2, DING)

    refused = await say(RUI, f"inspection_review:correct:{cases}", kind="button")
    assert refused.text == "这件事由区委组织部办。"
    corrected = await say.all(DING, "检查审核", "更正入账", "1", "查错了支部")
    assert corrected.text == "已更正，双方都告诉了。"
    assert await look(lambda s: deductions(s, later)) == 0
    rows = await look(lambda s: negatives.lines(s, SHAZHOU, TODAY, TODAY))
    assert [(one.count, one.cause) for one in rows] == [
        (2, f"inspection:{cases}"),
        (-2, f"undo:inspection:{cases}"),
    ]
    again = await say(DING, f"inspection_review:correct:{cases}", kind="button")
    assert again.text == "入账已更正：查错了支部"


async def test_what_is_in_order_needs_no_picture_no_window_and_makes_no_card(say, look, told):
    await say.all(INES, "检查", "1", "B20", "1", "2", "120 平方米", "1", "1", "1", "1")
    assert (await say(INES, "1")).text.startswith("已记下（第 1 号）。沙洲村党支部没有问题")
    assert (await told(QIAN))[0].endswith("没有问题，辛苦了。")
    assert (await say(QIAN, "整改")).text == "现在没有要整改的事。"
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "AV09", "2026")) == "120"


async def test_the_latest_posted_value_counts_and_a_correction_brings_back_the_one_before(
    say, look, clock, finding
):
    await inspect(say, "1", "90%", note="第二次检查，少一块牌子")
    await confirm(say)
    after_window(clock)
    await say.all(DING, "待入账", "1", "1")
    await say.all(DING, "待入账", "1", "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == "0.9"
    await say.all(DING, "inspection_review:correct:2", "数字看错了")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == "0.8"
    await say.all(DING, "inspection_review:correct:1", "也看错了")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) == ""
    assert len(await look(lambda s: values.history(s, SHAZHOU, "C16", "2026Q2"))) == 4


async def test_a_locked_period_sends_the_posting_to_the_present_one_and_says_so(say, look, clock, finding, cases):
    clock.now = NOON + 60 * DAY  # 14 August
    for period in ("2026-06", "2026Q2"):
        await look(lambda s, period=period: periods_locked.lock(s, period, clock.now))
    first = await say.all(DING, "待入账", "1")
    assert "检查那一期已经锁定，所以记到：2026 年第 3 季度。" in first.text
    await say(DING, "1")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q3")) == "0.8"
    second = await say.all(DING, "待入账", "1")
    assert "所以记到：8 月 14 日。" in second.text
    await say(DING, "1")
    line = await look(lambda s: negatives.posted(s, SHAZHOU, "N04", f"inspection:{cases}"))
    assert line.day == date(2026, 8, 14)


# Appeals


@pytest.mark.parametrize(("choice", "state"), [("维持原结果", "upheld"), ("申诉成立，撤销", "dropped")])
async def test_an_appeal_is_decided_by_the_committee_with_a_reason(say, look, clock, told, finding, choice, state):
    await say.all(QIAN, "整改", "1", "不同意，申诉")
    await say(QIAN, "", kind="image", picture="flag")
    assert (await say(QIAN, "党旗在里屋，照片为证")).text == "已申诉，等审核。有结果我告诉您，审核前不扣分。"
    assert "只能在期限内申诉一次" in (await say(QIAN, f"rectify:appeal:{finding}", kind="button")).text
    after_window(clock)
    assert (await say(DING, "待入账")).text == "现在没有要入账的检查。"
    assert (await told(RUI))[0].startswith("【申诉】沙洲村党支部")
    seen = await say.all(RUI, "待审申诉", "1")
    assert "支部申诉：党旗在里屋，照片为证" in seen.text
    assert (await say(RUI, "看申诉照片")).picture is not None
    await say(RUI, f"inspection_review:see:{finding}", kind="button")
    await say.all(RUI, choice, "到现场看过了")
    assert (await look(lambda s: inspections.by_id(s, int(finding)).state)) == state
    for person in (QIAN, INES):
        assert (await told(person))[-1].endswith("到现场看过了")
    listed = (await say(DING, "待入账")).text
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)).state)
    if state == "upheld":
        assert (listed, card) == ("可以入账的检查，最早的在前：", "open")
    else:
        assert (listed, card) == ("现在没有要入账的检查。", "dropped")
        assert (await say(DING, f"inspection_review:post_yes:{finding}", kind="button")).text.startswith("不入账")
    assert await look(lambda s: values.latest(s, SHAZHOU, "C16", "2026Q2")) is None


async def test_whoever_decides_is_reminded_once_when_the_days_for_it_are_over(say, look, told, finding, cases):
    for number in (finding, cases):
        await say(QIAN, f"rectify:appeal:{number}", kind="button")
        await say(QIAN, "党旗在里屋，请再来看看")
    before = len(await told(RUI))

    async def run(day: int) -> int:
        nine = datetime(2026, 6, day, 9, 20, tzinfo=ZONE)
        return await look(lambda s: notes.remind_deciders(s, Moment(nine, nine, ZONE)))

    # Five working days after 15 June end on the 23rd: the Dragon Boat Festival and its weekend lie between.
    assert [await run(day) for day in (22, 23, 24, 24, 25)] == [0, 0, 2, 2, 0]
    assert (await told(RUI))[before:] == ["【申诉】有 2 件检查申诉过了 5 个工作日还没有审，请您定。"]
    assert (await say(RUI, "inspection_review:appealed", kind="button")).text.startswith("等审核的申诉")
    await say.all(RUI, f"inspection_review:see:{finding}", "维持原结果", "到现场看过了")
    assert await run(24) == 1


@pytest.mark.parametrize(
    ("day", "last"),
    [
        (date(2026, 6, 15), date(2026, 6, 23)),  # the Dragon Boat Festival and its weekend lie between
        (date(2026, 5, 11), date(2026, 5, 18)),  # one weekend
        (date(2026, 9, 28), date(2026, 10, 10)),  # National Day; Saturday 10 October is worked
    ],
)
async def test_the_fifth_working_day_counts_in_full(say, look, clock, day, last):
    clock.now = datetime(day.year, day.month, day.day, 10, tzinfo=ZONE).astimezone(UTC)
    await inspect(say, "5", "1")
    number = await confirm(say)
    clock.now = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=ZONE).astimezone(UTC)
    shown = await say.all(QIAN, "整改", "1")
    assert any("申诉" in label for label in shown.labels())
    clock.now += SECOND
    late = await say(QIAN, f"rectify:appeal:{number}", kind="button")
    assert late.text.startswith("这件不能申诉")
    assert not any("申诉" in label for label in late.labels())
    clock.now -= SECOND
    await say.all(QIAN, f"rectify:appeal:{number}", "我们不同意这个结果")
    assert await look(lambda s: inspections.by_id(s, int(number)).state) == "appealed"


async def test_people_of_the_branch_do_not_decide_so_it_goes_to_the_district(say, look, told, finding):
    def move(session, member_id, to):
        session.execute(
            select(Membership).where(Membership.member_id == member_id)
        ).scalar_one().organization_id = to

    await look(lambda s: move(s, RUI, SHAZHOU))
    await say.all(QIAN, "整改", "1", "2", "我们不同意这个结果")
    assert (await told(RUI)) == []
    assert (await told(DING))[0].startswith("【申诉】")
    seen = await say.all(RUI, "待审申诉", "1")
    assert "不由您审" in seen.text
    await say.all(RUI, f"inspection_review:uphold:{finding}", "我来维持原结果")
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "appealed"
    await say.all(DING, f"inspection_review:dismiss:{finding}", "证据不足，撤销")
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "dropped"


# Putting it right


async def test_a_closing_is_sent_back_and_then_accepted(say, look, clock, told, finding):
    assert (await say.all(QIAN, "整改", "1", "改好了，发照片")).text == "请发一张改好以后的照片。"
    assert (await say(QIAN, "都改好了")).text.startswith("请先发一张")
    await say(QIAN, "", kind="image", picture="after-1")
    assert (await say(QIAN, "党旗挂上了")).text.startswith("已交上去")
    assert (await told(INES))[-1].startswith("【验收】沙洲村党支部")
    seen = await say.all(INES, "检查", "待验收（1）", "1")
    assert "支部说：党旗挂上了" in seen.text
    assert seen.picture is not None
    clock.now = NOON + 14 * DAY  # 29 June, a day before the deadline
    assert (await say.all(INES, "2", "还缺一块牌子")).text.startswith("已退回")
    assert "请在 7 月 2 日前" in (await told(QIAN))[-1]
    await say(QIAN, f"rectify:done:{finding}", kind="button")
    await say(QIAN, "牌子也挂好了", kind="image", picture="after-2")
    assert (await say(INES, f"inspect:accept:{finding}", kind="button")).text == "已验收，告诉支部了。"
    assert "可能已经有人看过了" in (await say(INES, f"inspect:accept:{finding}", kind="button")).text
    assert (await told(QIAN))[-1].startswith("【整改完成】")
    assert (await say(QIAN, "整改")).text == "现在没有要整改的事。"


async def test_a_reviewer_looks_when_the_inspector_is_gone(say, look, told, finding):
    await look(lambda s: setattr(s.get(Member, INES), "status", "left"))
    await say(QIAN, f"rectify:done:{finding}", kind="button")
    await say(QIAN, "党旗挂上了", kind="image", picture="after")
    assert (await told(RUI))[-1].startswith("【验收】")
    assert (await say(DING, f"inspection_review:accept:{finding}", kind="button")).text == "这件由检查人验收。"
    assert (await say.all(RUI, "检查审核", "待验收", "1", "1")).text == "已验收，告诉支部了。"


async def test_a_deadline_is_told_three_days_before_on_the_day_and_above_after(say, look, clock, told, finding):
    async def news(day: datetime) -> list[int]:
        clock.now = day
        before = [len(await told(person)) for person in (QIAN, RUI)]
        assert await look(lambda s: notes.remind(s, clock.now, ZONE)) in (0, 1)
        assert await look(lambda s: notes.remind(s, clock.now, ZONE)) == 0
        return [len(await told(person)) - one for person, one in zip((QIAN, RUI), before, strict=True)]

    nine = datetime(2026, 6, 27, 1, 0, tzinfo=UTC)  # 09:00 of 27 June; the card is due on 30 June
    assert await news(nine - SECOND) == [0, 0]
    assert await news(nine) == [1, 0]
    assert await news(nine + 2 * DAY) == [0, 0]
    assert await news(nine + 3 * DAY) == [1, 0]
    assert (await told(QIAN))[-1].startswith("【整改提醒】沙洲村党支部：党建阵地规范")
    assert await news(nine + 4 * DAY) == [1, 1]
    assert (await told(RUI))[-1].startswith("【整改逾期】")
    assert await news(nine + 9 * DAY) == [0, 0]

    assert (await say.all(DING, "逾期整改")).text == "现在没有要记的逾期整改。"  # the finding is not posted yet
    await say.all(DING, "待入账", "1", "1")
    assert len((await say(RUI, "逾期整改")).buttons) == 2  # a reviewer sees it and cannot post it
    await say.all(DING, "逾期整改", "1")
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 0
    assert (await say(DING, "1")).text == "已记，日期 7 月 1 日。"
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 200
    assert "不能记" in (await say(DING, f"inspection_review:late_yes:{finding}", kind="button")).text
    await say.all(DING, f"inspection_review:correct:{finding}", "当时查错了")
    assert await look(lambda s: deductions(s, date(2026, 7, 6))) == 0


async def test_the_deadline_stands_still_during_an_appeal(say, look, clock, told, finding):
    await say.all(QIAN, "整改", "1", "2", "我们不同意这个结果")
    clock.now = NOON + 20 * DAY  # 5 July
    for _ in range(2):
        await look(lambda s: notes.remind(s, clock.now, ZONE))
    assert len(await told(QIAN)) == 1  # only the card
    await say.all(RUI, f"inspection_review:uphold:{finding}", "照片很清楚")
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)))
    assert (card.due_on, card.overdue_at) == (date(2026, 7, 8), None)


# Who may not


async def test_forged_buttons_change_nothing(say, look, clock, finding):
    stranger = {f"rectify:{step}:{number}" for step in ("see", "done", "appeal") for number in (finding, 999, "x")}
    assert {(await say(SUN, one, kind="button")).text for one in stranger} == {
        "没有找到这张整改卡，或者它不归您办。"
    }
    for step in ("post_yes", "uphold", "accept", "late_yes"):
        reply = await say(QIAN, f"inspection_review:{step}:{finding}", kind="button")
        assert "检查审核" in reply.text  # not this person's role
    for step in ("uphold", "post_yes", "accept", "correct", "late_yes", "refuse"):
        await say.all(DING, f"inspection_review:{step}:{finding}", "还没有到时候的决定")
    row = await look(lambda s: inspections.by_id(s, int(finding)))
    card = await look(lambda s: rectifications.of_inspection(s, int(finding)))
    assert (row.state, card.state) == ("noticed", "open")
    assert (await say(INES, "inspect:confirm", kind="button")).text == "现在没有正在记的检查。"
    assert (await actions(look)) == ["inspection.made"]


async def test_an_inspector_stays_in_the_own_subtree_and_never_posts_the_own_finding(say, look, clock, finding):
    def narrow(session):
        role = session.execute(select(Role).where(Role.member_id == INES)).scalar_one()
        role.organization_id = LIANGFENG
        session.add(Role(member_id=INES, organization_id=CITY, role="district_org_department", from_day=TODAY))

    await look(narrow)
    assert (await say.all(INES, "检查", "1", "沙洲")).text.startswith("您的范围里没有找到")
    assert (await say(INES, f"inspect:branch:{SHAZHOU}", kind="button")).text.startswith("您的范围里没有找到")
    assert "没有找到这次检查" in (await say(INES, f"inspect:see:{finding}", kind="button")).text
    after_window(clock)
    for step in ("post_yes", "refuse"):
        own = await say(INES, f"inspection_review:{step}:{finding}", kind="button")
        assert own.text == "这是您自己做的检查，要由别人入账。"
    assert await look(lambda s: inspections.by_id(s, int(finding)).state) == "noticed"


async def test_a_reviewer_drops_what_should_not_count(say, look, clock, told, cases):
    after_window(clock)
    await say.all(DING, "待入账", "1", "2", "照片看不清楚")
    assert (await told(QIAN))[-1].endswith("不用整改：照片看不清楚")
    assert await look(lambda s: deductions(s, date(2026, 6, 24))) == 0
    assert await look(lambda s: rectifications.of_inspection(s, int(cases)).state) == "dropped"


async def test_a_finding_needs_a_picture_and_a_figure_that_makes_sense(say):
    await say.all(INES, "检查", "1", "沙洲", "1", "1")
    for wrong in ("130%", "很多", "95.123%"):
        assert (await say(INES, wrong)).text.startswith("这个没有看懂。")
    assert "一定要有照片" in (await say(INES, "80%")).text
    assert (await say(INES, "没有照片")).text.startswith("没有收到照片。")
    assert (await say(INES, "inspect:no_picture", kind="button")).text.startswith("没有收到照片。")
    assert (await say(INES, "inspect:confirm", kind="button")).text == "现在没有正在记的检查。"


async def test_abroad_neither_pictures_nor_names_are_shown(say, writer, clock, cases, look):
    abroad = Voice(Dispatcher(writer, zone=ZONE, clock=clock, abroad={"web"}), clock)
    abroad._keys = iter(range(10_000, 20_000))
    seen = [await abroad.all(QIAN, "整改", "1"), await abroad(INES, f"inspect:see:{cases}", kind="button")]
    after_window(clock)
    seen.append(await abroad.all(DING, "待入账", "1"))
    assert all(one.picture is None for one in seen)
    assert not any(name in one.text for one in seen for name in NAMES.values())
    at_home = await say(INES, f"inspect:see:{cases}", kind="button")
    assert at_home.picture is not None
    assert NAMES[INES] in at_home.text


async def test_a_draw_can_be_repeated_from_its_seed(say, look, finding):
    message = await say.all(INES, "检查", "随机抽 5 个支部")
    assert message.text.splitlines()[1:] == [
        "1. 梁丰社区党支部（上次：没有查过）",
        "2. 沙洲村党支部（上次：6 月 15 日）",
    ]
    never = [(number, None) for number in range(1, 40)]
    assert drawn(never, "a1", 5) == drawn(list(reversed(never)), "a1", 5) != drawn(never, "a2", 5)


async def test_a_shared_place_finds_what_was_inspected_near_it(say):
    await say.all(INES, "检查", "1", "沙洲", "1", "5", "1")
    await say(INES, "", kind="image", picture="post")
    await say(INES, "", kind="location", point=(31.90, 120.55))
    await say.all(INES, "值班室没有人", "1")
    await confirm(say)
    await say(INES, "inspect:new", kind="button")
    near = await say(INES, "", kind="location", point=(31.94, 120.55))
    assert near.labels()[0] == "1 沙洲村党支部"
    await say(INES, "inspect:new", kind="button")
    assert (await say(INES, "", kind="location", point=(31.96, 120.55))).text.startswith("附近没有")


async def test_without_a_secretary_the_committee_gets_the_card(say, look, told):
    await look(lambda s: s.delete(s.execute(select(Role).where(Role.member_id == QIAN)).scalar_one()))
    await inspect(say, "5", "1")
    number = await confirm(say)
    assert (await told(RUI))[0].startswith("【整改卡】")
    assert "门口没有党旗" in (await say(RUI, f"inspection_review:see:{number}", kind="button")).text


async def test_in_english(say, look, finding):
    await look(
        lambda s: setattr(s.execute(select(Chat).where(Chat.member_id == QIAN)).scalar_one(), "language", "en")
    )
    shown = await say.all(QIAN, "rectify", "1")
    assert "80% (needed: at least 100%)" in shown.text
    assert "You may appeal" not in shown.text
    assert shown.labels()[:2] == ["1 It is put right: send a photo", "2 I disagree: appeal"]


# Two at once


async def test_of_two_people_only_one_decides_posts_or_accepts(say, look, clock, database_url, finding, cases):
    number, ends = int(finding), appeal_until(TODAY, ZONE)

    def appeal(session):
        return inspections.appeal(
            session, number, member_id=QIAN, reason="不同意", picture_id=None, now=ends - SECOND
        )

    def post(session):
        return inspections.mark_posted(session, number, member_id=DING, now=ends, posted_to="2026Q2")

    def decide(upheld):
        return lambda s: inspections.decide(s, int(cases), upheld=upheld, member_id=RUI, decision="x", now=NOON)

    assert sum(at_once(database_url, appeal, post)) == 1
    await say.all(QIAN, f"rectify:appeal:{cases}", "我们不同意这个结果")
    assert sum(at_once(database_url, decide(True), decide(False))) == 1
    card = int(cases)
    await look(lambda s: rectifications.hand_in(s, card, member_id=QIAN, picture_id=1, words="好了", now=NOON))
    done = at_once(
        database_url,
        lambda s: rectifications.accept(s, card, member_id=INES, now=NOON),
        lambda s: rectifications.send_back(s, card, reason="x", now=NOON, due_on=TODAY, step_on=TODAY),
    )
    assert sum(done) == 1
    posted = {"organization_id": SHAZHOU, "item_id": "N04", "day": TODAY, "count": 1, "cause": "test"}
    assert sorted(at_once(database_url, *[lambda s: negatives.post(s, **posted, recorded_at=NOON)] * 4)) == [
        False
    ] * 3 + [True]


def test_figures_are_read_with_their_unit():
    rate, area = inspected.item_on("C16", TODAY), inspected.item_on("AV09", TODAY)
    yes, count = inspected.item_on("GI10", TODAY), inspected.item_on("N04", TODAY)
    assert [value_in(rate, one) for one in ("95%", "９５％", "0.95", "100%", "0%", "101%", "1.01", "95")] == [
        *("0.95", "0.95", "0.95", "1", "0"),
        *(None, None, None),
    ]
    assert [value_in(area, one) for one in ("80㎡", "80.5 平方米", "100000", "100001", "80%", "-3")] == [
        *("80", "80.5", "100000"),
        *(None, None, None),
    ]
    assert [value_in(count, one) for one in ("1", "20 件", "0", "21", "1.5")] == ["1", "20", None, None, None]
    assert [value_in(yes, one) for one in ("true", "false", "是")] == ["true", "false", None]


def test_deadlines_fall_on_working_days():
    assert due_on(date(2026, 6, 15)) == date(2026, 6, 30)
    assert due_on(date(2026, 9, 18)) == date(2026, 10, 8)  # 3 October is a holiday
